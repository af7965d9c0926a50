using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>Cards between more than two, and those that last.</content>
public sealed partial class ChatConversation
{
    /// <summary>Asks several members for their shares of a bill.</summary>
    /// <param name="shares">
    /// Whom for how much: 1 to 100 members, not this account; <see cref="SplitDivision"/> divides a total to the last unit.
    /// </param>
    /// <param name="ownMinor">What this account bears itself, shown to the others; nothing moves for it.</param>
    /// <inheritdoc cref="RequestMoneyAsync(AccountId, Money, string, CardOptions, CancellationToken)"/>
    /// <example>
    /// <code>
    /// var parts = SplitDivision.Equally(9000, 3);
    /// CardShare[] shares = [new(ada.Id, parts[1]), new(ben.Id, parts[2])];
    /// await conversation.SplitAsync(shares, parts[0], AssetCode.Parse("EUR"), "Dinner", new(), cancellationToken);
    /// </code>
    /// </example>
    public Task<ChatCard> SplitAsync(
        IReadOnlyList<CardShare> shares, long ownMinor, AssetCode asset, string memo, CardOptions options,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(shares);
        var sum = shares.Aggregate((Int128)0, (total, share) => total + share.AmountMinor);
        return _device.PostCardAsync(
            _state, CardKind.Split, CardTerms.Nobody, Money.Of((long)Int128.Min(sum, long.MaxValue), asset), memo, options,
            new CardPlan(Shares: shares, OwnMinor: ownMinor), cancellationToken);
    }

    /// <summary>Sets money aside in shares, for whoever of the conversation takes one first.</summary>
    /// <param name="total">All of it; at least one unit for each share.</param>
    /// <param name="count">1 to 1,000 shares; each person takes one at most.</param>
    /// <param name="receiver">For this person alone, in one share; null for everybody.</param>
    /// <inheritdoc cref="SendMoneyAsync(AccountId, Money, string, CardOptions, CancellationToken)"/>
    /// <example>
    /// <code>
    /// await conversation.SendPacketAsync(
    ///     Money.Of(1000, AssetCode.Parse("EUR")), 5, PacketMode.Random, null, "Good luck", new(), cancellationToken);
    /// </code>
    /// </example>
    public Task<ChatCard> SendPacketAsync(
        Money total, int count, PacketMode mode, AccountId? receiver, string memo, CardOptions options,
        CancellationToken cancellationToken) =>
        _device.PostCardAsync(
            _state, CardKind.Packet, receiver ?? CardTerms.Nobody, total, memo, options,
            new CardPlan(Packet: mode, Count: count), cancellationToken);

    /// <summary>Lets a member draw on this account, signed for once.</summary>
    /// <param name="payee">Who may draw.</param>
    /// <param name="maximum">How much in each period.</param>
    /// <param name="options">Its lifetime, up to a year, says until when.</param>
    /// <inheritdoc cref="SendMoneyAsync(AccountId, Money, string, CardOptions, CancellationToken)"/>
    /// <example>
    /// <code>
    /// var year = new CardOptions { Lifetime = TimeSpan.FromDays(365) };
    /// await conversation.GiveMandateAsync(
    ///     gym.Id, Money.Of(2500, AssetCode.Parse("EUR")), MandatePeriod.Month, "Membership", year, cancellationToken);
    /// </code>
    /// </example>
    public Task<ChatCard> GiveMandateAsync(
        AccountId payee, Money maximum, MandatePeriod period, string memo, CardOptions options,
        CancellationToken cancellationToken) =>
        _device.PostCardAsync(
            _state, CardKind.Mandate, payee, maximum, memo, options, new CardPlan(Period: period), cancellationToken);
}

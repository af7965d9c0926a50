using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>What is said and paid.</content>
public sealed partial class ChatConversation
{
    /// <summary>
    /// Says something. Completes when the server has committed it, however many connections that takes; messages of one
    /// device stand in the log in the order in which they were given.
    /// </summary>
    /// <param name="text">1 to 8,000 UTF-16 units.</param>
    /// <exception cref="ChatPayException">
    /// <c>not_member</c>; <c>body_too_large</c>; <see cref="ClientErrors.GroupBroken"/>; <c>overloaded</c>: 10,000
    /// messages wait here already, among others: it was not sent. <c>internal</c>: the server failed at it time and
    /// again, so it is not tried any more; once the server is well, look before saying it again.
    /// <see cref="ClientErrors.SessionEnded"/>: it may be sent when the device is opened again.
    /// </exception>
    /// <exception cref="OperationCanceledException">
    /// The wait is over; where it is on its way, it is sent all the same.
    /// </exception>
    /// <example>
    /// <code>var sent = await conversation.SendTextAsync("Hello", cancellationToken);</code>
    /// </example>
    public Task<SentMessage> SendTextAsync(string text, CancellationToken cancellationToken) =>
        _device.SendTextAsync(_state, text, null, cancellationToken);

    /// <summary>Says something once, however often it is called with the same id.</summary>
    /// <param name="text">1 to 8,000 UTF-16 units; the same with the same id.</param>
    /// <param name="id">Unique in the conversation for this device, such as <see cref="ChatItem.ReplyId"/>.</param>
    /// <inheritdoc cref="SendTextAsync(string, CancellationToken)"/>
    /// <example>
    /// <code>await conversation.SendTextAsync("Hello!", item.ReplyId("greeting"), cancellationToken);</code>
    /// </example>
    public Task<SentMessage> SendTextAsync(string text, ClientMessageId id, CancellationToken cancellationToken) =>
        _device.SendTextAsync(_state, text, id, cancellationToken);

    /// <summary>
    /// Sends money: it is set aside at once and moves when the payee accepts; it returns if they decline, if this
    /// account cancels, or when its time is up. Completes when the ledger has said yes.
    /// </summary>
    /// <param name="payee">A member of the conversation.</param>
    /// <param name="money">More than zero, in minor units.</param>
    /// <param name="memo">At most 280 UTF-16 units, for the conversation's members only; may be empty.</param>
    /// <param name="cancellationToken">
    /// Ends the wait, not the payment; see <see cref="ChatPayDevice.CancelAsync"/>.
    /// </param>
    /// <exception cref="ChatPayException">
    /// <c>insufficient_funds</c>; <c>card_party_not_member</c>; <c>asset_unknown</c>; <c>amount_not_positive</c>;
    /// <c>amount_overflow</c>; <c>self_transfer</c>; <see cref="ClientErrors.NotVerified"/>, among others: nothing was set aside.
    /// <see cref="ClientErrors.SessionEnded"/>, <see cref="ClientErrors.StoreFailed"/>,
    /// <see cref="ClientErrors.OutcomeUnknown"/> and <c>internal</c>: the card may be posted all the same, at once or
    /// when the device is opened again. Ask again with <see cref="ChatPayException.Card"/> for the
    /// <see cref="CardOptions.Id"/>, which posts it once.
    /// </exception>
    /// <example>
    /// <code>
    /// var card = await conversation.SendMoneyAsync(
    ///     ada.Id, Money.Of(1234, AssetCode.Parse("EUR")), "Tram tickets", cancellationToken);
    /// </code>
    /// </example>
    public Task<ChatCard> SendMoneyAsync(
        AccountId payee, Money money, string memo, CancellationToken cancellationToken) =>
        SendMoneyAsync(payee, money, memo, new(), cancellationToken);

    /// <inheritdoc cref="SendMoneyAsync(AccountId, Money, string, CancellationToken)"/>
    /// <param name="options">The card's id and time.</param>
    /// <example>
    /// <code>
    /// var options = new CardOptions { Id = item.CardId("refund"), Lifetime = TimeSpan.FromDays(7) };
    /// await conversation.SendMoneyAsync(ada.Id, price, "Refund", options, cancellationToken);
    /// </code>
    /// </example>
    public Task<ChatCard> SendMoneyAsync(
        AccountId payee, Money money, string memo, CardOptions options, CancellationToken cancellationToken) =>
        _device.PostCardAsync(
            _state, CardKind.Transfer, payee, money, memo, options, options.Delivery is { } delivery ? new(delivery) : null,
            cancellationToken);

    /// <summary>Asks to be paid. Completes when the card is posted; nothing moves until the payer pays.</summary>
    /// <param name="payer">A member of the conversation.</param>
    /// <param name="money">More than zero, in minor units.</param>
    /// <param name="memo">At most 280 UTF-16 units, for the conversation's members only; may be empty.</param>
    /// <exception cref="ChatPayException">
    /// <c>card_party_not_member</c>; <c>asset_unknown</c>; <c>amount_not_positive</c>; <c>amount_overflow</c>;
    /// <c>self_transfer</c>; <c>too_many_open_cards</c>, among others: it is not posted.
    /// <see cref="ClientErrors.SessionEnded"/>, <see cref="ClientErrors.StoreFailed"/>,
    /// <see cref="ClientErrors.OutcomeUnknown"/> and <c>internal</c>: the card may be posted all the same, at once or
    /// when the device is opened again. Ask again with <see cref="ChatPayException.Card"/> for the
    /// <see cref="CardOptions.Id"/>, which posts it once.
    /// </exception>
    /// <example>
    /// <code>
    /// var card = await conversation.RequestMoneyAsync(
    ///     ada.Id, Money.Of(350, AssetCode.Parse("EUR")), "Coffee", cancellationToken);
    /// </code>
    /// </example>
    public Task<ChatCard> RequestMoneyAsync(
        AccountId payer, Money money, string memo, CancellationToken cancellationToken) =>
        RequestMoneyAsync(payer, money, memo, new(), cancellationToken);

    /// <inheritdoc cref="RequestMoneyAsync(AccountId, Money, string, CancellationToken)"/>
    /// <param name="options">The card's id and time.</param>
    /// <example>
    /// <code>
    /// var options = new CardOptions { Id = item.CardId("coffee") };
    /// await conversation.RequestMoneyAsync(ada.Id, price, "Coffee", options, cancellationToken);
    /// </code>
    /// </example>
    public Task<ChatCard> RequestMoneyAsync(
        AccountId payer, Money money, string memo, CardOptions options, CancellationToken cancellationToken) =>
        _device.PostCardAsync(_state, CardKind.Request, payer, money, memo, options, null, cancellationToken);
}

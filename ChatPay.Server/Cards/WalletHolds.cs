using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Cards;

/// <summary>What of an account's money waits in cards, and what it may do.</summary>
internal sealed class WalletHolds(CardStore cards, AccountDirectory people, IOptions<CardOptions> options)
{
    /// <summary>The first to return first; an account has no more open than it may.</summary>
    public async Task<Result<IReadOnlyList<WalletHold>>> ReadAsync(Caller caller, CancellationToken cancellationToken)
    {
        var open = await cards.ReadHoldingAsync(caller.Account, options.Value.OpenPerAuthor, cancellationToken);
        var names = await people.GetAsync(
            [.. open.Select(card => card.Terms.Payee).Where(payee => payee != CardTerms.Nobody).Distinct()],
            cancellationToken);
        return Result.From<IReadOnlyList<WalletHold>>(
        [
            .. open.Select(card => new WalletHold(
                card.Terms.Card, card.Terms.Kind, card.Terms.Plan?.Delivery, card.Terms.Conversation,
                names.GetValueOrDefault(card.Terms.Payee), card.Terms.Money.Asset.Value,
                card.Terms.Money.Amount.Value - card.Tally.PaidMinor, card.ExpiresAt)),
        ]);
    }

    public async Task<Result<WalletLimits>> ReadLimitsAsync(Caller caller, CancellationToken cancellationToken)
    {
        var limits = options.Value;
        return new WalletLimits(
            await cards.CountOpenAsync(caller.Account, cancellationToken), limits.OpenPerAuthor, limits.RequestsPerMinute,
            limits.RequestBurst, Limits.AmountMaxMinor, Limits.CardLifetimeMaxSeconds, Limits.MandateMaxSeconds);
    }
}

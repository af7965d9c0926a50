using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Cards;

/// <summary>What of an account's money waits in cards, and what it may do.</summary>
internal sealed class WalletHolds(CardStore cards, AccountDirectory people, IOptions<CardOptions> options)
{
    /// <summary>More than any setting allows to be open, so that a limit that was lowered hides nothing.</summary>
    private const int HoldsMax = 10_000;

    /// <summary>The first to return first.</summary>
    public async Task<Result<IReadOnlyList<WalletHold>>> ReadAsync(Caller caller, CancellationToken cancellationToken)
    {
        var open = await cards.ReadHoldingAsync(caller.Account, HoldsMax, cancellationToken);
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

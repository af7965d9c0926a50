using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>
/// Each card's state is what its money says: held exactly while its hold is open and whole, accepted or paid exactly where
/// one credit of its amount went from payer to payee, and no money moved otherwise.
/// </summary>
internal sealed class CardCheck(VerifyStore store, VerifyFindings findings)
{
    public async Task<string> RunAsync(VerifyStage stage, CancellationToken cancellationToken)
    {
        await using var cards = store.Cards(stage, cancellationToken);
        await using var transfers = store.CardTransfers(cancellationToken);
        await cards.NextAsync();
        await transfers.NextAsync();
        var count = 0L;
        while (cards.HasRow || transfers.HasRow)
        {
            var id = UInt128.Min(
                cards.HasRow ? cards.Row.Id : UInt128.MaxValue,
                transfers.HasRow ? transfers.Row.Card!.Value : UInt128.MaxValue);
            var exists = cards.HasRow && cards.Row.Id == id;
            var (credits, credit) = (0L, default(StoredTransfer));
            while (transfers.HasRow && transfers.Row.Card == id)
            {
                if (transfers.Row.Kind.IsRefundable())
                {
                    credits++;
                    credit = transfers.Row;
                }

                if (!exists)
                {
                    findings.Add($"transfer {transfers.Row.Id.ToGuid()}: "
                        + $"belongs to card {id.ToGuid()}, which does not exist");
                }

                await transfers.NextAsync();
            }

            if (exists)
            {
                count++;
                if (Judge(cards.Row, credits, credit) is { } finding)
                {
                    findings.Add($"card {id.ToGuid()}: {finding}");
                }

                await cards.NextAsync();
            }
        }

        return Invariant($"{count} cards");
    }

    private static string? Judge(in CardRow card, long credits, in StoredTransfer credit)
    {
        var settles = card.State is CardState.Accepted or CardState.Paid;
        if (credits != (settles ? 1 : 0))
        {
            return Invariant($"it is {card.State} and has {credits} applied credits");
        }

        var payer = AccountOf(card.Payer, card.Asset);
        if (settles && (credit.AmountMinor != card.AmountMinor || credit.Debit.ToGuid() != payer
            || credit.Credit?.ToGuid() != AccountOf(card.Payee, card.Asset) || credit.Asset != card.Asset
            || credit.Hold != card.Hold))
        {
            return "its credit is not of its amount from its payer to its payee";
        }

        return card.Kind == CardKind.Request
            ? card.State is CardState.Held or CardState.Accepted ? $"a request cannot be {card.State}" : null
            : JudgeHold(card, payer);
    }

    private static string? JudgeHold(in CardRow card, Guid? payer)
    {
        HoldState? expected = card.State switch
        {
            CardState.Held => HoldState.Open,
            CardState.Accepted => HoldState.Captured,
            CardState.Declined or CardState.Cancelled => HoldState.Released,
            CardState.Expired => HoldState.Expired,
            _ => null,
        };
        if (expected is null)
        {
            return $"a transfer cannot be {card.State}";
        }

        if (card.HoldAccount?.ToGuid() is not { } account || account != payer)
        {
            return "its hold is not on its payer's account";
        }

        if (card.HoldState != expected)
        {
            return $"it is {card.State} and its hold is {card.HoldState}";
        }

        return expected == HoldState.Open && card.HoldRemainingMinor != card.AmountMinor
            ? Invariant($"its hold has {card.HoldRemainingMinor} of {card.AmountMinor}")
            : null;
    }

    private static Guid? AccountOf(UInt128 person, AssetKey asset) =>
        asset.ToCode() is { } code ? LedgerAccountId.Of(new AccountId(person.ToGuid()), code).Value : null;
}

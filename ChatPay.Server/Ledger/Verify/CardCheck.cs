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
            var moved = new CardMovements { AreBetweenParties = true };
            while (transfers.HasRow && transfers.Row.Card == id)
            {
                Count(ref moved, transfers.Row, exists ? cards.Row : null);

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
                if (Judge(cards.Row, moved) is { } finding)
                {
                    findings.Add($"card {id.ToGuid()}: {finding}");
                }

                await cards.NextAsync();
            }
        }

        return Invariant($"{count} cards");
    }

    private static void Count(ref CardMovements moved, in StoredTransfer transfer, in CardRow? card)
    {
        if (transfer.Kind.IsRefundable())
        {
            moved.Credits++;
            moved.CreditsMinor += transfer.AmountMinor;
            moved.Credit = transfer;
            moved.AreBetweenParties &= card is { } row && transfer.Asset == row.Asset
                && (row.Payer is not { } payer || transfer.Debit.ToGuid() == AccountOf(payer, row.Asset))
                && (row.Payee is not { } payee || transfer.Credit?.ToGuid() == AccountOf(payee, row.Asset));
        }
        else if (transfer.Kind == TransferKind.Refund)
        {
            moved.RefundsMinor += transfer.AmountMinor;
        }
    }

    private static string? Judge(in CardRow card, in CardMovements moved) =>
        moved.RefundsMinor != card.RefundedMinor
            ? Invariant($"it says that {card.RefundedMinor} were given back, its refunds come to {moved.RefundsMinor}")
            : card.Kind switch
            {
                CardKind.Transfer or CardKind.Request => JudgeSingle(card, moved),
                CardKind.Split => JudgeSplit(card, moved),
                CardKind.Packet => JudgePacket(card, moved),
                CardKind.Mandate => moved.CreditsMinor != card.PaidMinor || !moved.AreBetweenParties
                    ? Invariant($"it says that {card.PaidMinor} were drawn, its draws come to {moved.CreditsMinor}") : null,
                _ => Invariant($"there is no kind {(short)card.Kind}"),
            };

    private static string? JudgeSingle(in CardRow card, in CardMovements moved)
    {
        var settles = card.State is CardState.Accepted or CardState.Paid;
        if (moved.Credits != (settles ? 1 : 0))
        {
            return Invariant($"it is {card.State} and has {moved.Credits} applied credits");
        }

        if (settles && (moved.CreditsMinor != card.AmountMinor || !moved.AreBetweenParties
            || moved.Credit.Hold != card.Hold || moved.Credit.Id != card.Settlement))
        {
            return "its credit is not of its amount from its payer to its payee";
        }

        if (card.Kind == CardKind.Request)
        {
            return card.State is CardState.Held or CardState.Accepted ? $"a request cannot be {card.State}" : null;
        }

        return card.Hold is null
            ? card.State == CardState.Accepted ? null : $"a transfer that arrives at once cannot be {card.State}"
            : JudgeHold(card);
    }

    private static string? JudgeSplit(in CardRow card, in CardMovements moved) =>
        moved.Credits != card.PaidParts || moved.CreditsMinor != card.PaidPartsMinor || card.PaidMinor != card.PaidPartsMinor
        || !moved.AreBetweenParties
            ? Invariant($"it says that {card.PaidParts} have paid {card.PaidMinor}, its payments are {moved.Credits} of ")
                + Invariant($"{moved.CreditsMinor}")
        : card.PartsMinor != card.AmountMinor
            ? Invariant($"its parts come to {card.PartsMinor} of {card.AmountMinor}")
        : (card.State == CardState.Paid) != (card.PaidMinor == card.AmountMinor)
            ? Invariant($"it is {card.State} and {card.PaidMinor} of {card.AmountMinor} are paid")
        : null;

    private static string? JudgePacket(in CardRow card, in CardMovements moved)
    {
        if (moved.Credits != card.PaidParts || card.Answered != card.PaidParts || moved.CreditsMinor != card.PaidMinor
            || card.PaidMinor != card.PaidPartsMinor || !moved.AreBetweenParties)
        {
            return Invariant($"it says that {card.Answered} have taken {card.PaidMinor}, its captures are {moved.Credits} of ")
                + Invariant($"{moved.CreditsMinor}");
        }

        HoldState? expected = card.State switch
        {
            CardState.Open => HoldState.Open,
            CardState.Exhausted => HoldState.Captured,
            CardState.Expired => HoldState.Expired,
            _ => null,
        };
        return expected is null || card.HoldState != expected
            ? Invariant($"it is {card.State} and its hold is {card.HoldState}")
            : expected == HoldState.Open && card.HoldRemainingMinor != card.AmountMinor - card.PaidMinor
                ? Invariant($"its hold has {card.HoldRemainingMinor} of {card.AmountMinor - card.PaidMinor}")
            : null;
    }

    private static string? JudgeHold(in CardRow card)
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

        var payer = card.Payer is { } person ? AccountOf(person, card.Asset) : null;
        if (card.HoldAccount?.ToGuid() is not { } account || account != payer)
        {
            return "its hold is not on its payer's account";
        }

        // One that could not arrive was released.
        if (card.HoldState != expected && (card.State, card.HoldState) != (CardState.Expired, HoldState.Released))
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

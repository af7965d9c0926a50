using ChatPay.Core.Ledger;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>What is kept as refunded, the refunds themselves and what they refund, merged by the latter's id.</summary>
internal sealed class RefundCheck(VerifyStore store, VerifyFindings findings)
{
    public async Task<string> RunAsync(VerifyStage stage, CancellationToken cancellationToken)
    {
        await using var kept = store.Refunded(stage, cancellationToken);
        await using var refunds = store.Refunds(cancellationToken);
        await using var originals = store.Originals(cancellationToken);
        await kept.NextAsync();
        await refunds.NextAsync();
        await originals.NextAsync();
        var (movements, count) = (0L, 0L);
        while (kept.HasRow || refunds.HasRow)
        {
            var id = UInt128.Min(
                kept.HasRow ? kept.Row.Original : UInt128.MaxValue, refunds.HasRow ? refunds.Row.Original : UInt128.MaxValue);
            while (originals.HasRow && originals.Row.Id < id)
            {
                await originals.NextAsync();
            }

            movements++;
            StoredTransfer? original = originals.HasRow && originals.Row.Id == id ? originals.Row : null;
            CheckOriginal(id, original);
            Int128 sum = 0;
            while (refunds.HasRow && refunds.Row.Original == id)
            {
                count++;
                sum += refunds.Row.AmountMinor;
                CheckRefund(refunds.Row, original);
                await refunds.NextAsync();
            }

            RefundedRow? row = null;
            if (kept.HasRow && kept.Row.Original == id)
            {
                row = kept.Row;
                await kept.NextAsync();
            }

            CheckSum(id, row, original, sum);
        }

        return Invariant($"{count} refunds of {movements} transfers");
    }

    private void CheckOriginal(UInt128 id, in StoredTransfer? original)
    {
        if (original is not { Status: LedgerStatus.Applied } row || !row.Kind.IsRefundable())
        {
            Add(id, "is refunded, but is no applied transfer that can be");
        }
    }

    private void CheckRefund(in RefundRow refund, in StoredTransfer? original)
    {
        if (original is { } row
            && (refund.Debit != row.Credit || refund.Credit != row.Debit || refund.Asset != row.Asset || refund.At < row.At))
        {
            Add(refund.Transfer, $"does not go back the way of what it refunds, transfer {row.Id.ToGuid()}");
        }
    }

    private void CheckSum(UInt128 id, in RefundedRow? kept, in StoredTransfer? original, Int128 sum)
    {
        if (original is { } row && sum > row.AmountMinor)
        {
            Add(id, Invariant($"refunds of {sum} exceed its {row.AmountMinor}"));
        }

        if (kept is not { } state)
        {
            Add(id, Invariant($"refunds sum to {sum}, none is kept as refunded"));
        }
        else if (state.RefundedMinor != sum)
        {
            Add(id, Invariant($"{state.RefundedMinor} are kept as refunded, its refunds sum to {sum}"));
        }

        if (kept is { } captured && original is { } moved
            && (captured.CapturedMinor != moved.AmountMinor || captured.Account != moved.Credit))
        {
            Add(id, Invariant($"is kept as {captured.CapturedMinor} to account {captured.Account.ToGuid()}, ")
                + Invariant($"it moved {moved.AmountMinor} to {moved.Credit?.ToGuid()}"));
        }
    }

    private void Add(UInt128 transfer, string finding) => findings.Add($"transfer {transfer.ToGuid()}: {finding}");
}

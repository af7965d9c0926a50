using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>Each transfer's row by itself: that it is whole, and that it is what was decided.</summary>
internal sealed class TransferCheck(VerifyStore store, VerifyFindings findings)
{
    private long _transfers;

    public long Transfers => _transfers;

    public async Task<string> RunAsync(VerifyStage stage, CancellationToken cancellationToken)
    {
        await using var transfers = store.Transfers(stage, cancellationToken);
        var rejected = 0L;
        await transfers.NextAsync();
        while (transfers.HasRow)
        {
            _transfers++;
            rejected += transfers.Row.Status == LedgerStatus.Applied ? 0 : 1;
            Check(transfers.Row);
            if (!transfers.TryNext())
            {
                await transfers.NextAsync();
            }
        }

        return Invariant($"{_transfers} transfers, {rejected} of them rejected");
    }

    private void Check(in StoredTransfer row)
    {
        if (WhatIsWrong(row) is { } wrong)
        {
            findings.Add($"transfer {row.Id.ToGuid()}: {wrong}");
        }
        else if (!TransferHash.IsAsDecided(row))
        {
            findings.Add($"transfer {row.Id.ToGuid()}: differs from what was decided (payload hash)");
        }
    }

    private static string? WhatIsWrong(in StoredTransfer row)
    {
        if (!Enum.IsDefined(row.Kind))
        {
            return Invariant($"there is no kind {(short)row.Kind}");
        }

        if (!Enum.IsDefined(row.Status) || row.Status is LedgerStatus.IdempotencyConflict or LedgerStatus.AccountNotEmpty)
        {
            return Invariant($"a transfer cannot end as {row.Status}");
        }

        if (row.Kind.HasCredit() != row.Credit.HasValue || row.Kind.HasHold() != row.Hold.HasValue
            || (row.Kind == TransferKind.Refund) != row.RefundOf.HasValue
            || (row.Kind == TransferKind.Balancing) != row.AskedMinor.HasValue)
        {
            return Invariant($"has not the parts of a {row.Kind}");
        }

        if (row.Status == LedgerStatus.LinkedFailed && row.Group is null)
        {
            return "is linked_failed and in no group";
        }

        var applied = row.Status == LedgerStatus.Applied;
        if (applied != row.DebitVersion.HasValue || (applied && row.Credit.HasValue) != row.CreditVersion.HasValue)
        {
            return Invariant($"is {row.Status} with versions {row.DebitVersion} and {row.CreditVersion}");
        }

        if (!applied)
        {
            // What was asked: of these it is not hashed from the amount, which for want of an entry nothing else tells.
            var askedMinor = row.AskedMinor ?? (row.Kind.NamesAmount() ? row.AmountMinor : 0);
            return row.AmountMinor == askedMinor
                ? null
                : Invariant($"moved nothing and was asked for {askedMinor}, but says {row.AmountMinor}");
        }

        if (row.AmountMinor <= 0 || row.Debit == row.Credit)
        {
            return Invariant($"moves {row.AmountMinor} from {row.Debit.ToGuid()} to {row.Credit?.ToGuid()}");
        }

        return row.AskedMinor < row.AmountMinor
            ? Invariant($"moves {row.AmountMinor} and was asked for {row.AskedMinor}")
            : null;
    }
}

/// <summary>Whether a stored transfer still hashes to its payload.</summary>
internal static class TransferHash
{
    /// <summary>
    /// Of holds the lifetime is hashed, which only an applied one's own row tells; <see cref="HoldCheck"/> has it. That of
    /// a rejected hold is kept nowhere.
    /// </summary>
    public static bool IsAsDecided(in StoredTransfer row) => row.Kind == TransferKind.Hold || Matches(row, 0);

    /// <param name="lifetimeSeconds">Of a hold; zero for the other kinds.</param>
    public static bool Matches(in StoredTransfer row, int lifetimeSeconds)
    {
        if (row.Asset.ToCode() is not { } asset || (row.Kind == TransferKind.Hold && lifetimeSeconds <= 0))
        {
            return false;
        }

        var (id, debit) = (new TransferId(row.Id.ToGuid()), new LedgerAccountId(row.Debit.ToGuid()));
        var credit = new LedgerAccountId(row.Credit.GetValueOrDefault().ToGuid());
        var hold = new TransferId(row.Hold.GetValueOrDefault().ToGuid());
        var money = Money.Of(row.AmountMinor, asset);
        var cause = new TransferCause(
            row.Actor is { } actor ? new AccountId(actor.ToGuid()) : null,
            row.Card is { } card ? new CardId(card.ToGuid()) : null);
        var command = row.Kind switch
        {
            TransferKind.Transfer => LedgerCommand.Transfer(id, debit, credit, money, cause),
            TransferKind.Hold => LedgerCommand.Hold(id, debit, money, lifetimeSeconds, cause),
            TransferKind.Capture => LedgerCommand.Capture(id, hold, debit, credit, money, cause),
            TransferKind.Release => LedgerCommand.Release(id, hold, debit, asset, cause),
            TransferKind.Expire => LedgerCommand.Expire(id, hold, debit, asset, cause),
            TransferKind.Refund => LedgerCommand.Refund(
                id, new(row.RefundOf.GetValueOrDefault().ToGuid()), debit, credit, money, cause),
            TransferKind.Balancing => LedgerCommand.Balancing(
                id, debit, credit, Money.Of(row.AskedMinor.GetValueOrDefault(), asset), cause),
            TransferKind.CaptureAll => LedgerCommand.CaptureAll(id, hold, debit, credit, asset, cause),
        };
        if (row.Group is { } group)
        {
            command = command.InGroup(new GroupPart(
                new LedgerGroupId(group.ToGuid()), row.GroupIndex.GetValueOrDefault(), row.GroupSize.GetValueOrDefault()));
        }

        return command.HashPayload() == row.Payload;
    }
}

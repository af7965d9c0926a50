namespace ChatPay.Core.Ledger;

/// <summary>What a duplicate is recognised by, and answered with.</summary>
/// <param name="Amount">What moved; for a rejection what was asked.</param>
public readonly record struct KnownTransfer(PayloadHash Payload, LedgerStatus Status, AmountMinor Amount);

/// <summary>What a duplicate of a change is recognised by, and answered with.</summary>
public readonly record struct KnownChange(PayloadHash Payload, LedgerStatus Status);

/// <summary>A decided command, applied or rejected, as it is stored.</summary>
/// <param name="Amount">What moved; for a rejection what was asked.</param>
/// <param name="DebitVersion">The version that the debit account's entry has; null where nothing was applied.</param>
/// <param name="CreditVersion">The same of the credit account; also null where the kind has none.</param>
public sealed record TransferRow(
    LedgerCommand Command, AmountMinor Amount, LedgerStatus Status, PayloadHash Payload, DateTimeOffset At,
    long? DebitVersion = null, long? CreditVersion = null)
{
    /// <summary>What a balancing transfer was asked for, beside what it moved; null for the other kinds.</summary>
    public long? AskedMinor => Command.Kind == TransferKind.Balancing ? Command.Amount.Value : null;
}

/// <summary>One account's side of an applied transfer.</summary>
/// <param name="Version">The account's version after it, gapless from 1.</param>
/// <param name="At">Never before the entry of the version before it.</param>
public readonly record struct EntryRow(
    LedgerAccountId Account, long Version, TransferId Transfer, AmountMinor Posted, AmountMinor Held,
    AmountMinor BalanceAfter, AmountMinor HeldAfter, DateTimeOffset At);

/// <summary>A decided change of an account, applied or rejected, as it is stored.</summary>
public sealed record AccountChangeRow(
    AccountChange Change, LedgerStatus Status, PayloadHash Payload, DateTimeOffset At);

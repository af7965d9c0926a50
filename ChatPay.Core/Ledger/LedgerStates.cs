using ChatPay.Core.Protocol;

namespace ChatPay.Core.Ledger;

/// <summary>Whose account it is: a person's or bot's, or the system's own, such as <c>sandbox</c>.</summary>
public readonly record struct LedgerOwner
{
    private LedgerOwner(AccountId? account, string? system)
    {
        Account = account;
        System = system;
    }

    public AccountId? Account { get; }

    public string? System { get; }

    public static LedgerOwner Of(AccountId account) => new(account, null);

    public static LedgerOwner OfSystem(string name) => new(null, name);
}

/// <summary>A ledger account as loaded or decided.</summary>
/// <param name="Guarded">Whether it may never owe: 0 ≤ held ≤ balance.</param>
/// <param name="Balance">What it owns, held or not.</param>
/// <param name="Held">What waits in open holds.</param>
/// <param name="Version">The number of its entries.</param>
public readonly record struct LedgerAccount(
    LedgerAccountId Id, LedgerOwner Owner, AssetCode Asset, bool Guarded, AmountMinor Balance, AmountMinor Held,
    long Version)
{
    public static LedgerAccount Open(LedgerOwner owner, AssetCode asset) => owner.Account is { } account
        ? new(LedgerAccountId.Of(account, asset), owner, asset, true, default, default, 0)
        : new(LedgerAccountId.OfSystem(owner.System!, asset), owner, asset, false, default, default, 0);
}

public enum HoldState
{
    Open = 1,

    /// <summary>Paid out to the last unit.</summary>
    Captured = 2,

    Released = 3,
    Expired = 4,
}

/// <param name="Remaining">What is still set aside: positive exactly while open.</param>
public readonly record struct LedgerHold(
    TransferId Id, LedgerAccountId Account, AmountMinor Remaining, HoldState State, DateTimeOffset ExpiresAt);

/// <summary>What a duplicate is recognised by.</summary>
public readonly record struct KnownTransfer(PayloadHash Payload, LedgerStatus Status);

/// <summary>A decided command, applied or rejected, as it is stored.</summary>
/// <param name="Amount">What moved; for a rejection what was asked.</param>
public sealed record TransferRow(
    LedgerCommand Command, AmountMinor Amount, LedgerStatus Status, PayloadHash Payload, DateTimeOffset At);

/// <summary>One account's side of an applied transfer.</summary>
/// <param name="Version">The account's version after it, gapless from 1.</param>
public readonly record struct EntryRow(
    LedgerAccountId Account, long Version, TransferId Transfer, AmountMinor Posted, AmountMinor Held,
    AmountMinor BalanceAfter, AmountMinor HeldAfter, DateTimeOffset At);

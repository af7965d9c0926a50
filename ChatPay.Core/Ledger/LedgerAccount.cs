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

/// <summary>Numbers are stored.</summary>
public enum LedgerAccountState
{
    Open = 1,

    /// <summary>Nothing leaves; credits arrive, and what is held may return.</summary>
    Frozen = 2,

    /// <summary>Empty and ended for good.</summary>
    Closed = 3,
}

/// <summary>A ledger account as loaded or decided.</summary>
/// <param name="Guarded">Whether it may never owe: 0 ≤ held ≤ balance.</param>
/// <param name="Balance">What it owns, held or not.</param>
/// <param name="Held">What waits in open holds.</param>
/// <param name="Version">The number of its entries.</param>
/// <param name="LastEntryAt">The time of its newest entry, which no later one goes behind; null before the first.</param>
public readonly record struct LedgerAccount(
    LedgerAccountId Id, LedgerOwner Owner, AssetCode Asset, bool Guarded, AmountMinor Balance, AmountMinor Held,
    long Version, LedgerAccountState State = LedgerAccountState.Open, DateTimeOffset? LastEntryAt = null)
{
    /// <summary>What a guarded account can spend: what it owns and has not promised.</summary>
    public AmountMinor Available => Balance - Held;

    public static LedgerAccount Open(LedgerOwner owner, AssetCode asset) => owner.Account is { } account
        ? new(LedgerAccountId.Of(account, asset), owner, asset, true, default, default, 0)
        : new(LedgerAccountId.OfSystem(owner.System!, asset), owner, asset, false, default, default, 0);
}

/// <summary>An account before and after a batch.</summary>
public readonly record struct LedgerAccountStep(LedgerAccount Before, LedgerAccount Now)
{
    public bool IsChange => Before.Version != Now.Version || Before.State != Now.State;
}

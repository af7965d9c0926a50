namespace ChatPay.Core.Ledger;

/// <summary>Numbers are stored.</summary>
public enum HoldState
{
    Open = 1,

    /// <summary>Paid out to the last unit.</summary>
    Captured = 2,

    Released = 3,
    Expired = 4,
}

/// <summary>Money set aside. Its account's row lock guards it, like the account's own balance.</summary>
/// <param name="Remaining">What is still set aside: positive exactly while open.</param>
public readonly record struct LedgerHold(
    TransferId Id, LedgerAccountId Account, AmountMinor Remaining, HoldState State, DateTimeOffset ExpiresAt);

using ChatPay.Core.Protocol;

namespace ChatPay.Core.Ledger;

/// <summary>
/// How a command ended. 0 applied it; the others are the catalogue's numbers and are stored with the transfer, final
/// for its id, save <see cref="IdempotencyConflict"/>, which says that the id is already another's.
/// </summary>
/// <remarks>
/// Where several apply, the one decided first wins: conflict; amount not positive, amount too large; self transfer;
/// account unknown (debit, then credit); asset unknown, asset mismatch; account closed (debit, then credit); account
/// frozen (debit); hold unknown, closed, expired or not expired yet, exceeded; refund unknown, exceeded; insufficient
/// funds; overflow of a balance. In a group the first member that is rejected has its own status and all others have
/// linked failed. A change of an account: conflict; account unknown, closed, not empty.
/// </remarks>
public enum LedgerStatus
{
    Applied = 0,
    IdempotencyConflict = ErrorCode.IdempotencyConflict,
    AmountNotPositive = ErrorCode.AmountNotPositive,
    AmountOverflow = ErrorCode.AmountOverflow,
    AssetUnknown = ErrorCode.AssetUnknown,
    AssetMismatch = ErrorCode.AssetMismatch,
    SelfTransfer = ErrorCode.SelfTransfer,
    InsufficientFunds = ErrorCode.InsufficientFunds,
    AccountUnknown = ErrorCode.LedgerAccountUnknown,
    HoldClosed = ErrorCode.HoldClosed,
    HoldExceeded = ErrorCode.HoldExceeded,
    HoldUnknown = ErrorCode.HoldUnknown,
    HoldExpired = ErrorCode.HoldExpired,
    HoldNotExpired = ErrorCode.HoldNotExpired,
    LinkedFailed = ErrorCode.LinkedFailed,
    RefundUnknown = ErrorCode.RefundUnknown,
    RefundExceeded = ErrorCode.RefundExceeded,
    AccountFrozen = ErrorCode.AccountFrozen,
    AccountClosed = ErrorCode.AccountClosed,
    AccountNotEmpty = ErrorCode.AccountNotEmpty,
}

/// <param name="Moved">What an applied command moved: what was asked, less of a balancing one, the rest of a hold.</param>
/// <param name="Replayed">Whether this is the stored outcome of an earlier command of the same id and payload.</param>
public readonly record struct LedgerOutcome(LedgerStatus Status, AmountMinor Moved = default, bool Replayed = false)
{
    public bool IsApplied => Status == LedgerStatus.Applied;

    /// <exception cref="InvalidOperationException">It was applied; check <see cref="IsApplied"/> first.</exception>
    public Error ToError() => new((ErrorCode)Status, Status switch
    {
        LedgerStatus.Applied => throw new InvalidOperationException("An applied command is no error."),
        LedgerStatus.IdempotencyConflict => "This id was already used for something else. Use a new one.",
        LedgerStatus.AmountNotPositive => "The amount must be more than zero.",
        LedgerStatus.AmountOverflow => "The amount is too large.",
        LedgerStatus.AssetUnknown => "This server does not know this asset.",
        LedgerStatus.AssetMismatch => "The account does not hold this asset.",
        LedgerStatus.SelfTransfer => "Payer and payee must be different accounts.",
        LedgerStatus.InsufficientFunds => "There is not enough money available.",
        LedgerStatus.AccountUnknown => "There is no such account in the ledger.",
        LedgerStatus.HoldClosed => "The held money has already been paid out or returned.",
        LedgerStatus.HoldExceeded => "The held money is less than that.",
        LedgerStatus.HoldUnknown => "There is no such hold on this account.",
        LedgerStatus.HoldExpired => "The time to take the held money is over.",
        LedgerStatus.HoldNotExpired => "The held money is still waiting.",
        LedgerStatus.LinkedFailed => "Another part of the same group failed, so none of it was done.",
        LedgerStatus.RefundUnknown => "There is no such payment between these two accounts to refund.",
        LedgerStatus.RefundExceeded => "Less than that is left to refund of this payment.",
        LedgerStatus.AccountFrozen => "The paying account is frozen. Nothing can leave it for now.",
        LedgerStatus.AccountClosed => "The account is closed.",
        LedgerStatus.AccountNotEmpty => "The account still has money. Only an empty one can be closed.",
    });
}

using ChatPay.Core.Protocol;

namespace ChatPay.Core.Ledger;

/// <summary>The idempotency key of a change to an account.</summary>
public readonly record struct AccountChangeId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>Numbers are stored.</summary>
public enum AccountChangeKind
{
    /// <summary>Nothing leaves any more; credits arrive, and what is held may return.</summary>
    Freeze = 1,

    /// <summary>Undoes a freeze.</summary>
    Unfreeze = 2,

    /// <summary>Ends an empty account for good.</summary>
    Close = 3,
}

/// <summary>Freezes, unfreezes or closes an account. It is recorded like a transfer: applied or rejected, and final.</summary>
public sealed record AccountChange
{
    private AccountChange()
    {
    }

    public required AccountChangeId Id { get; init; }

    public required LedgerAccountId Account { get; init; }

    public required AccountChangeKind Kind { get; init; }

    /// <summary>Who did it; null for the operator and for rules of the server.</summary>
    public AccountId? Actor { get; private init; }

    /// <summary>Why, for whoever reads it later: 1 to <see cref="Limits.LedgerReasonMaxChars"/> characters.</summary>
    public required string Reason { get; init; }

    /// <exception cref="ArgumentException">The reason is empty or too long.</exception>
    public static AccountChange Of(
        AccountChangeKind kind, AccountChangeId id, LedgerAccountId account, string reason, AccountId? actor = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        return reason.Length <= Limits.LedgerReasonMaxChars
            ? new() { Id = id, Account = account, Kind = kind, Actor = actor, Reason = reason }
            : throw new ArgumentException(
                $"A reason has at most {Limits.LedgerReasonMaxChars} characters.", nameof(reason));
    }

    public static AccountChange Freeze(
        AccountChangeId id, LedgerAccountId account, string reason, AccountId? actor = null) =>
        Of(AccountChangeKind.Freeze, id, account, reason, actor);

    public static AccountChange Unfreeze(
        AccountChangeId id, LedgerAccountId account, string reason, AccountId? actor = null) =>
        Of(AccountChangeKind.Unfreeze, id, account, reason, actor);

    public static AccountChange Close(
        AccountChangeId id, LedgerAccountId account, string reason, AccountId? actor = null) =>
        Of(AccountChangeKind.Close, id, account, reason, actor);

    /// <summary>Tells a retry from another change under the same id.</summary>
    public PayloadHash HashPayload() => PayloadHash.Of(this);
}

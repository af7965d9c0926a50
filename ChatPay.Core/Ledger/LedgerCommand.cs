using ChatPay.Core.Protocol;

namespace ChatPay.Core.Ledger;

/// <summary>Who and what made a transfer happen, kept with it.</summary>
public readonly record struct TransferCause(AccountId? Actor = null, CardId? Card = null);

/// <summary>
/// One movement of money to decide. Made by the static methods, one per kind, so that a command has exactly the parts
/// its kind needs.
/// </summary>
public sealed record LedgerCommand
{
    private LedgerCommand()
    {
    }

    public required TransferId Id { get; init; }

    public required TransferKind Kind { get; init; }

    /// <summary>The paying account; of a hold and what follows it: the account that holds.</summary>
    public required LedgerAccountId Debit { get; init; }

    /// <summary>The receiving account, of the kinds that have one.</summary>
    public LedgerAccountId? Credit { get; private init; }

    public required AssetCode Asset { get; init; }

    /// <summary>What was asked; zero for the kinds that move what remains.</summary>
    public AmountMinor Amount { get; private init; }

    /// <summary>The hold that a capture, release or expire acts on.</summary>
    public TransferId? HoldId { get; private init; }

    /// <summary>The movement that a refund gives back.</summary>
    public TransferId? RefundOf { get; private init; }

    /// <summary>How long a new hold waits, from the deciding clock on, so that a retry is the same command.</summary>
    public int LifetimeSeconds { get; private init; }

    /// <summary>Its place in a linked group; null where it stands alone.</summary>
    public GroupPart? Group { get; private init; }

    public required TransferCause Cause { get; init; }

    public static LedgerCommand Transfer(
        TransferId id, LedgerAccountId debit, LedgerAccountId credit, Money money, TransferCause cause = default) =>
        Pay(TransferKind.Transfer, id, debit, credit, money, cause);

    /// <param name="money">At most this much moves: what a guarded debit account can spend where that is less.</param>
    public static LedgerCommand Balancing(
        TransferId id, LedgerAccountId debit, LedgerAccountId credit, Money money, TransferCause cause = default) =>
        Pay(TransferKind.Balancing, id, debit, credit, money, cause);

    public static LedgerCommand Hold(
        TransferId id, LedgerAccountId debit, Money money, int lifetimeSeconds, TransferCause cause = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lifetimeSeconds);
        return new()
        {
            Id = id,
            Kind = TransferKind.Hold,
            Debit = debit,
            Asset = money.Asset,
            Amount = money.Amount,
            LifetimeSeconds = lifetimeSeconds,
            Cause = cause,
        };
    }

    public static LedgerCommand Capture(
        TransferId id, TransferId hold, LedgerAccountId debit, LedgerAccountId credit, Money money,
        TransferCause cause = default) =>
        Pay(TransferKind.Capture, id, debit, credit, money, cause) with { HoldId = hold };

    public static LedgerCommand CaptureAll(
        TransferId id, TransferId hold, LedgerAccountId debit, LedgerAccountId credit, AssetCode asset,
        TransferCause cause = default) =>
        Pay(TransferKind.CaptureAll, id, debit, credit, new Money(default, asset), cause) with { HoldId = hold };

    public static LedgerCommand Release(
        TransferId id, TransferId hold, LedgerAccountId debit, AssetCode asset, TransferCause cause = default) => new()
        {
            Id = id,
            Kind = TransferKind.Release,
            Debit = debit,
            Asset = asset,
            HoldId = hold,
            Cause = cause,
        };

    public static LedgerCommand Expire(
        TransferId id, TransferId hold, LedgerAccountId debit, AssetCode asset, TransferCause cause = default) => new()
        {
            Id = id,
            Kind = TransferKind.Expire,
            Debit = debit,
            Asset = asset,
            HoldId = hold,
            Cause = cause,
        };

    /// <summary>Who refunds whom is the other way round than in the original.</summary>
    /// <param name="debit">The account that the original paid.</param>
    /// <param name="credit">The account that paid the original.</param>
    public static LedgerCommand Refund(
        TransferId id, TransferId original, LedgerAccountId debit, LedgerAccountId credit, Money money,
        TransferCause cause = default) =>
        Pay(TransferKind.Refund, id, debit, credit, money, cause) with { RefundOf = original };

    /// <summary>The same command as part of a group; <see cref="LedgerGroup"/> does this to its members.</summary>
    public LedgerCommand InGroup(GroupPart part) => this with { Group = part };

    /// <summary>Tells a retry from another command under the same id.</summary>
    public PayloadHash HashPayload() => PayloadHash.Of(this);

    private static LedgerCommand Pay(
        TransferKind kind, TransferId id, LedgerAccountId debit, LedgerAccountId credit, Money money,
        TransferCause cause) => new()
        {
            Id = id,
            Kind = kind,
            Debit = debit,
            Credit = credit,
            Asset = money.Asset,
            Amount = money.Amount,
            Cause = cause,
        };
}

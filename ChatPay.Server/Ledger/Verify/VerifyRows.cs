using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>A ledger account's row.</summary>
/// <param name="SystemName">The system's own accounts have one instead of an owner.</param>
internal readonly record struct AccountRow(
    UInt128 Id, UInt128? Owner, string? SystemName, AssetKey Asset, bool Guarded, long BalanceMinor, long HeldMinor,
    long Version, LedgerAccountState State, long? LastEntryAt)
{
    public const string Columns =
        "id, owner_id, system_name, asset, guarded, balance_minor, held_minor, version, state, last_entry_at";

    /// <summary>What opening an account of this owner and asset makes; null where there are none.</summary>
    public LedgerAccount? AsOpened() => (Asset.ToCode(), Owner, SystemName) switch
    {
        ({ } asset, { } owner, null) => LedgerAccount.Open(LedgerOwner.Of(new AccountId(owner.ToGuid())), asset),
        ({ } asset, null, { } name) => LedgerAccount.Open(LedgerOwner.OfSystem(name), asset),
        _ => null,
    };

    public static AccountRow Parse(scoped ref CopyRow row) => new(
        row.Id(), row.OptionalId(), row.OptionalText(), row.Asset(), row.Boolean(), row.Int64(), row.Int64(), row.Int64(),
        (LedgerAccountState)row.Int16(), row.OptionalInt64());
}

internal readonly record struct EntryRow(
    UInt128 Account, long Version, UInt128 Transfer, long PostedMinor, long HeldMinor, long BalanceAfterMinor,
    long HeldAfterMinor, long At)
{
    public const string Columns =
        "account_id, version, transfer_id, posted_minor, held_minor, balance_after_minor, held_after_minor, created_at";

    public static EntryRow Parse(scoped ref CopyRow row) => new(
        row.Id(), row.Int64(), row.Id(), row.Int64(), row.Int64(), row.Int64(), row.Int64(), row.Int64());
}

/// <summary>One side of an applied transfer: where its entry is, and what it moves.</summary>
internal readonly record struct SideRow(
    UInt128 Account, long Version, UInt128 Transfer, TransferKind Kind, long AmountMinor, AssetKey Asset, long At)
{
    /// <summary>After the two columns that say where the entry is.</summary>
    public const string Columns = "id, kind, amount_minor, asset, created_at";

    public static SideRow Parse(scoped ref CopyRow row) => new(
        row.Id(), row.Int64(), row.Id(), (TransferKind)row.Int16(), row.Int64(), row.Asset(), row.Int64());

    /// <summary>What the entry of this side must say.</summary>
    public (long PostedMinor, long HeldMinor) Deltas(bool isDebit) => unchecked((isDebit, Kind) switch
    {
        (false, _) => (AmountMinor, 0),
        (_, TransferKind.Hold) => (0, AmountMinor),
        (_, TransferKind.Capture or TransferKind.CaptureAll) => (-AmountMinor, -AmountMinor),
        (_, TransferKind.Release or TransferKind.Expire) => (0L, -AmountMinor),
        _ => (-AmountMinor, 0),
    });
}

/// <summary>What the open holds of one account have left; in 128 bits, so that nothing that was written overflows.</summary>
internal readonly record struct HeldRow(UInt128 Account, Int128 RemainingMinor)
{
    public static HeldRow Parse(scoped ref CopyRow row) => new(row.Id(), Int128.Parse(row.Bytes(), null));
}

internal readonly record struct ChangeRow(
    UInt128 Id, UInt128 Account, AccountChangeKind Kind, LedgerStatus Status, UInt128? Actor, string Reason,
    PayloadHash? Payload, long At)
{
    public const string Columns = "id, account_id, kind, status, actor_id, reason, payload_hash, created_at";

    public static ChangeRow Parse(scoped ref CopyRow row) => new(
        row.Id(), row.Id(), (AccountChangeKind)row.Int16(), (LedgerStatus)row.Int32(), row.OptionalId(), row.Text(),
        row.Hash(), row.Int64());
}

/// <summary>A transfer's row, whole.</summary>
internal readonly record struct StoredTransfer(
    UInt128 Id, TransferKind Kind, UInt128 Debit, UInt128? Credit, long AmountMinor, AssetKey Asset, UInt128? Hold,
    UInt128? Card, UInt128? Actor, LedgerStatus Status, PayloadHash? Payload, long At, long? DebitVersion,
    long? CreditVersion, long? AskedMinor, UInt128? RefundOf, UInt128? Group, short? GroupIndex, short? GroupSize)
{
    public const string Columns =
        "t.id, t.kind, t.debit_id, t.credit_id, t.amount_minor, t.asset, t.hold_id, t.card_id, t.actor_id, t.status, "
        + "t.payload_hash, t.created_at, t.debit_version, t.credit_version, t.asked_minor, t.refund_of, t.group_id, "
        + "t.group_index, t.group_size";

    public static StoredTransfer Parse(scoped ref CopyRow row) => new(
        row.Id(), (TransferKind)row.Int16(), row.Id(), row.OptionalId(), row.Int64(), row.Asset(), row.OptionalId(),
        row.OptionalId(), row.OptionalId(), (LedgerStatus)row.Int32(), row.Hash(), row.Int64(),
        row.OptionalInt64(), row.OptionalInt64(), row.OptionalInt64(), row.OptionalId(), row.OptionalId(),
        row.OptionalInt16(), row.OptionalInt16());
}

/// <summary>A hold's own row.</summary>
internal readonly record struct HoldRow(
    UInt128 Id, UInt128 Account, long RemainingMinor, HoldState State, long ExpiresAt)
{
    public const string Columns = "transfer_id, account_id, remaining_minor, state, expires_at";

    public static HoldRow Parse(scoped ref CopyRow row) =>
        new(row.Id(), row.Id(), row.Int64(), (HoldState)row.Int16(), row.Int64());
}

/// <summary>An applied capture, release or expiry, by its hold.</summary>
internal readonly record struct HoldUseRow(
    UInt128 Hold, UInt128 Transfer, TransferKind Kind, UInt128 Debit, long AmountMinor, AssetKey Asset, long At)
{
    public const string Columns = "hold_id, id, kind, debit_id, amount_minor, asset, created_at";

    public static HoldUseRow Parse(scoped ref CopyRow row) => new(
        row.Id(), row.Id(), (TransferKind)row.Int16(), row.Id(), row.Int64(), row.Asset(), row.Int64());
}

/// <summary>An applied refund, by what it refunds.</summary>
internal readonly record struct RefundRow(
    UInt128 Original, UInt128 Transfer, UInt128 Debit, UInt128? Credit, long AmountMinor, AssetKey Asset, long At)
{
    public const string Columns = "refund_of, id, debit_id, credit_id, amount_minor, asset, created_at";

    public static RefundRow Parse(scoped ref CopyRow row) => new(
        row.Id(), row.Id(), row.Id(), row.OptionalId(), row.Int64(), row.Asset(), row.Int64());
}

/// <summary>What the server keeps of a refunded movement.</summary>
internal readonly record struct RefundedRow(UInt128 Original, UInt128 Account, long CapturedMinor, long RefundedMinor)
{
    public const string Columns = "transfer_id, account_id, captured_minor, refunded_minor";

    public static RefundedRow Parse(scoped ref CopyRow row) => new(row.Id(), row.Id(), row.Int64(), row.Int64());
}

internal readonly record struct MemberRow(UInt128 Group, short Index, short Size, LedgerStatus Status, UInt128 Transfer)
{
    public const string Columns =
        "group_id, coalesce(group_index, -1::smallint), coalesce(group_size, -1::smallint), status, id";

    public static MemberRow Parse(scoped ref CopyRow row) =>
        new(row.Id(), row.Int16(), row.Int16(), (LedgerStatus)row.Int32(), row.Id());
}

/// <summary>A card's row, and its hold's where it has one.</summary>
internal readonly record struct CardRow(
    UInt128 Id, CardKind Kind, CardState State, UInt128? Payer, UInt128? Payee, long AmountMinor, AssetKey Asset,
    UInt128? Hold, UInt128? HoldAccount, long? HoldRemainingMinor, HoldState? HoldState, int Answered, long PaidMinor,
    long RefundedMinor, UInt128? Settlement, int Parts, int PaidParts, long PaidPartsMinor, long PartsMinor)
{
    public const string Columns =
        "c.id, c.kind, c.state, c.payer_id, c.payee_id, c.amount_minor, c.asset, c.hold_id, h.account_id, "
        + "h.remaining_minor, h.state, c.answered, c.paid_minor, c.refunded_minor, c.settlement_id, "
        + "coalesce(p.parts, 0)::integer, coalesce(p.paid, 0)::integer, coalesce(p.paid_minor, 0)::bigint, "
        + "coalesce(p.parts_minor, 0)::bigint";

    public static CardRow Parse(scoped ref CopyRow row) => new(
        row.Id(), (CardKind)row.Int16(), (CardState)row.Int16(), row.OptionalId(), row.OptionalId(), row.Int64(), row.Asset(),
        row.OptionalId(), row.OptionalId(), row.OptionalInt64(), (HoldState?)row.OptionalInt16(), row.Int32(), row.Int64(),
        row.Int64(), row.OptionalId(), row.Int32(), row.Int32(), row.Int64(), row.Int64());
}

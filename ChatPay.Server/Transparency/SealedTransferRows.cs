using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>The columns of a transfer that its seal is over.</summary>
internal static class SealedTransferRows
{
    /// <summary>Of <c>transfer t</c>.</summary>
    public const string Columns =
        "t.id, t.kind, t.debit_id, t.credit_id, t.amount_minor, t.asset, t.hold_id, t.card_id, t.actor_id, t.refund_of, "
        + "t.created_at, t.payload_hash";

    /// <param name="at">Where the columns begin.</param>
    public static SealedTransfer Read(NpgsqlDataReader row, int at) => new(
        new(row.GetGuid(at)), (TransferKind)row.GetInt16(at + 1), new(row.GetGuid(at + 2)),
        Id(row, at + 3) is { } credit ? new LedgerAccountId(credit) : null,
        Money.Of(row.GetInt64(at + 4), AssetCode.Parse(row.GetString(at + 5))),
        Id(row, at + 6) is { } hold ? new TransferId(hold) : null,
        Id(row, at + 7) is { } card ? new CardId(card) : null,
        Id(row, at + 8) is { } actor ? new AccountId(actor) : null,
        Id(row, at + 9) is { } original ? new TransferId(original) : null,
        row.GetFieldValue<DateTimeOffset>(at + 10), PayloadHash.From(row.GetFieldValue<byte[]>(at + 11)));

    private static Guid? Id(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetGuid(column);
}

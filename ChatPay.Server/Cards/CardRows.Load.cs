using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using Npgsql;

namespace ChatPay.Server.Cards;

internal sealed partial class CardRows
{
    public override void AddLoads(NpgsqlBatch batch)
    {
        if (_needed.Count > 0)
        {
            batch.Add(
                $"select {CardRow.Columns} from card where id = any($1) order by id for update",
                _needed.Select(id => id.Value).ToArray());
        }

        if (_neededCounts.Count > 0)
        {
            batch.Add("""
                select author_id, count(*)::integer from card
                where author_id = any($1) and closed_at is null group by author_id
                """,
                _neededCounts.Select(id => id.Value).ToArray());
        }
    }

    public override async Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken)
    {
        if (_needed.Count > 0)
        {
            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                var card = CardRow.Read(rows);
                _found.Add(card.Terms.Card, card);
            }
        }

        if (_neededCounts.Count > 0)
        {
            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                _openCounts.Add(new(rows.GetGuid(0)), rows.GetInt32(1));
            }
        }
    }
}

/// <summary>How a card is stored.</summary>
internal static class CardRow
{
    public const string Columns =
        "id, kind, conversation_id, payer_id, payee_id, amount_minor, asset, lifetime_seconds, detail_commit, state, "
        + "version, hold_id, created_at, expires_at, closed_at";

    /// <summary>Reads <see cref="Columns"/> in that order.</summary>
    public static Card Read(NpgsqlDataReader row) => new(
        new CardTerms(
            (CardKind)row.GetInt16(1), new(row.GetGuid(0)), new(row.GetGuid(2)), new(row.GetGuid(3)),
            new(row.GetGuid(4)), Money.Of(row.GetInt64(5), AssetCode.Parse(row.GetString(6))), row.GetInt32(7)),
        row.GetFieldValue<byte[]>(8), (CardState)row.GetInt16(9), row.GetInt32(10),
        row.IsDBNull(11) ? null : new TransferId(row.GetGuid(11)), row.GetFieldValue<DateTimeOffset>(12),
        row.GetFieldValue<DateTimeOffset>(13), row.IsDBNull(14) ? null : row.GetFieldValue<DateTimeOffset>(14));
}

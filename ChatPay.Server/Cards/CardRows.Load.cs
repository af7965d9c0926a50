using System.Buffers.Binary;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using Npgsql;

namespace ChatPay.Server.Cards;

internal sealed partial class CardRows
{
    /// <summary>Sets the locks of authors apart from others that this database may know: "card" in ASCII.</summary>
    private const int AuthorLocks = 0x63617264;

    /// <summary>The same on every node; two authors that share one only wait for each other.</summary>
    private static int LockOf(AccountId author) =>
        BinaryPrimitives.ReadInt32BigEndian(author.Value.ToByteArray(bigEndian: true).AsSpan(12));

    public override void AddLoads(NpgsqlBatch batch)
    {
        if (_neededCounts.Count > 0)
        {
            // Whoever posts for an author waits for the others who do, on whichever node, so that the bound is one.
            batch.Add(
                "select pg_advisory_xact_lock($1, k) from (select unnest($2::integer[]) as k order by k) l",
                AuthorLocks, _neededCounts.Select(LockOf).Distinct().Order().ToArray());
        }

        if (_needed.Count > 0)
        {
            batch.Add(
                $"select {CardRow.Columns} from card where id = any($1) order by id for update",
                _needed.Select(id => id.Value).ToArray());
        }

        if (_neededParts.Count > 0)
        {
            // A card's own lock guards its parts, so this reads what whoever held it before has written.
            batch.Add(
                $"""
                select card_id, {CardPartRow.Columns} from card_part
                join unnest($1::uuid[], $2::uuid[]) as k (card_id, account_id) using (card_id, account_id)
                """,
                _neededParts.Select(key => key.Card.Value).ToArray(),
                _neededParts.Select(key => key.Account.Value).ToArray());
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
        if (_neededCounts.Count > 0)
        {
            // The locks.
            await reader.NextAsync(cancellationToken);
        }

        if (_needed.Count > 0)
        {
            foreach (var card in _needed)
            {
                _found.Remove(card);
                _before.Remove(card);
            }

            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                var card = CardRow.Read(rows);
                _found.Add(card.Terms.Card, card);
                _before.Add(card.Terms.Card, card);
            }
        }

        if (_neededParts.Count > 0)
        {
            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                var part = CardPartRow.Read(rows, first: 1);
                _parts.Add(new(new(rows.GetGuid(0)), part.Account), part);
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

using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database;
using ChatPay.Server.Realtime;
using Npgsql;

namespace ChatPay.Server.Cluster;

/// <summary>
/// Finds in the database what no hint has told. Changes are found by the transaction that made them: whatever an earlier
/// look could not see yet was written by a transaction that is not older than the oldest one running then
/// (<c>pg_snapshot_xmin</c>), so looking from there on misses nothing, however late anybody commits.
/// </summary>
internal sealed class WatchStore(NpgsqlDataSource dataSource)
{
    /// <summary>Events of one conversation, and bytes of bodies, in one answer at most.</summary>
    private const int EventsPerConversation = 200;
    private const int PageBytes = 1024 * 1024;

    /// <summary>Those of the conversations whose head is beyond the seq of the cursor, with their heads.</summary>
    public async Task<IReadOnlyList<Cursor>> AheadAsync(
        IReadOnlyCollection<Cursor> delivered, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select c.id, c.head from unnest($1::uuid[], $2::bigint[]) as k (id, delivered)
            join conversation c on c.id = k.id where c.head > k.delivered
            """,
            delivered.Select(cursor => cursor.Conversation.Value).ToArray(),
            delivered.Select(cursor => cursor.Seq).ToArray());
        return await ListAsync(
            command, row => new Cursor(new(row.GetGuid(0)), row.GetInt64(1)), cancellationToken);
    }

    /// <summary>
    /// The next events of each conversation, in order. The answer is bounded in bytes, but of the first conversation there
    /// is always an event, unless it has none.
    /// </summary>
    public async Task<IReadOnlyList<Event>> NextAsync(
        IReadOnlyCollection<Cursor> after, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"""
            select {EventRow.Columns} from (
                select e.*,
                    sum(coalesce(octet_length(e.body), 0) + coalesce(octet_length(e.data), 0))
                        over (order by k.place, e.seq) as bytes,
                    row_number() over (order by k.place, e.seq) as place
                from unnest($1::uuid[], $2::bigint[]) with ordinality as k (id, seq, place)
                cross join lateral (
                    select * from event e where e.conversation_id = k.id and e.seq > k.seq order by e.seq limit $3
                ) e
            ) page
            where bytes <= $4 or place = 1
            order by place
            """,
            after.Select(cursor => cursor.Conversation.Value).ToArray(),
            after.Select(cursor => cursor.Seq).ToArray(),
            EventsPerConversation,
            (long)PageBytes);
        return await ListAsync(command, EventRow.Read, cancellationToken);
    }

    /// <summary>Memberships that have changed.</summary>
    /// <param name="since">What an earlier look returned; null for all memberships of the accounts.</param>
    /// <returns>And where the next look begins.</returns>
    public async Task<(IReadOnlyList<Membership> Changed, ulong Next)> MembershipsAsync(
        ulong? since, IReadOnlyCollection<AccountId> accounts, CancellationToken cancellationToken)
    {
        const string Columns = "m.conversation_id, m.account_id, m.joined_seq, m.left_seq, c.head";
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("select pg_snapshot_xmin(pg_current_snapshot())");
        if (since is { } from)
        {
            batch.Add(
                $"""
                select {Columns} from member m join conversation c on c.id = m.conversation_id
                where m.changed_xid >= $1
                """,
                Xid(from));
        }
        else
        {
            batch.Add(
                $"""
                select {Columns} from member m join conversation c on c.id = m.conversation_id
                where m.account_id = any($1) and m.left_seq is null
                """,
                accounts.Select(account => account.Value).ToArray());
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var next = reader.GetFieldValue<ulong>(0);
        await reader.NextResultAsync(cancellationToken);
        var changed = new List<Membership>();
        while (await reader.ReadAsync(cancellationToken))
        {
            changed.Add(new(
                new(reader.GetGuid(0)), new(reader.GetGuid(1)), reader.GetInt64(2),
                reader.IsDBNull(3) ? null : reader.GetInt64(3), reader.GetInt64(4)));
        }

        return (changed, next);
    }

    private static NpgsqlParameter Xid(ulong value) =>
        new() { Value = value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Xid8 };

    private static async Task<IReadOnlyList<T>> ListAsync<T>(
        NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var list = new List<T>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            list.Add(read(reader));
        }

        return list;
    }
}

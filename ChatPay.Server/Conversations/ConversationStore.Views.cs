using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Conversations;

/// <summary>A conversation as stored, before names are put to its members.</summary>
/// <param name="FirstSeq">Its log begins here.</param>
/// <param name="RetentionDays">Its own setting; null for the server's default.</param>
/// <param name="LeftSeq">Set for a former member: all it may know is where its log ended.</param>
internal sealed record ConversationSnapshot(
    ConversationId Id, ConversationKind Kind, long Head, long Epoch, long JoinedSeq, long? LeftSeq,
    DateTimeOffset CreatedAt, long FirstSeq, int? RetentionDays)
{
    public List<(AccountId Account, MemberRole Role, long JoinedSeq)> Members { get; } = [];

    public List<PendingRemoval> PendingRemovals { get; } = [];

    public List<Receipt> Receipts { get; } = [];

    public List<Event> Events { get; } = [];
}

internal sealed partial class ConversationStore
{
    /// <summary>
    /// Conversations as the account may see them, and of each the next events after the cursor; all in one snapshot. Foreign
    /// and unknown ones are absent.
    /// </summary>
    /// <param name="cursors">Seq −1 asks for no events.</param>
    public async Task<IReadOnlyDictionary<ConversationId, ConversationSnapshot>> SnapshotsAsync(
        AccountId account, IReadOnlyList<Cursor> cursors, CancellationToken cancellationToken)
    {
        var ids = cursors.Select(cursor => cursor.Conversation.Value).Distinct().ToArray();
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("begin isolation level repeatable read read only");

        // Each looks up the account in the conversations asked for, one by one, which "limit 1" makes sure of: to a plan
        // that is made once for all, going through the account's memberships looks cheap, but some have ten thousand.
        batch.Add("""
            select c.id, c.kind, coalesce(m.left_seq, c.head),
                case when m.left_seq is null then c.epoch else coalesce(
                    (select e.epoch from event e where e.conversation_id = c.id and e.seq = m.left_seq), 0) end,
                m.joined_seq, m.left_seq, c.created_at, c.first_seq, c.retention_days
            from conversation c join member m on m.conversation_id = c.id and m.account_id = $1
            where c.id = any($2)
            """, account.Value, ids);
        batch.Add("""
            select m.conversation_id, m.account_id, m.role, m.joined_seq
            from unnest($2::uuid[]) as k (id)
            cross join lateral (
                select from member me
                where me.conversation_id = k.id and me.account_id = $1 and me.left_seq is null limit 1
            ) me
            join member m on m.conversation_id = k.id and m.left_seq is null
            order by m.joined_seq, m.account_id
            """, account.Value, ids);
        batch.Add("""
            select l.conversation_id, l.leaf_index, l.device_id, l.account_id
            from unnest($2::uuid[]) as k (id)
            cross join lateral (
                select from member me
                where me.conversation_id = k.id and me.account_id = $1 and me.left_seq is null limit 1
            ) me
            join leaf l on l.conversation_id = k.id and l.pending
            order by l.leaf_index
            """, account.Value, ids);
        batch.Add("""
            select r.conversation_id, r.account_id, r.device_id, r.delivered, r.read
            from unnest($2::uuid[]) as k (id)
            cross join lateral (
                select from member me
                where me.conversation_id = k.id and me.account_id = $1 and me.left_seq is null limit 1
            ) me
            join receipt r on r.conversation_id = k.id
            join member m on m.conversation_id = k.id and m.account_id = r.account_id and m.left_seq is null
            join leaf l on l.conversation_id = k.id and l.device_id = r.device_id and not l.pending
            """, account.Value, ids);
        AddEvents(batch, account, [.. cursors.Where(cursor => cursor.Seq >= 0)]);
        batch.Add("commit");
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await ReadAsync(reader, account, cancellationToken);
    }

    /// <summary>A page per cursor, within the member's span and the bytes of one answer.</summary>
    private static void AddEvents(NpgsqlBatch batch, AccountId account, Cursor[] cursors) => batch.Add("""
        select conversation_id, seq, kind, account_id, device_id, client_id, epoch, created_at, body, data
        from (
            select e.*,
                sum(coalesce(octet_length(e.body), 0) + coalesce(octet_length(e.data), 0))
                    over (order by k.place, e.seq) as bytes,
                row_number() over (order by k.place, e.seq) as place
            from unnest($2::uuid[], $3::bigint[]) with ordinality as k (id, seq, place)
            join member m on m.conversation_id = k.id and m.account_id = $1
            join conversation c on c.id = k.id
            cross join lateral (
                select * from event e
                where e.conversation_id = k.id and e.seq >= greatest(k.seq + 1, m.joined_seq, c.first_seq)
                    and e.seq <= coalesce(m.left_seq, c.head)
                order by e.seq limit $4
            ) e
        ) page
        where bytes <= $5 or place = 1
        order by place
        """,
        account.Value,
        cursors.Select(cursor => cursor.Conversation.Value).ToArray(),
        cursors.Select(cursor => cursor.Seq).ToArray(),
        Limits.EventsPerSyncPage,
        (long)Limits.PageBytes);

    private static async Task<IReadOnlyDictionary<ConversationId, ConversationSnapshot>> ReadAsync(
        NpgsqlDataReader reader, AccountId account, CancellationToken cancellationToken)
    {
        var found = new Dictionary<ConversationId, ConversationSnapshot>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = new ConversationId(reader.GetGuid(0));
            found.Add(id, new(
                id, (ConversationKind)reader.GetInt16(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4),
                reader.IsDBNull(5) ? null : reader.GetInt64(5), reader.GetFieldValue<DateTimeOffset>(6), reader.GetInt64(7),
                reader.GetInt16(8) is var days and > 0 ? days : null));
        }

        await EachAsync(row => found[new(row.GetGuid(0))].Members.Add(
            (new(row.GetGuid(1)), (MemberRole)row.GetInt16(2), row.GetInt64(3))));
        await EachAsync(row => found[new(row.GetGuid(0))].PendingRemovals.Add(
            new(row.GetInt32(1), new(row.GetGuid(2)), new(row.GetGuid(3)))));
        await EachAsync(row => found[new(row.GetGuid(0))].Receipts.Add(new(
            new(row.GetGuid(0)), new(row.GetGuid(1)), new(row.GetGuid(2)), row.GetInt64(3), row.GetInt64(4))));
        await EachAsync(row => found[new(row.GetGuid(0))].Events.Add(EventRow.Read(row, account)));
        return found;

        async Task EachAsync(Action<NpgsqlDataReader> read)
        {
            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                read(reader);
            }
        }
    }
}

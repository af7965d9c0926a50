using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Conversations;

/// <summary>Reads conversations outside the write path, each call in one round trip and one snapshot.</summary>
internal sealed partial class ConversationStore(NpgsqlDataSource dataSource)
{
    private static readonly string ForwardPage = PageInOrder("asc");
    private static readonly string BackwardPage = PageInOrder("desc");

    /// <summary>A page of the ids of the conversations that the account is in, ascending.</summary>
    /// <param name="after">The last id of the page before; an empty one before the first.</param>
    public async Task<IReadOnlyList<ConversationId>> OfAccountAsync(
        AccountId account, ConversationId after, int limit, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select conversation_id from member
            where account_id = $1 and left_seq is null and conversation_id > $2 order by conversation_id limit $3
            """,
            account.Value, after.Value, limit);
        return await ListAsync(command, row => new ConversationId(row.GetGuid(0)), cancellationToken);
    }

    /// <summary>The account's place in a conversation, now or once; null for a foreign or unknown one.</summary>
    public async Task<Member?> FindMemberAsync(
        ConversationId conversation, AccountId account, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select account_id, role, joined_seq, left_seq from member where conversation_id = $1 and account_id = $2
            """,
            conversation.Value, account.Value);
        var found = await ListAsync(command, row => new Member(
            new(row.GetGuid(0)), (MemberRole)row.GetInt16(1), row.GetInt64(2), row.IsDBNull(3) ? null : row.GetInt64(3)),
            cancellationToken);
        return found is [var one, ..] ? one : null;
    }

    /// <summary>A page of the log as the member may see it, ascending, within the rows and bytes of one answer.</summary>
    /// <param name="before">Take the last events below this seq instead of the first after <paramref name="after"/>.</param>
    public async Task<IReadOnlyList<Event>> EventsAsync(
        ConversationId conversation, Member member, long after, long? before, int limit, CancellationToken cancellationToken)
    {
        var first = Math.Max(after + 1, member.JoinedSeq);
        var last = Math.Min(member.LeftSeq ?? long.MaxValue, before is { } below ? below - 1 : long.MaxValue);
        await using var command = dataSource.CreateCommand(
            before is null ? ForwardPage : BackwardPage,
            conversation.Value, first, last, limit, (long)Limits.PageBytes);
        var events = await ListAsync(command, row => EventRow.Read(row, member.Account), cancellationToken);
        return before is null ? events : [.. events.Reverse()];
    }

    /// <summary>The commit that ended an epoch; null while it lasts, and where the account may not see it.</summary>
    public async Task<Event?> WinningCommitAsync(
        ConversationId conversation, AccountId account, long epoch, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"""
            select {EventRow.Columns} from event
            where conversation_id = $1 and epoch = $2 and kind = 2 and exists (
                select from member m
                where m.conversation_id = $1 and m.account_id = $3
                    and event.seq >= m.joined_seq and (m.left_seq is null or event.seq <= m.left_seq)
            )
            """,
            conversation.Value, epoch, account.Value);
        return await ListAsync(command, EventRow.Read, cancellationToken) is [var one, ..] ? one : null;
    }

    public async Task<GroupInfoReply?> GroupInfoAsync(ConversationId conversation, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select epoch, seq, body from group_info where conversation_id = $1 order by epoch desc limit 1",
            conversation.Value);
        var found = await ListAsync(
            command, row => new GroupInfoReply(row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2)),
            cancellationToken);
        return found is [var one, ..] ? one : null;
    }

    /// <summary>Conversations that still have a leaf of the device which nobody knows to be pending.</summary>
    public async Task<IReadOnlyList<ConversationId>> WithLeafAsync(DeviceId device, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select conversation_id from leaf where device_id = $1 and not pending", device.Value);
        return await ListAsync(command, row => new ConversationId(row.GetGuid(0)), cancellationToken);
    }

    private static string PageInOrder(string order) =>
        $"""
        select {EventRow.Columns}
        from (
            select e.*,
                sum(coalesce(octet_length(e.body), 0) + coalesce(octet_length(e.data), 0))
                    over (order by e.seq {order}) as bytes,
                row_number() over (order by e.seq {order}) as place
            from (
                select * from event
                where conversation_id = $1 and seq <= $3
                    and seq >= greatest($2, (select first_seq from conversation where id = $1))
                order by seq {order} limit $4
            ) e
        ) page
        where bytes <= $5 or place = 1
        order by place
        """;

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

using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;
using Npgsql;
using NpgsqlTypes;

namespace ChatPay.LoadTest.Database;

/// <summary>Writes devices, sessions and conversations in bulk.</summary>
internal static class ChatStore
{
    private const int FirstSeq = 1;

    public static async Task AddSessionsAsync(
        NpgsqlDataSource dataSource, IReadOnlyList<ChatPerson> people, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using (var devices = await connection.BeginBinaryImportAsync(
            "copy device (id, account_id, name, signature_key) from stdin (format binary)", cancellationToken))
        {
            foreach (var person in people)
            {
                await devices.StartRowAsync(cancellationToken);
                await devices.WriteAsync(person.Device.Value, NpgsqlDbType.Uuid, cancellationToken);
                await devices.WriteAsync(person.Account.Value, NpgsqlDbType.Uuid, cancellationToken);
                await devices.WriteAsync("Load test", NpgsqlDbType.Text, cancellationToken);
                await devices.WriteAsync(person.SignatureKey, NpgsqlDbType.Bytea, cancellationToken);
            }

            await devices.CompleteAsync(cancellationToken);
        }

        var expiresAt = TimeProvider.System.GetUtcNow().AddDays(30);
        await using var sessions = await connection.BeginBinaryImportAsync(
            "copy session (token_hash, device_id, expires_at) from stdin (format binary)", cancellationToken);
        foreach (var person in people)
        {
            await sessions.StartRowAsync(cancellationToken);
            await sessions.WriteAsync(person.TokenHash, NpgsqlDbType.Bytea, cancellationToken);
            await sessions.WriteAsync(person.Device.Value, NpgsqlDbType.Uuid, cancellationToken);
            await sessions.WriteAsync(expiresAt, NpgsqlDbType.TimestampTz, cancellationToken);
        }

        await sessions.CompleteAsync(cancellationToken);
    }

    /// <summary>Conversations of two are direct, larger ones are groups that the first member made.</summary>
    public static async Task AddRoomsAsync(
        NpgsqlDataSource dataSource, IReadOnlyList<ChatRoom> rooms, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        foreach (var copy in
            (Func<NpgsqlConnection, IReadOnlyList<ChatRoom>, CancellationToken, Task>[])
            [CopyConversationsAsync, CopyMembersAsync, CopyLeavesAsync, CopyCommitsAsync])
        {
            await copy(connection, rooms, cancellationToken);
        }

        await using var analyze = new NpgsqlCommand(
            "analyze account, device, session, conversation, member, leaf, event", connection);
        await analyze.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Makes a log so long, its two members taking turns; nobody may be connected to the conversation.</summary>
    public static async Task AddMessagesAsync(
        NpgsqlDataSource dataSource, ChatRoom room, int messages, int payloadBytes, CancellationToken cancellationToken)
    {
        var random = new Driving.SplitMix64(unchecked((ulong)room.Id.Value.GetHashCode()));
        var begin = TimeProvider.System.GetUtcNow().AddMilliseconds(-messages);
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using (var import = await connection.BeginBinaryImportAsync(
            """
            copy event (conversation_id, seq, kind, account_id, device_id, client_id, epoch, body, created_at)
            from stdin (format binary)
            """,
            cancellationToken))
        {
            for (var number = 1; number <= messages; number++)
            {
                var sender = room.Members[number % room.Members.Count];
                var at = begin.AddMilliseconds(number);
                var id = new ClientMessageId(random.NextOrderedUuid(at));
                await import.StartRowAsync(cancellationToken);
                await import.WriteAsync(room.Id.Value, NpgsqlDbType.Uuid, cancellationToken);
                await import.WriteAsync((long)FirstSeq + number, NpgsqlDbType.Bigint, cancellationToken);
                await import.WriteAsync((short)EventKind.Message, NpgsqlDbType.Smallint, cancellationToken);
                await import.WriteAsync(sender.Account.Value, NpgsqlDbType.Uuid, cancellationToken);
                await import.WriteAsync(sender.Device.Value, NpgsqlDbType.Uuid, cancellationToken);
                await import.WriteAsync(id.Value, NpgsqlDbType.Uuid, cancellationToken);
                await import.WriteAsync((long)ChatPeople.Epoch, NpgsqlDbType.Bigint, cancellationToken);
                await import.WriteAsync(
                    ChatMessages.Create(room.Id, id, payloadBytes), NpgsqlDbType.Bytea, cancellationToken);
                await import.WriteAsync(at, NpgsqlDbType.TimestampTz, cancellationToken);
            }

            await import.CompleteAsync(cancellationToken);
        }

        await using var head = new NpgsqlCommand("update conversation set head = $2 where id = $1", connection);
        head.Parameters.Add(new() { Value = room.Id.Value });
        head.Parameters.Add(new() { Value = (long)FirstSeq + messages });
        await head.ExecuteNonQueryAsync(cancellationToken);
        await using var analyze = new NpgsqlCommand("vacuum analyze event", connection) { CommandTimeout = 0 };
        await analyze.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Messages in the conversations' logs; −1 if a log has a gap or does not end at its head.</summary>
    public static async Task<long> CountMessagesAsync(
        NpgsqlDataSource dataSource, IReadOnlyList<ConversationId> rooms, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select coalesce(sum(messages), 0)::bigint, bool_and(head = events and head = last)
            from (
                select c.head, count(*) as events, max(e.seq) as last, count(*) filter (where e.kind = 1) as messages
                from conversation c join event e on e.conversation_id = c.id
                where c.id = any($1) group by c.id
            ) log
            """);
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = rooms.Select(room => room.Value).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetBoolean(1) ? reader.GetInt64(0) : -1;
    }

    private static async Task CopyConversationsAsync(
        NpgsqlConnection connection, IReadOnlyList<ChatRoom> rooms, CancellationToken cancellationToken)
    {
        await using var import = await connection.BeginBinaryImportAsync(
            "copy conversation (id, kind, direct_low, direct_high, head, epoch) from stdin (format binary)",
            cancellationToken);
        foreach (var room in rooms)
        {
            Guid[] pair = room.Members.Count == 2
                ? [.. room.Members.Select(member => member.Account.Value)
                    .OrderBy(account => account.ToString(), StringComparer.Ordinal)]
                : [];
            var kind = pair.Length == 2 ? ConversationKind.Direct : ConversationKind.Group;
            await import.StartRowAsync(cancellationToken);
            await import.WriteAsync(room.Id.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync((short)kind, NpgsqlDbType.Smallint, cancellationToken);
            foreach (var side in new[] { 0, 1 })
            {
                await (pair.Length == 2
                    ? import.WriteAsync(pair[side], NpgsqlDbType.Uuid, cancellationToken)
                    : import.WriteNullAsync(cancellationToken));
            }

            await import.WriteAsync((long)FirstSeq, NpgsqlDbType.Bigint, cancellationToken);
            await import.WriteAsync((long)ChatPeople.Epoch, NpgsqlDbType.Bigint, cancellationToken);
        }

        await import.CompleteAsync(cancellationToken);
    }

    private static async Task CopyMembersAsync(
        NpgsqlConnection connection, IReadOnlyList<ChatRoom> rooms, CancellationToken cancellationToken)
    {
        await using var import = await connection.BeginBinaryImportAsync(
            "copy member (conversation_id, account_id, role, joined_seq) from stdin (format binary)", cancellationToken);
        foreach (var (room, member) in rooms.SelectMany(room => room.Members, (room, member) => (room, member)))
        {
            var role = ReferenceEquals(member, room.Members[0]) ? MemberRole.Owner : MemberRole.Member;
            await import.StartRowAsync(cancellationToken);
            await import.WriteAsync(room.Id.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync(member.Account.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync((short)role, NpgsqlDbType.Smallint, cancellationToken);
            await import.WriteAsync((long)FirstSeq, NpgsqlDbType.Bigint, cancellationToken);
        }

        await import.CompleteAsync(cancellationToken);
    }

    private static async Task CopyLeavesAsync(
        NpgsqlConnection connection, IReadOnlyList<ChatRoom> rooms, CancellationToken cancellationToken)
    {
        await using var import = await connection.BeginBinaryImportAsync(
            "copy leaf (conversation_id, leaf_index, device_id, account_id, added_seq) from stdin (format binary)",
            cancellationToken);
        foreach (var room in rooms)
        {
            foreach (var (index, member) in room.Members.Index())
            {
                await import.StartRowAsync(cancellationToken);
                await import.WriteAsync(room.Id.Value, NpgsqlDbType.Uuid, cancellationToken);
                await import.WriteAsync(index, NpgsqlDbType.Integer, cancellationToken);
                await import.WriteAsync(member.Device.Value, NpgsqlDbType.Uuid, cancellationToken);
                await import.WriteAsync(member.Account.Value, NpgsqlDbType.Uuid, cancellationToken);
                await import.WriteAsync((long)FirstSeq, NpgsqlDbType.Bigint, cancellationToken);
            }
        }

        await import.CompleteAsync(cancellationToken);
    }

    private static async Task CopyCommitsAsync(
        NpgsqlConnection connection, IReadOnlyList<ChatRoom> rooms, CancellationToken cancellationToken)
    {
        await using var import = await connection.BeginBinaryImportAsync(
            """
            copy event (conversation_id, seq, kind, account_id, device_id, epoch, body, created_at)
            from stdin (format binary)
            """,
            cancellationToken);
        var now = TimeProvider.System.GetUtcNow();
        foreach (var room in rooms)
        {
            await import.StartRowAsync(cancellationToken);
            await import.WriteAsync(room.Id.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync((long)FirstSeq, NpgsqlDbType.Bigint, cancellationToken);
            await import.WriteAsync((short)EventKind.Commit, NpgsqlDbType.Smallint, cancellationToken);
            await import.WriteAsync(room.Members[0].Account.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync(room.Members[0].Device.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync(0L, NpgsqlDbType.Bigint, cancellationToken);
            await import.WriteAsync(new byte[64], NpgsqlDbType.Bytea, cancellationToken);
            await import.WriteAsync(now, NpgsqlDbType.TimestampTz, cancellationToken);
        }

        await import.CompleteAsync(cancellationToken);
    }
}

using System.Text.Json;
using ChatPay.Core.Protocol;
using Npgsql;

namespace ChatPay.LoadTest.Faults;

/// <summary>Reads what the database has to say for itself when everything is over.</summary>
internal static class FaultStore
{
    private static readonly JsonSerializerOptions s_json = ProtocolJson.Create();

    public static async Task<IReadOnlyDictionary<ConversationId, IReadOnlyList<LogEntry>>> ReadLogsAsync(
        NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(
            """
            select conversation_id, seq, kind, device_id, client_id, card_id, data::jsonb ->> 'state',
                (data::jsonb ->> 'version')::integer, epoch, case when kind in (2, 5) then data end
            from event order by conversation_id, seq
            """);
        command.CommandTimeout = 0;
        var logs = new Dictionary<ConversationId, List<LogEntry>>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var conversation = new ConversationId(reader.GetGuid(0));
            if (!logs.TryGetValue(conversation, out var log))
            {
                logs.Add(conversation, log = []);
            }

            log.Add(new(
                reader.GetInt64(1), (EventKind)reader.GetInt16(2),
                reader.IsDBNull(3) ? null : new(reader.GetGuid(3)),
                reader.IsDBNull(4) ? null : new(reader.GetGuid(4)),
                reader.IsDBNull(5)
                    ? null
                    : new(
                        new(reader.GetGuid(5)), Enum.Parse<CardState>(reader.GetString(6), ignoreCase: true),
                        reader.GetInt32(7)),
                reader.GetInt64(8),
                reader.IsDBNull(9)
                    ? null : MembersEntry.Of(JsonSerializer.Deserialize<MembersChange>(reader.GetString(9), s_json))));
        }

        return logs.ToDictionary(log => log.Key, log => (IReadOnlyList<LogEntry>)log.Value);
    }

    public static async Task<IReadOnlyDictionary<CardId, CardEntry>> ReadCardsAsync(
        NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand("select id, state, version from card");
        command.CommandTimeout = 0;
        var cards = new Dictionary<CardId, CardEntry>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = new CardId(reader.GetGuid(0));
            cards.Add(id, new(id, (CardState)reader.GetInt16(1), reader.GetInt32(2)));
        }

        return cards;
    }
}

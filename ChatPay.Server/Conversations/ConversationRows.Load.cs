using System.Text.Json;
using ChatPay.Core.Cards;
using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using Npgsql;

namespace ChatPay.Server.Conversations;

internal sealed partial class ConversationRows
{
    private readonly HashSet<ConversationId> _needed = [];
    private readonly HashSet<(ConversationId Conversation, AccountId Account)> _neededMembers = [];
    private readonly HashSet<ConversationId> _neededMemberships = [];
    private readonly HashSet<MessageKey> _neededDuplicates = [];
    private readonly HashSet<(AccountId Low, AccountId High)> _neededDirects = [];
    private readonly HashSet<DeviceId> _neededDevices = [];
    private readonly HashSet<AccountId> _neededCounts = [];

    public override void AddLoads(NpgsqlBatch batch)
    {
        if (_neededDevices.Count > 0)
        {
            // A share lock: whoever revokes one of these waits, and then finds the leaf that this batch adds.
            batch.Add("""
                select d.id, d.account_id, d.signature_key, d.revoked_at is null, k.identity_keys,
                    d.approved_at is not null
                from device d left join key_chain k using (account_id)
                where d.id = any($1) order by d.id for share of d
                """,
                Ids(_neededDevices));
        }

        if (_neededDirects.Count > 0)
        {
            batch.Add("""
                select c.direct_low, c.direct_high, c.id
                from unnest($1::uuid[], $2::uuid[]) as k (low, high)
                join conversation c on c.direct_low = k.low and c.direct_high = k.high
                """,
                _neededDirects.Select(pair => pair.Low.Value).ToArray(),
                _neededDirects.Select(pair => pair.High.Value).ToArray());
        }

        if (_neededCounts.Count > 0)
        {
            batch.Add("""
                select account_id, count(*)::integer from member
                where account_id = any($1) and left_seq is null group by account_id
                """,
                Ids(_neededCounts));
        }

        if (_needed.Count > 0)
        {
            batch.Add("""
                select id, kind, head, epoch, created_at, retention_days
                from conversation where id = any($1) order by id for update
                """,
                Ids(_needed));
        }

        // The rest is a statement of its own, so that its snapshot is younger than the locks.
        if (_neededMembers.Count > 0)
        {
            batch.Add("""
                select m.conversation_id, m.account_id, m.role, m.joined_seq, m.left_seq
                from unnest($1::uuid[], $2::uuid[]) as k (conversation_id, account_id)
                join member m using (conversation_id, account_id)
                """,
                _neededMembers.Select(key => key.Conversation.Value).ToArray(),
                _neededMembers.Select(key => key.Account.Value).ToArray());
        }

        if (_neededMemberships.Count > 0)
        {
            batch.Add("""
                select conversation_id, account_id, role, joined_seq, left_seq
                from member where conversation_id = any($1)
                """,
                Ids(_neededMemberships));
            batch.Add("""
                select conversation_id, leaf_index, device_id, account_id, added_seq, pending
                from leaf where conversation_id = any($1)
                """,
                Ids(_neededMemberships));
        }

        if (_neededDuplicates.Count > 0)
        {
            // Written so that no plan can take the primary key, which begins with the conversation, and read whole logs.
            batch.Add("""
                select e.conversation_id, e.seq, e.kind, e.account_id, e.device_id, e.client_id, e.epoch, e.created_at,
                    e.body, e.data
                from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as k (conversation_id, device_id, client_id)
                join event e on e.device_id = k.device_id and e.client_id = k.client_id
                    and e.conversation_id is not distinct from k.conversation_id
                """,
                _neededDuplicates.Select(key => key.Conversation.Value).ToArray(),
                _neededDuplicates.Select(key => key.Device.Value).ToArray(),
                _neededDuplicates.Select(key => key.ClientId.Value).ToArray());
        }
    }

    public override async Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken)
    {
        if (_neededDevices.Count > 0)
        {
            await EachAsync(reader, row =>
            {
                var device = new DeviceFacts(
                    new(row.GetGuid(0)), new(row.GetGuid(1)), row.GetFieldValue<byte[]>(2), row.GetBoolean(3),
                    row.IsDBNull(4) ? [] : row.GetFieldValue<byte[][]>(4), row.GetBoolean(5));
                _devices.Add(device.Device, device);
            }, cancellationToken);
        }

        if (_neededDirects.Count > 0)
        {
            await EachAsync(
                reader,
                row => _directs.Add((new(row.GetGuid(0)), new(row.GetGuid(1))), new(row.GetGuid(2))),
                cancellationToken);
        }

        if (_neededCounts.Count > 0)
        {
            await EachAsync(reader, row => _counts.Add(new(row.GetGuid(0)), row.GetInt32(1)), cancellationToken);
        }

        if (_needed.Count > 0)
        {
            await EachAsync(reader, row =>
            {
                var id = new ConversationId(row.GetGuid(0));
                _found.Add(id, new(
                    id, (ConversationKind)row.GetInt16(1), row.GetInt64(2), row.GetInt64(3),
                    row.GetFieldValue<DateTimeOffset>(4))
                {
                    IsComplete = _neededMemberships.Contains(id),
                    RetentionDays = row.GetInt16(5) is var days and > 0 ? days : null,
                });
            }, cancellationToken);
        }

        if (_neededMembers.Count > 0)
        {
            await EachAsync(reader, LoadMember, cancellationToken);
        }

        if (_neededMemberships.Count > 0)
        {
            await EachAsync(reader, LoadMember, cancellationToken);
            await EachAsync(
                reader,
                row => _found[new(row.GetGuid(0))].Load(new GroupLeaf(
                    row.GetInt32(1), new(row.GetGuid(2)), new(row.GetGuid(3)), row.GetInt64(4), row.GetBoolean(5))),
                cancellationToken);
        }

        if (_neededDuplicates.Count > 0)
        {
            await EachAsync(reader, row =>
            {
                var found = EventRow.Read(row);
                _duplicates.Add(new(found.Conversation, found.Device!.Value, found.ClientId!.Value), found);
            }, cancellationToken);
        }
    }

    private void LoadMember(NpgsqlDataReader row) => _found[new(row.GetGuid(0))].Load(new Member(
        new(row.GetGuid(1)), (MemberRole)row.GetInt16(2), row.GetInt64(3), row.IsDBNull(4) ? null : row.GetInt64(4)));

    private static async Task EachAsync(
        LoadReader reader, Action<NpgsqlDataReader> load, CancellationToken cancellationToken)
    {
        var rows = await reader.NextAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            load(rows);
        }
    }

    private static Guid[] Ids<TId>(IEnumerable<TId> ids)
        where TId : struct, IId<TId> => [.. ids.Select(id => id.Value)];
}

/// <summary>How an event is stored: columns for what is asked by, JSON for what only members read.</summary>
internal static class EventRow
{
    public const string Columns =
        "conversation_id, seq, kind, account_id, device_id, client_id, epoch, created_at, body, data";

    private static readonly JsonSerializerOptions Json = ProtocolJson.Create();

    /// <summary>Reads <see cref="Columns"/> in that order.</summary>
    public static Event Read(NpgsqlDataReader row)
    {
        var kind = (EventKind)row.GetInt16(2);
        var data = row.IsDBNull(9) ? null : row.GetString(9);
        return new(
            new(row.GetGuid(0)), row.GetInt64(1), kind,
            row.IsDBNull(3) ? null : new(row.GetGuid(3)), row.IsDBNull(4) ? null : new(row.GetGuid(4)),
            row.IsDBNull(5) ? null : new(row.GetGuid(5)), row.GetInt64(6), row.GetFieldValue<DateTimeOffset>(7),
            row.IsDBNull(8) ? null : row.GetFieldValue<byte[]>(8),
            data is not null && kind is (EventKind.Card or EventKind.CardChanged)
                ? JsonSerializer.Deserialize<CardView>(data, Json) : null,
            data is not null && kind is (EventKind.Commit or EventKind.Members)
                ? JsonSerializer.Deserialize<MembersChange>(data, Json) : null);
    }

    /// <summary>As <see cref="Read(NpgsqlDataReader)"/>, as far as the member may see it.</summary>
    public static Event Read(NpgsqlDataReader row, AccountId viewer) => CardPrivacy.For(Read(row), viewer);

    /// <summary>The JSON column of an event, or null where it has none.</summary>
    public static byte[]? DataOf(Event logged) => logged switch
    {
        { Card: { } card } => JsonSerializer.SerializeToUtf8Bytes(card, Json),
        { Members: { } members } => JsonSerializer.SerializeToUtf8Bytes(members, Json),
        _ => null,
    };
}

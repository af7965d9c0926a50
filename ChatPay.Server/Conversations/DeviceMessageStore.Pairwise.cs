using System.Security.Cryptography;
using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Conversations;

internal sealed partial class DeviceMessageStore
{
    private const int SweptAtOnce = 10_000;

    /// <summary>
    /// Stores pairwise messages, all that are new or none. The receiving devices are locked in the order of their ids, so that
    /// counting what waits for them, and knowing a repeated request, is true until the commit.
    /// </summary>
    /// <param name="messages">With their receivers, each device once; the times in them are replaced by the database's.</param>
    /// <returns>What was stored now: nothing for a repeated request.</returns>
    public async Task<Result<IReadOnlyList<(DeviceId Device, DeviceMessage Message)>>> SendAsync(
        Caller from, ClientMessageId clientId, IReadOnlyDictionary<DeviceId, DeviceMessage> messages,
        CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var receivers = await LockAsync(connection, from, clientId, messages.Keys, cancellationToken);
        var fresh = new List<DeviceId>();
        foreach (var (device, message) in messages)
        {
            var receiver = receivers.GetValueOrDefault(device);
            if (receiver?.SentHash is not { } sent)
            {
                fresh.Add(device);
            }
            else if (!CryptographicOperations.FixedTimeEquals(sent, SHA256.HashData(message.Body)))
            {
                return ConversationErrors.ClientIdReused();
            }
        }

        if (fresh.Where(device => receivers.GetValueOrDefault(device)?.IsReachable is not true).ToList() is [_, ..] strangers)
        {
            return ConversationErrors.DeviceUnreachable(strangers);
        }

        if (fresh.Where(device => receivers[device].Waiting >= Limits.PairwiseWaiting).ToList() is [_, ..] full)
        {
            return ConversationErrors.DeviceQueueFull(full);
        }

        var stored = await InsertAsync(connection, from, clientId, fresh, messages, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return Result.From(stored);
    }

    /// <summary>Forgets requests that nobody will repeat any more.</summary>
    /// <returns>How many; there may be more.</returns>
    public async Task<int> ForgetSentAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            delete from device_message_sent where ctid = any(array(
                select ctid from device_message_sent where sent_at < now() - make_interval(hours => $1)
                order by sent_at limit $2 for update skip locked))
            """,
            Limits.PairwiseMemoryHours, SweptAtOnce);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<Dictionary<DeviceId, Receiver>> LockAsync(
        NpgsqlConnection connection, Caller from, ClientMessageId clientId, IEnumerable<DeviceId> devices,
        CancellationToken cancellationToken)
    {
        var ids = devices.Select(device => device.Value).ToArray();
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("select id from device where id = any($1) order by id for no key update", ids);

        // Another statement, for it must see what was committed while the locks were waited for.
        batch.Add(
            """
            select d.id, s.body_hash,
                d.revoked_at is null and d.id <> $3 and (d.account_id = $2 or exists (
                    select from member other
                    join member me on me.conversation_id = other.conversation_id
                        and me.account_id = $2 and me.left_seq is null
                    where other.account_id = d.account_id and other.left_seq is null
                )),
                (select count(*)::int from device_message m where m.device_id = d.id and m.kind = 2)
            from device d
            left join device_message_sent s on s.from_device = $3 and s.client_id = $4 and s.device_id = d.id
            where d.id = any($1)
            """,
            ids, from.Account.Value, from.Device.Value, clientId.Value);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var found = new Dictionary<DeviceId, Receiver>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(new(reader.GetGuid(0)), new(
                reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1), reader.GetBoolean(2), reader.GetInt32(3)));
        }

        return found;
    }

    private static async Task<IReadOnlyList<(DeviceId Device, DeviceMessage Message)>> InsertAsync(
        NpgsqlConnection connection, Caller from, ClientMessageId clientId, List<DeviceId> devices,
        IReadOnlyDictionary<DeviceId, DeviceMessage> messages, CancellationToken cancellationToken)
    {
        if (devices.Count == 0)
        {
            return [];
        }

        var ids = devices.Select(device => device.Value).ToArray();
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(
            """
            insert into device_message_sent (from_device, client_id, device_id, body_hash)
            select $1, $2, k.device_id, k.body_hash from unnest($3::uuid[], $4::bytea[]) as k (device_id, body_hash)
            """,
            from.Device.Value, clientId.Value, ids,
            devices.Select(device => SHA256.HashData(messages[device].Body)).ToArray());
        batch.Add(
            """
            insert into device_message (id, device_id, kind, seq, body, from_account, from_device, client_id)
            select k.id, k.device_id, 2, 0, k.body, $4, $5, $6
            from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as k (id, device_id, body)
            returning device_id, created_at
            """,
            devices.Select(device => messages[device].Id).ToArray(), ids,
            devices.Select(device => messages[device].Body).ToArray(),
            from.Account.Value, from.Device.Value, clientId.Value);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var stored = new List<(DeviceId, DeviceMessage)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var device = new DeviceId(reader.GetGuid(0));
            stored.Add((device, messages[device] with { At = reader.GetFieldValue<DateTimeOffset>(1) }));
        }

        return stored;
    }

    /// <param name="SentHash">Of what this request has brought it before; null for nothing.</param>
    private sealed record Receiver(byte[]? SentHash, bool IsReachable, int Waiting);
}

using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Conversations;

/// <summary>What waits for single devices, Welcomes and pairwise messages, until they are acknowledged.</summary>
internal sealed partial class DeviceMessageStore(NpgsqlDataSource dataSource)
{
    /// <summary>Asks in somebody else's batch how many messages wait; the first column of the answer.</summary>
    public static void AddCount(NpgsqlBatch batch, DeviceId device) =>
        batch.Add("select count(*)::int from device_message where device_id = $1", device.Value);

    /// <summary>The oldest waiting messages.</summary>
    public async Task<DeviceMessagesPage> PageAsync(DeviceId device, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"""
            select {DeviceMessageRow.Columns}, total
            from (
                select m.*, row_number() over (order by id) as place, count(*) over () as total,
                    sum(octet_length(body)) over (order by id) as bytes
                from (select * from device_message where device_id = $1 order by id limit $2 + 1) m
            ) page
            where place = 1 or (place <= $2 and bytes <= $3)
            order by place
            """);
        command.Add(device.Value);
        command.Add(Limits.DeviceMessagesPerPage);
        command.Add((long)Limits.PageBytes);
        var messages = new List<DeviceMessage>();
        long waiting = 0;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            messages.Add(DeviceMessageRow.Read(reader));
            waiting = reader.GetInt64(9);
        }

        return new(messages, waiting > messages.Count);
    }

    /// <summary>Empties the queue of a device that will never come for it.</summary>
    public async Task DropAsync(DeviceId device, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("delete from device_message where device_id = $1");
        command.Add(device.Value);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Removes messages of this device; others' and unknown ids are passed over.</summary>
    public async Task RemoveAsync(DeviceId device, IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("delete from device_message where device_id = $1 and id = any($2)");
        command.Add(device.Value);
        command.Add(ids.ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

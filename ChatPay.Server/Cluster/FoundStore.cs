using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Cluster;

/// <param name="Receipts">That other nodes have raised.</param>
/// <param name="Messages">That wait for devices, without their bodies.</param>
/// <param name="Next">Where the next look begins.</param>
internal sealed record Found(
    IReadOnlyList<Receipt> Receipts, IReadOnlyList<(DeviceId Device, Guid Message)> Messages, ulong Next);

/// <summary>Receipts and device messages by the transaction that wrote them; see <see cref="WatchStore"/>.</summary>
internal sealed class FoundStore(NpgsqlDataSource dataSource)
{
    /// <summary>What one look is told at most; the client pulls the rest at its next Hello.</summary>
    private const int MessagesMax = 10_000;

    /// <param name="since">What an earlier look returned; null for all that is kept.</param>
    /// <param name="node">Whose own receipts are left out.</param>
    public async Task<Found> SinceAsync(ulong? since, Guid node, CancellationToken cancellationToken)
    {
        var from = new NpgsqlParameter { Value = since ?? 0, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Xid8 };
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("select pg_snapshot_xmin(pg_current_snapshot())");
        batch.Add("""
            select conversation_ids, account_ids, device_ids, delivered, read from receipt_round
            where changed_xid >= $1 and node_id <> $2 order by changed_xid
            """, from, node);
        batch.Add("""
            select device_id, id from device_message where changed_xid >= $1 and changed_xid > '0'
            order by changed_xid desc limit $2
            """, from.Clone(), MessagesMax);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var next = reader.GetFieldValue<ulong>(0);
        await reader.NextResultAsync(cancellationToken);
        var receipts = new List<Receipt>();
        while (await reader.ReadAsync(cancellationToken))
        {
            AddRound(reader, receipts);
        }

        await reader.NextResultAsync(cancellationToken);
        var messages = new List<(DeviceId, Guid)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            messages.Add((new(reader.GetGuid(0)), reader.GetGuid(1)));
        }

        return new(receipts, messages, next);
    }

    /// <summary>Device messages that still wait, oldest first.</summary>
    public async Task<IReadOnlyList<(DeviceId Device, DeviceMessage Message)>> MessagesAsync(
        Guid[] ids, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"select {DeviceMessageRow.Columns}, device_id from device_message where id = any($1) order by id",
            ids);
        var messages = new List<(DeviceId, DeviceMessage)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            messages.Add((new(reader.GetGuid(9)), DeviceMessageRow.Read(reader)));
        }

        return messages;
    }

    public async Task DeleteOldRoundsAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "delete from receipt_round where written_at < now() - interval '1 minute'");
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void AddRound(NpgsqlDataReader row, List<Receipt> receipts)
    {
        var conversations = row.GetFieldValue<Guid[]>(0);
        var accounts = row.GetFieldValue<Guid[]>(1);
        var devices = row.GetFieldValue<Guid[]>(2);
        var delivered = row.GetFieldValue<long[]>(3);
        var read = row.GetFieldValue<long[]>(4);
        for (var i = 0; i < conversations.Length; i++)
        {
            receipts.Add(new(new(conversations[i]), new(accounts[i]), new(devices[i]), delivered[i], read[i]));
        }
    }
}

using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Archive;

/// <summary>
/// Archives in PostgreSQL. Whoever changes one locks its row first: chunks come one after the other, whichever device and
/// node they come from, its size is always that of its chunks, and none comes into an archive that is being deleted.
/// </summary>
internal sealed class ArchiveStore(NpgsqlDataSource dataSource)
{
    /// <summary>Also the answer to whoever asks for somebody else's.</summary>
    public static readonly Error Unknown = new(ErrorCode.ArchiveUnknown, "No such archive of this account is on.");

    private static readonly Error s_notApproved = new(
        ErrorCode.DeviceNotApproved, "Only a device that is approved changes the account's archive.");

    public async Task<ArchiveView> ViewAsync(AccountId account, long maximumBytes, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("select archive_id, bytes from archive where account_id = $1", account.Value);
        batch.Add(
            "select device_id, chunks from archive_stream where account_id = $1 order by device_id", account.Value);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        var isOn = await row.ReadAsync(cancellationToken);
        ArchiveId? archive = isOn ? new ArchiveId(row.GetGuid(0)) : null;
        var bytes = isOn ? row.GetInt64(1) : 0;
        await row.NextResultAsync(cancellationToken);
        var streams = new List<ArchiveStreamView>();
        while (isOn && await row.ReadAsync(cancellationToken))
        {
            streams.Add(new ArchiveStreamView(new DeviceId(row.GetGuid(0)), row.GetInt64(1)));
        }

        return new ArchiveView(archive, bytes, maximumBytes, streams);
    }

    /// <returns>Whether it was this that turned it on: not where one is on already, this one or another.</returns>
    public async Task<Result<bool>> TurnOnAsync(Caller caller, ArchiveId archive, CancellationToken cancellationToken)
    {
        if (!await IsApprovedAsync(caller.Device, cancellationToken))
        {
            return s_notApproved;
        }

        await using var command = dataSource.CreateCommand(
            "insert into archive (account_id, archive_id) values ($1, $2) on conflict (account_id) do nothing",
            caller.Account.Value, archive.Value);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <returns>Whether there was one to delete.</returns>
    public async Task<Result<bool>> TurnOffAsync(Caller caller, ArchiveId archive, CancellationToken cancellationToken)
    {
        if (!await IsApprovedAsync(caller.Device, cancellationToken))
        {
            return s_notApproved;
        }

        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var gate = new NpgsqlCommand(
            "select 1 from archive where account_id = $1 and archive_id = $2 for update", connection))
        {
            gate.Add(caller.Account.Value);
            gate.Add(archive.Value);
            if (await gate.ExecuteScalarAsync(cancellationToken) is null)
            {
                return false;
            }
        }

        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.Add("delete from archive_chunk where account_id = $1", caller.Account.Value);
        batch.Add("delete from archive_stream where account_id = $1", caller.Account.Value);
        batch.Add("delete from archive where account_id = $1", caller.Account.Value);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Adds what comes next in the calling device's stream.</summary>
    /// <returns>Whether it is new: the same chunk again changes nothing.</returns>
    public async Task<Result<bool>> StoreAsync(
        Caller caller, ArchiveId archive, long number, byte[] sealedChunk, long maximumBytes,
        CancellationToken cancellationToken)
    {
        if (!await IsApprovedAsync(caller.Device, cancellationToken))
        {
            return s_notApproved;
        }

        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (bytes, next, isThere) = await LockAsync(connection, caller, archive, number, sealedChunk, cancellationToken);
        if (bytes < 0)
        {
            return Unknown;
        }

        if (number != next)
        {
            return isThere
                ? false
                : new Error(
                    ErrorCode.ArchiveChunkConflict, "The next chunk of this device is another one.",
                    new Dictionary<string, object>(StringComparer.Ordinal) { ["next"] = next });
        }

        if (bytes + sealedChunk.Length > maximumBytes)
        {
            return new Error(
                ErrorCode.ArchiveFull, "The archive has as many bytes as an account may keep.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["maximumBytes"] = maximumBytes });
        }

        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.Add(
            "insert into archive_chunk (account_id, device_id, number, sealed) values ($1, $2, $3, $4)",
            caller.Account.Value, caller.Device.Value, number, sealedChunk);
        batch.Add(
            """
            insert into archive_stream (account_id, device_id, chunks) values ($1, $2, $3)
            on conflict (account_id, device_id) do update set chunks = excluded.chunks
            """,
            caller.Account.Value, caller.Device.Value, number + 1);
        batch.Add(
            "update archive set bytes = bytes + $2 where account_id = $1", caller.Account.Value,
            (long)sealedChunk.Length);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Chunks of a stream from a number on.</summary>
    /// <returns>Null where the account keeps no such archive.</returns>
    public async Task<ArchivePage?> PageAsync(
        AccountId account, ArchiveId archive, DeviceId device, long from, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(
            """
            select coalesce(s.chunks, 0) from archive a
            left join archive_stream s on s.account_id = a.account_id and s.device_id = $3
            where a.account_id = $1 and a.archive_id = $2
            """,
            account.Value, archive.Value, device.Value);
        batch.Add(
            """
            select c.sealed from (
                select sealed, number, sum(octet_length(sealed)) over (order by number) - octet_length(sealed) as before
                from archive_chunk
                where account_id = $1 and device_id = $2 and number >= $3
                    and exists (select from archive where account_id = $1 and archive_id = $5)
                order by number limit $4
            ) c
            where c.before < $6 order by c.number
            """,
            account.Value, device.Value, from, Limits.ArchiveChunksPerPage, archive.Value, Limits.ArchivePageBytes);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken))
        {
            return null;
        }

        var count = row.GetInt64(0);
        await row.NextResultAsync(cancellationToken);
        var chunks = new List<byte[]>();
        while (await row.ReadAsync(cancellationToken))
        {
            chunks.Add(row.GetFieldValue<byte[]>(0));
        }

        // It was deleted between the two statements: that must not look like the end of the stream.
        var next = from + chunks.Count;
        return chunks.Count == 0 && from < count ? null : new ArchivePage(chunks, next < count ? next : null);
    }

    /// <returns>
    /// The archive's bytes, less than none where there is no such archive; the number that comes next in the device's stream;
    /// whether that very chunk is there under its number.
    /// </returns>
    private static async Task<(long Bytes, long Next, bool IsThere)> LockAsync(
        NpgsqlConnection connection, Caller caller, ArchiveId archive, long number, byte[] sealedChunk,
        CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(
            "select bytes from archive where account_id = $1 and archive_id = $2 for no key update",
            caller.Account.Value, archive.Value);

        // A statement of its own: it sees what was committed while the lock was waited for.
        batch.Add(
            """
            select
                coalesce((select chunks from archive_stream where account_id = $1 and device_id = $2), 0),
                exists (
                    select from archive_chunk
                    where account_id = $1 and device_id = $2 and number = $3 and sealed = $4)
            """,
            caller.Account.Value, caller.Device.Value, number, sealedChunk);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        var bytes = await row.ReadAsync(cancellationToken) ? row.GetInt64(0) : -1;
        await row.NextResultAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return (bytes, row.GetInt64(0), row.GetBoolean(1));
    }

    private async Task<bool> IsApprovedAsync(DeviceId device, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select approved_at is not null and revoked_at is null from device where id = $1", device.Value);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}

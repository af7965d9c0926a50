using System.Data;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>A log's checkpoint, leaves and tiles in PostgreSQL.</summary>
internal abstract class LogStore(NpgsqlDataSource dataSource, LogDefinition log, LogIntake intake)
{
    protected NpgsqlDataSource Source => dataSource;

    public LogDefinition Log => log;

    public LogIntake Intake => intake;

    public async Task<LogRow?> FindAsync(CancellationToken cancellationToken)
    {
        await using var connection = await Source.OpenConnectionAsync(cancellationToken);
        return await LogRows.FindAsync(connection, log, isLocked: false, cancellationToken);
    }

    /// <summary>Begins the log, unless another node was quicker.</summary>
    public async Task ClaimAsync(byte[] verifierKey, byte[] root, string note, CancellationToken cancellationToken)
    {
        await using var command = Source.CreateCommand(
            $"insert into {log.Tables} (verifier_key, root, note) values ($1, $2, $3) on conflict (only_row) do nothing",
            verifierKey, root, note);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Begins a round: until it ends, no other node changes the log.</summary>
    /// <exception cref="InvalidOperationException">The log has not begun.</exception>
    public async Task<LogRound> BeginAsync(CancellationToken cancellationToken)
    {
        var connection = await Source.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
            return await LogRows.FindAsync(connection, log, isLocked: true, cancellationToken) is { } row
                ? new LogRound(connection, transaction, row, this)
                : throw new InvalidOperationException($"The {log.What} has not begun.");
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stored tiles, as wide as they are now; those that are not there are left out.</summary>
    public async Task<IReadOnlyDictionary<TileId, byte[]>> TilesAsync(
        IReadOnlyCollection<TileId> ids, CancellationToken cancellationToken)
    {
        await using var connection = await Source.OpenConnectionAsync(cancellationToken);
        return await ReadTilesAsync(log, connection, ids, cancellationToken);
    }

    /// <summary>Leaves from an index on, in order.</summary>
    public async Task<IReadOnlyList<byte[]>> LeavesAsync(long first, int count, CancellationToken cancellationToken)
    {
        await using var command = Source.CreateCommand(
            $"select leaf from {log.Tables}_leaf where index >= $1 and index < $2 order by index", first, first + count);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var leaves = new List<byte[]>();
        while (await row.ReadAsync(cancellationToken))
        {
            leaves.Add(row.GetFieldValue<byte[]>(0));
        }

        return leaves;
    }

    internal static async Task<IReadOnlyDictionary<TileId, byte[]>> ReadTilesAsync(
        LogDefinition log, NpgsqlConnection connection, IReadOnlyCollection<TileId> ids,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select t.level, t.index, t.hashes
            from unnest($1::smallint[], $2::bigint[]) as k (level, index) join {log.Tables}_tile t using (level, index)
            """,
            connection);
        command.Add(ids.Select(id => (short)id.Level).ToArray());
        command.Add(ids.Select(id => id.Index).ToArray());
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var tiles = new Dictionary<TileId, byte[]>();
        while (await row.ReadAsync(cancellationToken))
        {
            tiles.Add(new TileId(row.GetInt16(0), row.GetInt64(1)), row.GetFieldValue<byte[]>(2));
        }

        return tiles;
    }
}

using System.Data;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>The log's checkpoint, leaves and tiles in PostgreSQL.</summary>
internal sealed class KeyLogStore(NpgsqlDataSource dataSource)
{
    private const string Columns = "verifier_key, number, size, root, note";

    public async Task<KeyLogRow?> FindAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand($"select {Columns} from key_log");
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? Read(row) : null;
    }

    /// <summary>Begins the log, unless another node was quicker.</summary>
    public async Task ClaimAsync(byte[] verifierKey, byte[] root, string note, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "insert into key_log (verifier_key, root, note) values ($1, $2, $3) on conflict (only_row) do nothing",
            verifierKey, root, note);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Begins a round: until it ends, no other node changes the log.</summary>
    /// <exception cref="InvalidOperationException">The log has not begun.</exception>
    public async Task<KeyLogRound> BeginAsync(CancellationToken cancellationToken)
    {
        var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
            await using var command = new NpgsqlCommand($"select {Columns} from key_log for update", connection);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            return await row.ReadAsync(cancellationToken)
                ? new KeyLogRound(connection, transaction, Read(row))
                : throw new InvalidOperationException("The key log has not begun.");
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
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await ReadTilesAsync(connection, ids, cancellationToken);
    }

    /// <summary>Leaves from an index on, in order.</summary>
    public async Task<IReadOnlyList<byte[]>> LeavesAsync(long first, int count, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select leaf from key_log_leaf where index >= $1 and index < $2 order by index", first, first + count);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var leaves = new List<byte[]>();
        while (await row.ReadAsync(cancellationToken))
        {
            leaves.Add(row.GetFieldValue<byte[]>(0));
        }

        return leaves;
    }

    internal static async Task<IReadOnlyDictionary<TileId, byte[]>> ReadTilesAsync(
        NpgsqlConnection connection, IReadOnlyCollection<TileId> ids, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select t.level, t.index, t.hashes
            from unnest($1::smallint[], $2::bigint[]) as k (level, index) join key_log_tile t using (level, index)
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

    private static KeyLogRow Read(NpgsqlDataReader row) => new(
        row.GetFieldValue<byte[]>(0), row.GetInt32(1), row.GetInt64(2), row.GetFieldValue<byte[]>(3), row.GetString(4));
}

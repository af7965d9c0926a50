using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>
/// A transaction that has a log to itself: entries are taken in, tiles grow and the new size is signed, all or nothing.
/// Disposed of without <see cref="CommitAsync"/> it has changed nothing.
/// </summary>
internal sealed class LogRound(
    NpgsqlConnection connection, NpgsqlTransaction transaction, LogRow row, LogStore store) : IAsyncDisposable
{
    /// <summary>The log when the round began.</summary>
    public LogRow Row => row;

    public TileSource Tiles { get; } = new((ids, cancellationToken) =>
        LogStore.ReadTilesAsync(store.Log, connection, ids, cancellationToken));

    /// <summary>Leaves that wait, in the order in which they go into the log.</summary>
    public Task<IReadOnlyList<byte[]>> FindAsync(int number, CancellationToken cancellationToken) =>
        store.Intake.FindAsync(connection, number, cancellationToken);

    /// <summary>Gives the leaves that were found their places, and stores them and the tiles' new hashes.</summary>
    /// <param name="hashes">What each tile grows by.</param>
    public async Task TakeAsync(
        long firstIndex, IReadOnlyDictionary<TileId, List<byte>> hashes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(hashes);
        await using var batch = new NpgsqlBatch(connection, transaction);
        store.Intake.AddTake(batch, firstIndex);
        batch.Add(
            $"""
            insert into {store.Log.Tables}_tile as t (level, index, hashes)
            select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
            on conflict (level, index) do update set hashes = t.hashes || excluded.hashes
            """,
            hashes.Keys.Select(id => (short)id.Level).ToArray(), hashes.Keys.Select(id => id.Index).ToArray(),
            hashes.Values.Select(grown => grown.ToArray()).ToArray());
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Begins another log, empty, into which all entries will go again.</summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        store.Intake.AddRenew(batch);
        batch.Add($"delete from {store.Log.Tables}_leaf");
        batch.Add($"delete from {store.Log.Tables}_tile");
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>What holds from now on.</summary>
    public async Task CommitAsync(LogMark mark, string note, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(mark);
        await using (var command = new NpgsqlCommand(
            $"update {store.Log.Tables} set number = $1, size = $2, root = $3, note = $4", connection, transaction))
        {
            command.Add(mark.Number);
            command.Add(mark.Size);
            command.Add(mark.Root);
            command.Add(note);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}

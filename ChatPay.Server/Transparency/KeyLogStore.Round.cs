using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>
/// A transaction that has the log to itself: entries are taken in, tiles grow and the new size is signed, all or nothing.
/// Disposed of without <see cref="CommitAsync"/> it has changed nothing.
/// </summary>
internal sealed class KeyLogRound(NpgsqlConnection connection, NpgsqlTransaction transaction, KeyLogRow row) : IAsyncDisposable
{
    /// <summary>The log when the round began.</summary>
    public KeyLogRow Row => row;

    public TileSource Tiles { get; } = new((ids, cancellationToken) =>
        KeyLogStore.ReadTilesAsync(connection, ids, cancellationToken));

    /// <summary>Entries that wait, the oldest first.</summary>
    public async Task<IReadOnlyList<WaitingEntry>> WaitingAsync(int limit, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select position, entry, salt from key_entry where leaf_index is null order by position limit $1
            """,
            connection);
        command.Add(limit);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var waiting = new List<WaitingEntry>();
        while (await reader.ReadAsync(cancellationToken))
        {
            waiting.Add(new WaitingEntry(
                reader.GetInt64(0), reader.GetFieldValue<byte[]>(1), reader.GetFieldValue<byte[]>(2)));
        }

        return waiting;
    }

    /// <summary>Gives entries their places, one after another, and stores their leaves and the tiles' new hashes.</summary>
    /// <param name="hashes">What each tile grows by.</param>
    public async Task TakeAsync(
        long firstIndex, IReadOnlyList<WaitingEntry> entries, IReadOnlyList<byte[]> leaves,
        IReadOnlyDictionary<TileId, List<byte>> hashes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(leaves);
        ArgumentNullException.ThrowIfNull(hashes);
        await using var batch = new NpgsqlBatch(connection, transaction);
        var indices = Enumerable.Range(0, entries.Count).Select(i => firstIndex + i).ToArray();
        batch.Add(
            """
            update key_entry e set leaf_index = v.leaf_index
            from unnest($1::bigint[], $2::bigint[]) as v (position, leaf_index)
            where e.position = v.position and e.leaf_index is null
            """,
            entries.Select(entry => entry.Position).ToArray(), indices);
        batch.Add(
            "insert into key_log_leaf (index, leaf) select * from unnest($1::bigint[], $2::bytea[])",
            indices, leaves.ToArray());
        batch.Add(
            """
            insert into key_log_tile as t (level, index, hashes)
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
        batch.Add("update key_entry set leaf_index = null where leaf_index is not null");
        batch.Add("delete from key_log_leaf");
        batch.Add("delete from key_log_tile");
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>What holds from now on.</summary>
    public async Task CommitAsync(LogMark mark, string note, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(mark);
        await using (var command = new NpgsqlCommand(
            "update key_log set number = $1, size = $2, root = $3, note = $4", connection, transaction))
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

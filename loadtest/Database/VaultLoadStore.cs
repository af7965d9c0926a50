using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.LoadTest.Driving;
using ChatPay.Server.Transparency;
using Npgsql;
using NpgsqlTypes;

namespace ChatPay.LoadTest.Database;

/// <summary>A size that the log had on its way, and its root there.</summary>
internal sealed record LogRoot(long Size, byte[] Root);

/// <summary>What the realms of the server counted, and a key log that is long already.</summary>
internal static class VaultLoadStore
{
    private const int Chunk = 1 << 16;
    private const int RootsKept = 64;

    /// <summary>Attempts ever counted and guesses that are used up, at all three realms together.</summary>
    public static async Task<(long Attempts, long Used)> CountGuessesAsync(
        NpgsqlDataSource owner, IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken)
    {
        await using var command = owner.CreateCommand(
            """
            select coalesce(sum(attempts), 0)::bigint, coalesce(sum(used), 0)::bigint
            from (
                select account_id, attempts, used from realm_1.vault_record
                union all select account_id, attempts, used from realm_2.vault_record
                union all select account_id, attempts, used from realm_3.vault_record
            ) realms where account_id = any($1)
            """);
        command.Parameters.Add(new() { Value = accounts.Select(account => account.Value).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    public static async Task<long> LogSizeAsync(NpgsqlDataSource owner, CancellationToken cancellationToken)
    {
        await using var command = owner.CreateCommand("select size from key_log");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>
    /// Appends random leaves in bulk until the log has so many: as another node would, holding the log's row, with the tiles
    /// and the root that belong to them. The server signs it with its next round, once it has proved to itself that it only
    /// grew.
    /// </summary>
    /// <returns>The log's roots at some sizes on the way.</returns>
    public static async Task<IReadOnlyList<LogRoot>> GrowLogAsync(
        NpgsqlDataSource owner, long size, CancellationToken cancellationToken)
    {
        await using var connection = await owner.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        long begin;
        await using (var gate = new NpgsqlCommand("select size from key_log for update", connection))
        {
            begin = (long)(await gate.ExecuteScalarAsync(cancellationToken))!;
        }

        var tree = await new TileSource(
            (ids, stop) => LogStore.ReadTilesAsync(LogDefinition.Keys, connection, ids, stop)).ReadAsync(
            begin, read => Load(begin, read), cancellationToken)
            ?? throw new InvalidOperationException("The key log's tiles have holes.");
        var tiles = await TakeEdgeAsync(connection, begin, cancellationToken);
        var random = new SplitMix64((ulong)System.Diagnostics.Stopwatch.GetTimestamp());
        var roots = new List<LogRoot>();
        var every = Math.Max(1, (size - begin) / RootsKept);
        while (tree.Size < size)
        {
            cancellationToken.ThrowIfCancellationRequested();
            CopyLeaves(connection, tree, (int)Math.Min(Chunk, size - tree.Size), ref random, tiles, every, roots);
            CopyTiles(connection, tiles, onlyFull: true);
        }

        CopyTiles(connection, tiles, onlyFull: false);
        await using (var head = new NpgsqlCommand("update key_log set size = $1, root = $2", connection))
        {
            head.Parameters.Add(new() { Value = tree.Size });
            head.Parameters.Add(new() { Value = tree.Root() });
            await head.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        await using var analyze = new NpgsqlCommand("vacuum analyze key_log_leaf, key_log_tile", connection)
        {
            CommandTimeout = 0,
        };
        await analyze.ExecuteNonQueryAsync(cancellationToken);
        return roots;
    }

    private static MerkleFrontier? Load(long size, ReadHash read)
    {
        var isWhole = true;
        var tree = MerkleFrontier.Load(size, (level, index, hash) =>
        {
            isWhole &= read(level, index, hash);
            return true;
        });
        return isWhole ? tree : null;
    }

    /// <summary>The tiles that are not full yet, out of the table and into memory.</summary>
    private static async Task<Dictionary<TileId, List<byte>>> TakeEdgeAsync(
        NpgsqlConnection connection, long size, CancellationToken cancellationToken)
    {
        var tiles = new Dictionary<TileId, List<byte>>();
        await using var command = new NpgsqlCommand(
            "delete from key_log_tile where octet_length(hashes) < $1 returning level, index, hashes", connection);
        command.Parameters.Add(new() { Value = TilePath.FullWidth * MerkleHash.SizeBytes });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            tiles.Add(new TileId(row.GetInt16(0), row.GetInt64(1)), [.. row.GetFieldValue<byte[]>(2)]);
        }

        return size == 0 && tiles.Count > 0
            ? throw new InvalidOperationException("An empty key log has tiles.") : tiles;
    }

    /// <summary>COPY is fastest without a task for each value.</summary>
    private static void CopyLeaves(
        NpgsqlConnection connection, MerkleFrontier tree, int count, ref SplitMix64 random,
        Dictionary<TileId, List<byte>> tiles, long every, List<LogRoot> roots)
    {
        using var import = connection.BeginBinaryImport("copy key_log_leaf (index, leaf) from stdin (format binary)");
        for (var number = 0; number < count; number++)
        {
            var leaf = new byte[MerkleHash.SizeBytes];
            for (var word = 0; word < leaf.Length; word += sizeof(ulong))
            {
                BitConverter.TryWriteBytes(leaf.AsSpan(word), random.Next());
            }

            import.StartRow();
            import.Write(tree.Size, NpgsqlDbType.Bigint);
            import.Write(leaf, NpgsqlDbType.Bytea);
            tree.Append(MerkleHash.Leaf(leaf), (level, index, hash) => Collect(tiles, level, index, hash));
            if (tree.Size % every == 0)
            {
                roots.Add(new LogRoot(tree.Size, tree.Root()));
            }
        }

        import.Complete();
    }

    private static void Collect(Dictionary<TileId, List<byte>> tiles, int level, long index, ReadOnlySpan<byte> hash)
    {
        if (level % TilePath.Height != 0)
        {
            return;
        }

        var id = new TileId(level / TilePath.Height, index / TilePath.FullWidth);
        if (!tiles.TryGetValue(id, out var grown))
        {
            tiles.Add(id, grown = new List<byte>(TilePath.FullWidth * MerkleHash.SizeBytes));
        }

        grown.AddRange(hash);
    }

    private static void CopyTiles(NpgsqlConnection connection, Dictionary<TileId, List<byte>> tiles, bool onlyFull)
    {
        using var import = connection.BeginBinaryImport(
            "copy key_log_tile (level, index, hashes) from stdin (format binary)");
        foreach (var (id, hashes) in tiles.ToArray())
        {
            if (!onlyFull || hashes.Count == TilePath.FullWidth * MerkleHash.SizeBytes)
            {
                import.StartRow();
                import.Write((short)id.Level, NpgsqlDbType.Smallint);
                import.Write(id.Index, NpgsqlDbType.Bigint);
                import.Write(hashes.ToArray(), NpgsqlDbType.Bytea);
                tiles.Remove(id);
            }
        }

        import.Complete();
    }
}

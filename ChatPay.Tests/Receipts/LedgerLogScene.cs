using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Dapper;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Receipts;

/// <summary>What tests of the ledger log look at: its tables as an auditor with the database sees them.</summary>
internal static class LedgerLogScene
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Waits until every applied transfer of a database is in the log.</summary>
    public static async Task<long> SealedAsync(NpgsqlDataSource database)
    {
        var count = 0L;
        await Eventually.TrueAsync(
            async () =>
            {
                await using var connection = await database.OpenConnectionAsync(Cancellation);
                (count, var leaves, var size) = await connection.QuerySingleAsync<(long, long, long)>(
                    """
                    select (select count(*) from transfer where status = 0), (select count(*) from ledger_log_leaf),
                        (select size from ledger_log)
                    """);
                return count > 0 && leaves == count && size == count;
            },
            "all transfers are in the ledger log");
        return count;
    }

    /// <summary>
    /// That each applied transfer has exactly one leaf and nothing else has, that places have no gap, and that the leaves give
    /// the root that was signed and the tiles lead there.
    /// </summary>
    public static async Task AssertWholeAsync(NpgsqlDataSource database)
    {
        await using var connection = await database.OpenConnectionAsync(Cancellation);
        Assert.Equal(
            (0L, 0L, 0L),
            await connection.QuerySingleAsync<(long, long, long)>(
                """
                select
                    (select count(*) from transfer t where status = 0
                        and not exists (select from ledger_log_leaf l where l.transfer_id = t.id)),
                    (select count(*) from ledger_log_leaf l
                        where not exists (select from transfer t where t.id = l.transfer_id and t.status = 0)),
                    (select coalesce(max(index) + 1, 0) - count(*) from ledger_log_leaf)
                """));
        var tree = new MerkleFrontier();
        var tiles = new Dictionary<(int Level, long Index), List<byte>>();
        foreach (var leaf in await connection.QueryAsync<byte[]>("select leaf from ledger_log_leaf order by index"))
        {
            tree.Append(MerkleHash.Leaf(leaf), (level, index, hash) =>
            {
                if (level % TilePath.Height == 0)
                {
                    var key = (level / TilePath.Height, index / TilePath.FullWidth);
                    tiles.TryAdd(key, []);
                    tiles[key].AddRange(hash);
                }
            });
        }

        var head = await connection.QuerySingleAsync<(long Size, byte[] Root)>("select size, root from ledger_log");
        Assert.Equal((tree.Size, Convert.ToHexString(tree.Root())), (head.Size, Convert.ToHexString(head.Root)));
        foreach (var (level, index, hashes) in await connection.QueryAsync<(short, long, byte[])>(
            "select level, index, hashes from ledger_log_tile"))
        {
            Assert.Equal(tiles[(level, index)], hashes);
        }
    }

    /// <summary>The order of the log, against the order in which the ledger decided.</summary>
    public static async Task<bool> IsInOrderAsync(NpgsqlDataSource database)
    {
        await using var connection = await database.OpenConnectionAsync(Cancellation);
        return await connection.QuerySingleAsync<bool>(
            """
            select coalesce(bool_and(place = index + 1), true)
            from (select l.index, row_number() over (order by t.seq) as place
                from ledger_log_leaf l join transfer t on t.id = l.transfer_id) p
            """);
    }

    public static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var connection = await database.OpenConnectionAsync(Cancellation);
        await connection.ExecuteAsync(sql);
    }
}

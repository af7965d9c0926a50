using Npgsql;

namespace ChatPay.LoadTest.Baselines;

/// <summary>pgbench's tables, as <c>pgbench --initialize</c> makes them, in a schema of their own.</summary>
internal static class TpcbStore
{
    public const int TellersPerBranch = 10;

    /// <summary>Drops what an earlier run left.</summary>
    /// <param name="accountsPerBranch">pgbench has 100,000; fewer make the baseline's tables as small as the engine's.</param>
    public static Task CreateAsync(
        NpgsqlDataSource dataSource, int scale, int accountsPerBranch, CancellationToken cancellationToken) =>
        ExecuteAsync(
            dataSource,
            FormattableString.Invariant($"""
                drop schema if exists loadtest_tpcb cascade;
                create schema loadtest_tpcb;
                set search_path = loadtest_tpcb;
                create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
                create table pgbench_tellers (tid int not null, bid int, tbalance int, filler char(84))
                    with (fillfactor = 100);
                create table pgbench_accounts (aid int not null, bid int, abalance int, filler char(84))
                    with (fillfactor = 100);
                create table pgbench_branches (bid int not null, bbalance int, filler char(88)) with (fillfactor = 100);
                insert into pgbench_branches (bid, bbalance) select bid, 0 from generate_series(1, {scale}) as bid;
                insert into pgbench_tellers (tid, bid, tbalance)
                    select tid, (tid - 1) / {TellersPerBranch} + 1, 0
                    from generate_series(1, {scale * TellersPerBranch}) as tid;
                insert into pgbench_accounts (aid, bid, abalance, filler)
                    select aid, (aid - 1) / {accountsPerBranch} + 1, 0, ''
                    from generate_series(1, {scale * accountsPerBranch}) as aid;
                alter table pgbench_branches add primary key (bid);
                alter table pgbench_tellers add primary key (tid);
                alter table pgbench_accounts add primary key (aid);
                reset search_path
                """),
            cancellationToken);

    public static async Task VacuumAsync(NpgsqlDataSource dataSource, bool full, CancellationToken cancellationToken)
    {
        // As pgbench: the small tables before every run, all of them once they are filled.
        string[] statements = full
            ? ["vacuum analyze loadtest_tpcb.pgbench_accounts", "vacuum analyze loadtest_tpcb.pgbench_history"]
            : ["truncate loadtest_tpcb.pgbench_history"];
        string[] always =
            ["vacuum analyze loadtest_tpcb.pgbench_branches", "vacuum analyze loadtest_tpcb.pgbench_tellers"];
        foreach (var statement in statements.Concat(always))
        {
            await ExecuteAsync(dataSource, statement, cancellationToken);
        }
    }

    public static Task DropAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken) =>
        ExecuteAsync(dataSource, "drop schema loadtest_tpcb cascade", cancellationToken);

    /// <summary>Updates of accounts, tellers and branches that the history knows: all three sums are its own.</summary>
    public static async Task<bool> IsConsistentAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select (select sum(abalance) from loadtest_tpcb.pgbench_accounts)
                    = (select sum(tbalance) from loadtest_tpcb.pgbench_tellers)
                and (select sum(abalance) from loadtest_tpcb.pgbench_accounts)
                    = (select sum(bbalance) from loadtest_tpcb.pgbench_branches)
            """);
        command.CommandTimeout = 0;
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static async Task ExecuteAsync(
        NpgsqlDataSource dataSource, string sql, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

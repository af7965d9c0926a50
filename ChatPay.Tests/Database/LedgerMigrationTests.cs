using ChatPay.Server.Database;
using ChatPay.Tests.Support;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Database;

/// <summary>A ledger that was written before linked groups and refunds is brought to the schema that has them.</summary>
public sealed class LedgerMigrationTests(PostgresFixture postgres)
{
    private const int LastBefore = 5;

    [Fact]
    public async Task Transfers_from_before_name_their_entries_and_accounts_their_newest_time()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateEmptyDatabaseAsync());
        await MigrateAsync(database, LastBefore);
        await using var connection = await database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await connection.ExecuteAsync("""
            insert into asset values ('EUR', 2, 1);
            insert into ledger_account (id, system_name, asset, guarded, balance_minor, held_minor, version) values
                ('00000000-0000-0000-0000-00000000000a', 'a', 'EUR', false, -70, 30, 2),
                ('00000000-0000-0000-0000-00000000000b', 'b', 'EUR', false, 70, 0, 1),
                ('00000000-0000-0000-0000-00000000000c', 'c', 'EUR', false, 0, 0, 0);
            insert into transfer (id, kind, debit_id, credit_id, amount_minor, asset, status, payload_hash, created_at)
            select ('00000000-0000-0000-0000-00000000000' || id)::uuid, kind,
                '00000000-0000-0000-0000-00000000000a',
                case when kind = 1 then '00000000-0000-0000-0000-00000000000b'::uuid end, 30, 'EUR', status,
                decode(repeat('00', 32), 'hex'), '2026-03-01'
            from (values (1, 1, 0), (2, 2, 0), (3, 1, 4006)) as t (id, kind, status);
            insert into entry values
                ('00000000-0000-0000-0000-00000000000a', 1, '00000000-0000-0000-0000-000000000001', -70, 0, -70, 0,
                    '2026-03-01'),
                ('00000000-0000-0000-0000-00000000000b', 1, '00000000-0000-0000-0000-000000000001', 70, 0, 70, 0,
                    '2026-03-01'),
                ('00000000-0000-0000-0000-00000000000a', 2, '00000000-0000-0000-0000-000000000002', 0, 30, -70, 30,
                    '2026-03-02');
            """);

        await MigrateAsync(database, Migration.Embedded.Count);
        Assert.Equal(
            [(1L, 1L), (2L, null), (null, null)],
            await connection.QueryAsync<(long?, long?)>(
                "select debit_version, credit_version from transfer order by id"));
        Assert.Equal(
            ["2026-03-02", "2026-03-01", null],
            await connection.QueryAsync<string?>(
                "select to_char(last_entry_at, 'YYYY-MM-DD') from ledger_account order by id"));
        var refused = await Assert.ThrowsAsync<PostgresException>(
            () => connection.ExecuteAsync("update transfer set debit_version = 9"));
        Assert.Contains("only ever added", refused.Message, StringComparison.Ordinal);
    }

    private static Task MigrateAsync(NpgsqlDataSource database, int count) =>
        new MigrationRunner(database, [.. Migration.Embedded.Take(count)], NullLogger.Instance)
            .RunAsync(TestContext.Current.CancellationToken);
}

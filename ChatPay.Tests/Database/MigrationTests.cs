using System.Text;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Database;

/// <summary>Bringing a database to a build's schema, and refusing to start over one that is not understood.</summary>
public sealed class MigrationTests(PostgresFixture postgres)
{
    private static readonly Migration s_first = Make("0001_first", "create table first (id int)");
    private static readonly Migration s_second = Make("0002_second", "create table second (id int)");
    private static readonly Migration s_third = Make("0003_third", "create table third (id int)");

    [Fact]
    public async Task Each_migration_is_applied_once()
    {
        await using var database = await EmptyAsync();
        await MigrateAsync(database, s_first, s_second);
        await MigrateAsync(database, s_first, s_second, s_third);
        Assert.Equal(["0001_first", "0002_second", "0003_third"], await AppliedAsync(database));
    }

    [Fact]
    public async Task Four_nodes_that_start_at_once_apply_each_migration_once()
    {
        await using var database = await EmptyAsync();
        var slow = Make("0002_slow", "create table slow (id int); select pg_sleep(0.2)");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => MigrateAsync(database, s_first, slow, s_third)));
        Assert.Equal(["0001_first", "0002_slow", "0003_third"], await AppliedAsync(database));
    }

    [Fact]
    public async Task An_edited_migration_stops_the_start()
    {
        await using var database = await EmptyAsync();
        await MigrateAsync(database, s_first, s_second);
        var edited = Make(s_first.Name, s_first.Sql + " ");
        Assert.Contains("0001_first was edited", await RefusalAsync(database, edited, s_second), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_the_build_lost_stops_the_start()
    {
        await using var database = await EmptyAsync();
        await MigrateAsync(database, s_first, s_second);
        var other = Make("0002_other", "create table other (id int)");
        var hole = await RefusalAsync(database, s_first, s_third);
        var another = await RefusalAsync(database, s_first, other);
        Assert.Contains("0002 is missing from this build", hole, StringComparison.Ordinal);
        Assert.Contains("0002_second, which is missing from this build", another, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gap_in_the_database_stops_the_start()
    {
        await using var database = await EmptyAsync();
        await MigrateAsync(database, s_first, s_second);
        await using var delete = database.CreateCommand("delete from schema_migration where number = 1");
        await delete.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        Assert.Contains("lacks migration 0001", await RefusalAsync(database, s_first, s_second), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_newer_than_the_build_stops_the_start()
    {
        await using var database = await EmptyAsync();
        await MigrateAsync(database, s_first, s_second);
        var refusal = await RefusalAsync(database, s_first);
        Assert.Contains("newer than this ChatPay", refusal, StringComparison.Ordinal);
        Assert.Contains("0002_second", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_nothing_behind_and_is_named()
    {
        await using var database = await EmptyAsync();
        var broken = Make("0002_broken", "create table half (id int); select 1 / 0");
        Assert.Contains("0002_broken failed", await RefusalAsync(database, s_first, broken), StringComparison.Ordinal);
        Assert.Equal(["0001_first"], await AppliedAsync(database));
        await MigrateAsync(database, s_first, s_second);
        Assert.Equal(["0001_first", "0002_second"], await AppliedAsync(database));
    }

    [Fact]
    public void The_embedded_migrations_are_numbered_without_gaps()
    {
        Assert.Equal(
            Enumerable.Range(1, Migration.Embedded.Count), Migration.Embedded.Select(migration => migration.Number));
    }

    private static Migration Make(string name, string sql) => Migration.FromFile(name, Encoding.UTF8.GetBytes(sql));

    private static Task MigrateAsync(NpgsqlDataSource database, params Migration[] migrations) =>
        new MigrationRunner(database, migrations, NullLogger.Instance).RunAsync(TestContext.Current.CancellationToken);

    private static async Task<string> RefusalAsync(NpgsqlDataSource database, params Migration[] migrations) =>
        (await Assert.ThrowsAsync<StartupException>(() => MigrateAsync(database, migrations))).Message;

    private static async Task<List<string>> AppliedAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("select name from schema_migration order by number");
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var names = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    private async Task<NpgsqlDataSource> EmptyAsync() => NpgsqlDataSource.Create(await postgres.CreateEmptyDatabaseAsync());
}

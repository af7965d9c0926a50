using System.Globalization;
using System.Text.Json;
using ChatPay.LoadTest;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.LoadTest;

/// <summary>The load test of the ledger, tiny: that it runs, what it writes, and that it can fail. No times are judged.</summary>
public sealed class SettleTests(PostgresFixture postgres)
{
    private static readonly string[] s_members =
        ["scenario", "command", "commit", "machine", "startedAt", "figures", "ratios", "invariants"];

    [Fact]
    public async Task Settle_runs_end_to_end_on_a_postgresql_of_its_own_and_every_invariant_holds()
    {
        var (exitCode, report, output) = await RunAsync(
            "settle", "--seconds", "1", "--rounds", "3", "--accounts", "1000", "--tpcb-scale", "1", "--callers", "256",
            "--only", "tpcb", "uniform", "hot", "hold_capture");
        Assert.True(exitCode == 0, output);
        Assert.Equal(s_members, report.EnumerateObject().Select(member => member.Name));
        Assert.Equal("settle", report.GetProperty("scenario").GetString());
        Assert.StartsWith("dotnet run --project loadtest -c Release -- settle --seconds 1",
            report.GetProperty("command").GetString(), StringComparison.Ordinal);
        var settings = report.GetProperty("machine").GetProperty("postgres");
        Assert.Equal("on", settings.GetProperty("fsync").GetString());
        Assert.Equal("on", settings.GetProperty("synchronous_commit").GetString());
        foreach (var ratio in new[] { "uniform_vs_tpcb", "hot_vs_tpcb", "hold_capture_vs_tpcb" })
        {
            Assert.True(report.GetProperty("ratios").GetProperty(ratio).GetDouble() > 0);
        }

        var uniform = report.GetProperty("figures").GetProperty("uniform");
        Assert.Equal(3, uniform.GetProperty("perSecondByRound").GetArrayLength());
        foreach (var figure in new[] { "perSecond", "p50Ms", "p99Ms", "processCpuMicros", "walBytes", "batchMean" })
        {
            Assert.True(uniform.GetProperty(figure).GetDouble() > 0, figure);
        }

        Assert.All(report.GetProperty("invariants").EnumerateObject(), invariant => Assert.True(invariant.Value.GetBoolean()));
    }

    /// <summary>The test database has fsync off, and somebody has given himself a cent.</summary>
    [Fact]
    public async Task Settle_fails_where_the_books_or_the_settings_are_not_right()
    {
        var database = await postgres.CreateDatabaseAsync();
        string[] settle =
            ["settle", "--seconds", "1", "--accounts", "1000", "--callers", "64", "--only", "uniform", "--database", database];
        var (exitCode, report, output) = await RunAsync(settle);
        Assert.Equal(1, exitCode);
        Assert.DoesNotContain(database, report.GetProperty("command").GetString(), StringComparison.Ordinal);
        Assert.Equal(["fsync_on", "full_page_writes_on"], BrokenOf(report));

        await using (var dataSource = Npgsql.NpgsqlDataSource.Create(database))
        await using (var tamper = dataSource.CreateCommand(
            """
            update ledger_account set balance_minor = balance_minor + 1
            where id = (select id from ledger_account where guarded limit 1)
            """))
        {
            await tamper.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        (exitCode, report, output) = await RunAsync(settle);
        Assert.Equal(1, exitCode);
        Assert.Equal(
            ["ledger_verify_clean", "sum_per_asset_zero", "fsync_on", "full_page_writes_on"], BrokenOf(report));
        Assert.Contains("finding: ", output, StringComparison.Ordinal);
    }

    /// <summary>A database that swallows one transfer in a thousand and says nothing.</summary>
    [Fact]
    public async Task Settle_notices_an_acknowledged_transfer_that_is_not_there()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using (var dataSource = Npgsql.NpgsqlDataSource.Create(database))
        await using (var thief = dataSource.CreateCommand(
            """
            create function pocket() returns trigger language plpgsql as $$
            begin
                new.id = gen_random_uuid();
                return new;
            end
            $$;
            alter table entry drop constraint if exists entry_transfer_id_fkey;
            create trigger pocket before insert on transfer for each row
                when (new.kind = 1 and right(new.id::text, 2) = '00' and new.amount_minor <= 1000)
                execute function pocket()
            """))
        {
            await thief.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var (exitCode, report, _) = await RunAsync(
            "settle", "--seconds", "1", "--accounts", "1000", "--callers", "64", "--only", "uniform", "--database",
            database);
        Assert.Equal(1, exitCode);
        Assert.Contains("applied_ids_are_acknowledged_ids", BrokenOf(report));
        Assert.Contains("ledger_verify_clean", BrokenOf(report));
        Assert.DoesNotContain("sum_per_asset_zero", BrokenOf(report));
    }

    [Fact]
    public async Task Fill_makes_a_ledger_that_verify_finds_clean()
    {
        var database = await postgres.CreateDatabaseAsync();
        var (exitCode, report, output) = await RunAsync(
            "fill", "--transfers", "5000", "--accounts", "100", "--database", database);
        Assert.True(exitCode == 0, output);
        Assert.InRange(report.GetProperty("figures").GetProperty("transfers").GetInt64(), 5_100, 5_101);
    }

    [Theory]
    [InlineData("settle", "--rounds", "2")]
    [InlineData("settle", "--seconds", "0")]
    [InlineData("settle", "--only", "nothing")]
    [InlineData("ledger-growth", "--entries", "5 4")]
    [InlineData("fill", "--transfers", "-1")]
    public async Task What_is_out_of_bounds_is_refused_before_anything_runs(string scenario, string option, string value)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        Assert.Equal(2, await CommandLine.RunAsync([scenario, option, .. value.Split(' ')], output));
    }

    private static string[] BrokenOf(JsonElement report) =>
    [
        .. from invariant in report.GetProperty("invariants").EnumerateObject()
           where !invariant.Value.GetBoolean()
           select invariant.Name,
    ];

    private static async Task<(int ExitCode, JsonElement Report, string Output)> RunAsync(params string[] args)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "report.json");
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        var exitCode = await CommandLine.RunAsync([.. args, "--json", file], output);
        using var report = JsonDocument.Parse(
            await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        return (exitCode, report.RootElement.Clone(), output.ToString());
    }
}

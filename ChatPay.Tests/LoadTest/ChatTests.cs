using System.Globalization;
using System.Text.Json;
using ChatPay.LoadTest;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.LoadTest;

/// <summary>
/// The load tests of delivery, tiny: that they run, what they write, and that they can fail. No times are judged.
/// </summary>
public sealed class ChatTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Chat_runs_end_to_end_beside_both_relays_and_every_invariant_holds()
    {
        var (exitCode, report, output) = await RunAsync(
            "chat", "--seconds", "1", "--rounds", "1", "--warm-up", "100", "--connections", "8", "--rate", "200",
            "--database", await postgres.CreateDatabaseAsync());
        Assert.True(exitCode == 0, output);
        Assert.Equal("chat", report.GetProperty("scenario").GetString());
        foreach (var ratio in new[]
        {
            "cpu_per_message_vs_raw_websocket", "messages_vs_signalr_relay", "p99_vs_raw_websocket",
            "postgres_cpu_per_message_vs_raw_websocket",
        })
        {
            Assert.True(report.GetProperty("ratios").GetProperty(ratio).GetDouble() > 0, ratio);
        }

        foreach (var section in new[] { "raw_websocket", "signalr_relay", "chatpay" })
        {
            var figures = report.GetProperty("figures").GetProperty(section);
            Assert.True(figures.GetProperty("perSecond").GetDouble() > 0, section);
            Assert.True(figures.GetProperty("p99Ms").GetDouble() > 0, section);
        }
    }

    [Fact]
    public async Task Fanout_idle_storm_and_growth_run_end_to_end_and_every_invariant_holds()
    {
        (string Ratio, string[] Arguments)[] runs =
        [
            ("cpu_per_delivery_vs_signalr_group",
                ["fanout", "--members", "3", "5", "--seconds", "1", "--rounds", "1", "--warm-up", "10"]),
            ("memory_vs_raw_websocket", ["idle", "--connections", "4", "--settle", "1"]),
            ("requests_per_client", ["storm", "--clients", "6"]),
            ("history_cpu_300_vs_100",
                ["growth", "--messages", "100", "300", "--seconds", "1", "--rounds", "1", "--warm-up", "10"]),
        ];
        foreach (var (ratio, arguments) in runs)
        {
            var (exitCode, report, output) = await RunAsync(
                [.. arguments, "--database", await postgres.CreateDatabaseAsync()]);
            Assert.True(exitCode == 0, output);
            Assert.True(report.GetProperty("ratios").GetProperty(ratio).GetDouble() > 0, output);
        }
    }

    /// <summary>A database that swallows one message in sixteen and says nothing.</summary>
    [Fact]
    public async Task Chat_notices_an_acknowledged_message_that_is_not_in_the_log()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using (var dataSource = Npgsql.NpgsqlDataSource.Create(database))
        await using (var thief = dataSource.CreateCommand(
            """
            create function swallow() returns trigger language plpgsql as 'begin return null; end';
            create trigger swallow before insert on event for each row
                when (new.kind = 1 and right(new.client_id::text, 1) = '7') execute function swallow()
            """))
        {
            await thief.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var (exitCode, report, _) = await RunAsync(
            "chat", "--seconds", "1", "--rounds", "1", "--warm-up", "0", "--connections", "4", "--rate", "100",
            "--database", database);
        Assert.Equal(1, exitCode);
        Assert.False(
            report.GetProperty("invariants").GetProperty("log_holds_what_was_acknowledged").GetBoolean());
    }

    [Theory]
    [InlineData("chat", "--rounds", "0")]
    [InlineData("chat", "--payload", "16")]
    [InlineData("chat", "--server", "WritesPerSecond")]
    [InlineData("fanout", "--members", "1")]
    [InlineData("growth", "--messages", "2000 1000")]
    [InlineData("storm", "--clients", "1")]
    public async Task What_is_out_of_bounds_is_refused_before_anything_runs(string scenario, string option, string value)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        Assert.Equal(2, await CommandLine.RunAsync([scenario, option, .. value.Split(' ')], output));
    }

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

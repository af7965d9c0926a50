using System.Globalization;
using System.Text.Json;
using ChatPay.LoadTest;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.LoadTest;

/// <summary>
/// The load tests of cards, tiny: that they run, what they write, and that they can fail. No times are judged.
/// </summary>
public sealed class PayLoadTests(PostgresFixture postgres)
{
    private static readonly string[] s_payments =
        ["pay", "--clients", "6", "--seconds", "1", "--rounds", "1", "--warm-up", "20"];

    private static readonly string[] s_packets =
        ["packet", "--people", "24", "--shares", "10", "--rounds", "2", "--warm-up", "1"];

    [Fact]
    public async Task Payments_are_exact_and_stand_beside_calls_of_a_bare_hub()
    {
        var (exitCode, report, output) = await RunAsync(
            await postgres.CreateDatabaseAsync(), [.. s_payments, "--nodes", "2"]);

        Assert.True(exitCode == 0, output);
        foreach (var ratio in new[] { "payments_vs_signalr_roundtrips", "payments_at_once_vs_signalr_roundtrips" })
        {
            Assert.True(report.GetProperty("ratios").GetProperty(ratio).GetDouble() > 0, output);
        }

        var figures = report.GetProperty("figures");
        foreach (var section in new[] { "payments", "payments_at_once", "signalr_roundtrips" })
        {
            foreach (var figure in new[] { "perSecond", "p50Ms", "p99Ms", "processCpuMicros" })
            {
                Assert.True(figures.GetProperty(section).GetProperty(figure).GetDouble() > 0, section + " " + figure);
            }
        }

        Assert.True(figures.GetProperty("payments").GetProperty("postgresCpuMicros").GetDouble() > 0, output);

        // The bare hub is called with as many bytes; a payment is two calls of ChatPay's.
        Assert.InRange(figures.GetProperty("call_bytes").GetInt32(), 800, 2000);
        Assert.True(figures.GetProperty("unsealed").GetProperty("maxMs").GetDouble() > 0, output);
        Assert.True(figures.GetProperty("expiries").GetProperty("closed").GetInt32() > 0, output);
        Assert.Equal(13, report.GetProperty("invariants").EnumerateObject().Count());
    }

    [Fact]
    public async Task A_packet_is_given_out_exactly_and_everybody_is_told_of_it()
    {
        foreach (var mode in new[] { "Random", "Fixed" })
        {
            var (exitCode, report, output) = await RunAsync(
                await postgres.CreateDatabaseAsync(), [.. s_packets, "--mode", mode]);

            Assert.True(exitCode == 0, output);
            var packets = report.GetProperty("figures").GetProperty("packets").EnumerateArray().ToArray();
            Assert.Equal(2, packets.Length);
            Assert.All(packets, packet =>
            {
                Assert.True(packet.GetProperty("secondsToLastAnswer").GetDouble() > 0, output);
                Assert.True(packet.GetProperty("secondsToLastEvent").GetDouble() > 0, output);
                Assert.Equal(14, packet.GetProperty("refusals").GetProperty("CardTerminal").GetInt32());
            });
            Assert.Equal(11, report.GetProperty("invariants").EnumerateObject().Count());
        }
    }

    /// <summary>A database that loses signatures, asks for none, and says nothing.</summary>
    [Fact]
    public async Task A_debit_without_its_signature_is_noticed()
    {
        var database = await SwallowingAsync("card_authorisation", "right(new.transfer_id::text, 1) = '7'");
        await postgres.AdministerAsync(database, "alter table transfer disable trigger transfer_is_authorised");

        var (exitCode, report, _) = await RunAsync(database, s_payments);

        Assert.Equal(1, exitCode);
        Assert.False(report.GetProperty("invariants").GetProperty("every_debit_is_signed").GetBoolean());
        Assert.False(report.GetProperty("invariants").GetProperty("ledger_verify_clean").GetBoolean());
    }

    /// <summary>A database that loses one share of a packet, and says nothing.</summary>
    [Fact]
    public async Task A_share_that_nobody_has_is_noticed()
    {
        var (exitCode, report, _) = await RunAsync(await SwallowingAsync("card_part", "new.place = 3"), s_packets);

        Assert.Equal(1, exitCode);
        var invariants = report.GetProperty("invariants");
        Assert.False(invariants.GetProperty("every_share_is_taken_once").GetBoolean());
        Assert.False(invariants.GetProperty("answers_are_the_shares").GetBoolean());
        Assert.True(invariants.GetProperty("every_wallet_is_exact").GetBoolean());
    }

    [Theory]
    [InlineData("pay", "--clients", "1")]
    [InlineData("pay", "--only", "raw_websocket")]
    [InlineData("packet", "--shares", "1001")]
    [InlineData("packet", "--people", "999")]
    public async Task What_is_out_of_bounds_is_refused_before_anything_runs(string scenario, string option, string value)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        Assert.Equal(2, await CommandLine.RunAsync([scenario, option, value], output));
    }

    /// <summary>A new database that takes a server's rows and forgets some of them.</summary>
    private async Task<string> SwallowingAsync(string table, string which)
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var dataSource = NpgsqlDataSource.Create(database);
        await using var thief = dataSource.CreateCommand(
            $"""
            create function swallow() returns trigger language plpgsql as 'begin return null; end';
            create trigger swallow before insert on {table} for each row when ({which}) execute function swallow()
            """);
        await thief.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return database;
    }

    private static async Task<(int ExitCode, JsonElement Report, string Output)> RunAsync(
        string database, IEnumerable<string> args)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "report.json");
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        var exitCode = await CommandLine.RunAsync([.. args, "--database", database, "--json", file], output);
        using var report = JsonDocument.Parse(
            await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        return (exitCode, report.RootElement.Clone(), output.ToString());
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using ChatPay.Core.Ledger;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;
using ChatPay.Server.Ledger.Verify;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Spectre.Console;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The command itself: exit codes, report, progress, interruption, and a server that is busy meanwhile.</summary>
public sealed class LedgerVerifyCommandTests(PostgresFixture postgres, VerifyScene scene) : IClassFixture<VerifyScene>
{
    [Fact]
    public async Task The_program_exits_with_0_for_clean_1_for_findings_and_2_for_neither()
    {
        var database = await scene.CopyAsync();
        await using var program = On(database);
        var report = Path.Combine(Path.GetDirectoryName(program.DataFolder)!, "report.json");

        var clean = await program.RunAsync("ledger", "verify", "--json", report);
        Assert.True(clean.ExitCode == 0, clean.Output);
        Assert.Contains("The ledger is clean.", clean.Output, StringComparison.Ordinal);
        using (var json = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken)))
        {
            Assert.True(json.RootElement.GetProperty("clean").GetBoolean());
            Assert.Equal(9, json.RootElement.GetProperty("checked").GetArrayLength());
        }

        await postgres.AdministerAsync(database, $"update ledger_account set balance_minor = 1 where id = '{scene.Bob}'");
        var found = await program.RunAsync("ledger", "verify", "--json", report);
        Assert.Equal(1, found.ExitCode);
        using (var json = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken)))
        {
            Assert.False(json.RootElement.GetProperty("clean").GetBoolean());
            Assert.StartsWith(
                $"account {scene.Bob}: entries end at version ", json.RootElement.GetProperty("shown")[0].GetString(),
                StringComparison.Ordinal);
        }

        await using var nowhere = On("Host=127.0.0.1;Port=1;Username=nobody");
        var unknown = await nowhere.RunAsync("ledger", "verify");
        Assert.Equal(2, unknown.ExitCode);
        Assert.StartsWith("The ledger could not be verified: ", unknown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_was_never_migrated_is_not_called_clean()
    {
        var (exitCode, output) = await VerifyScene.VerifyAsync(await postgres.CreateEmptyDatabaseAsync());
        Assert.Equal(2, exitCode);
        Assert.StartsWith("The ledger could not be verified: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupted_verification_says_so_and_leaves_nobody_connected()
    {
        var database = await scene.CopyAsync();
        await postgres.AdministerAsync(
            database,
            $"""
            set session_replication_role = replica;
            insert into entry
            select '{scene.Dave}', n + 2, '{Guid.Empty}', 1, 0, 10000 + n, 0, now() from generate_series(1, 300000) n
            """);
        using var interrupt = new CancellationTokenSource();
        await using var output = new InterruptingWriter(interrupt);
        var (exitCode, _) = await VerifyScene.VerifyAsync(database, null, output, interrupt.Token);
        Assert.Equal(2, exitCode);
        Assert.EndsWith(
            "Interrupted; the ledger was not verified.", output.ToString().TrimEnd(), StringComparison.Ordinal);
        await using var source = NpgsqlDataSource.Create(database + ";Pooling=false");
        await using var count = source.CreateCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
        await Eventually.TrueAsync(
            async () => await count.ExecuteScalarAsync(TestContext.Current.CancellationToken) is 0L,
            "nobody is connected any more");
    }

    [Fact]
    public async Task Progress_tells_how_far_it_is_of_how_much()
    {
        await using var output = new LineCollector();
        var display = new VerifyDisplay(output, TimeSpan.FromMilliseconds(1));
        var stage = new VerifyStage("entries", expectedRows: 1_000_000);
        var work = new TaskCompletionSource();
        var watching = display.WatchAsync(stage, work.Task);
        await Eventually.TrueAsync(() => Told("... entries: sorting for 0 s"), "it tells that rows are being sorted");
        stage.Advance(250_000);
        await Eventually.TrueAsync(() => Told("... entries: 250,000 of about 1,000,000 (25 %), "), "it tells how far it is");
        work.SetResult();
        await watching;

        Task<bool> Told(string start) =>
            Task.FromResult(output.Lines.Any(line => line.StartsWith(start, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task On_a_narrow_terminal_a_long_line_leaves_nothing_of_the_bar_beside_it()
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = 40;
        var exitCode = await VerifyBar.RunAsync(console, display =>
        {
            display.Line("Interrupted; the ledger was not verified.");
            return Task.FromResult(2);
        });
        Assert.Equal(2, exitCode);
        Assert.Contains("\nverified." + new string(' ', 31), output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_moves_money_meanwhile_stays_clean()
    {
        await using var money = new MoneyFixture(postgres);
        await money.InitializeAsync();
        var eur = AssetCode.Parse("EUR");
        var accounts = new LedgerAccountId[6];
        for (var index = 0; index < accounts.Length; index++)
        {
            accounts[index] = LedgerAccountId.Of((await money.PersonAsync()).Account, eur);
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var moving = Task.WhenAll(Enumerable.Range(0, 16).Select(index => MoveAsync(money, accounts, index, stop.Token)));
        var entries = new List<string>();
        for (var round = 0; round < 12; round++)
        {
            var (exitCode, output) = await money.VerifyAsync();
            Assert.True(exitCode == 0, output);
            entries.Add(output.Split('\n')[1]);
        }

        await stop.CancelAsync();
        await moving;

        // Money did move: each round saw more of it.
        Assert.Equal(entries.Count, entries.Distinct(StringComparer.Ordinal).Count());
        await money.AssertCleanAsync();
    }

    private static ServerProcess On(string connectionString) => new(new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Database__ConnectionString"] = connectionString,
    });

    /// <summary>Transfers, holds with capture, refunds and groups, as fast as the engine takes them.</summary>
    private static async Task MoveAsync(
        MoneyFixture money, LedgerAccountId[] accounts, int seed, CancellationToken stop)
    {
        var committer = money.Server.Services.GetRequiredService<GroupCommitter>();
        TransferId Id() => new(money.NewId());
        for (var round = 0; !stop.IsCancellationRequested; round++)
        {
            var (debit, credit) = (accounts[(seed + round) % 6], accounts[(seed + round + 1 + (round % 5)) % 6]);
            var one = Money.Of(1 + (round % 7), AssetCode.Parse("EUR"));
            var (paid, hold) = (Id(), Id());
            await committer.SubmitAsync(new PostTransferCommand(
                LedgerCommand.Transfer(paid, debit, credit, one)), CancellationToken.None);
            await committer.SubmitAsync(new PostTransferCommand(
                LedgerCommand.Refund(Id(), paid, credit, debit, one)), CancellationToken.None);
            await committer.SubmitAsync(
                new PostGroupCommand(new LedgerGroup(
                    new LedgerGroupId(money.NewId()),
                    LedgerCommand.Hold(hold, debit, one, 60),
                    LedgerCommand.Capture(Id(), hold, debit, credit, Money.Of(1, one.Asset)),
                    LedgerCommand.Transfer(Id(), credit, debit, one))),
                CancellationToken.None);
            await committer.SubmitAsync(new PostTransferCommand(
                LedgerCommand.Release(Id(), hold, debit, one.Asset)), CancellationToken.None);
        }
    }

    /// <summary>Written to and read from by different tasks.</summary>
    private sealed class LineCollector : StringWriter
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public override void WriteLine(string? value) => Lines.Enqueue(value!);
    }

    /// <summary>Ctrl-C at the first finding.</summary>
    private sealed class InterruptingWriter(CancellationTokenSource interrupt) : StringWriter(CultureInfo.InvariantCulture)
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value!.StartsWith("finding: ", StringComparison.Ordinal))
            {
                interrupt.Cancel();
            }
        }
    }
}

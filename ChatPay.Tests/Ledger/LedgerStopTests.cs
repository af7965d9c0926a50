using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Server.Database;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>PostgreSQL ended at once, again and again, while payments are on their way; with fsync, as in production.</summary>
public sealed class LedgerStopTests
{
    private const int Stops = 6;
    private const int Payers = 24;
    private const int Tills = 6;

    private static readonly LedgerAccount s_mint = LedgerAccount.Open(LedgerOwner.OfSystem("mint"), LedgerScene.Eur);

    private static readonly LedgerAccount[] s_tills = [.. Enumerable.Range(0, Tills).Select(till =>
        LedgerAccount.Open(LedgerOwner.OfSystem($"till{till}"), LedgerScene.Eur) with { Guarded = true })];

    private readonly ConcurrentDictionary<LedgerCommand, LedgerOutcome> _acknowledged = [];

    [Fact]
    public async Task After_immediate_stops_nothing_acknowledged_is_missing_and_nothing_is_done_twice()
    {
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        TestContext.Current.TestOutputHelper!.WriteLine($"Seed {seed}.");
        var dice = new Dice(seed);
        using var folder = new TemporaryFolder();
        using var dataFolder = DataFolder.Hold(folder.Path);
        await using var postgres = await EmbeddedPostgres.StartAsync(
            dataFolder, null, null, NullLogger.Instance, TestContext.Current.CancellationToken);
        using var alive = new CancellationTokenSource();
        var keeper = postgres.KeepAliveAsync(alive.Token);
        await using (var source = NpgsqlDataSource.Create(postgres.ConnectionString + ";Pooling=false"))
        {
            await using var one = await LedgerNode.StartAsync(postgres.ConnectionString, batchSize: 8, flights: 3);
            await using var two = await LedgerNode.StartAsync(postgres.ConnectionString, batchSize: 8, flights: 3);
            await FundAsync(source, one, dice);
            using var done = new CancellationTokenSource();
            var payers = Enumerable.Range(0, Payers).Select(payer => Task.Run(async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    var command = LedgerCommand.Transfer(
                        new TransferId(dice.NextId()), s_tills[payer % Tills].Id, s_tills[(payer + 1) % Tills].Id,
                        Money.Of(1 + dice.Next(300), LedgerScene.Eur));

                    // The answer may come from the attempt before a stop or from the one after; it is the same.
                    _acknowledged[command] = await (payer % 2 == 0 ? one : two).PostAsync(command);
                }
            })).ToArray();

            for (var stop = 0; stop < Stops; stop++)
            {
                await UntilMoreAsync(40 + dice.Next(160), payers);
                await EndAsync(folder.Path, stop);
            }

            await UntilMoreAsync(200, payers);
            await done.CancelAsync();
            await Task.WhenAll(payers).WaitAsync(LedgerScene.Deadline);
            await AssertStoredAsync(source);
            await using var output = new StringWriter(CultureInfo.InvariantCulture);
            Assert.True(
                await one.Server.Services.VerifyLedgerAsync(output, CancellationToken.None) == 0, output.ToString());
        }

        await alive.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => keeper);
    }

    private async Task FundAsync(NpgsqlDataSource source, LedgerNode node, Dice dice)
    {
        await LedgerScene.OpenAsync(source, [s_mint, .. s_tills]);
        foreach (var till in s_tills)
        {
            var grant = LedgerCommand.Transfer(
                new TransferId(dice.NextId()), s_mint.Id, till.Id, Money.Of(1_000, LedgerScene.Eur));
            _acknowledged[grant] = await node.PostAsync(grant);
        }
    }

    private async Task UntilMoreAsync(int count, Task[] payers)
    {
        var goal = _acknowledged.Count + count;
        using var deadline = new CancellationTokenSource(LedgerScene.Deadline);
        while (_acknowledged.Count < goal)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), deadline.Token);
            if (Array.Find(payers, payer => payer.IsCompleted) is { } ended)
            {
                await ended;
                Assert.Fail("A payer ended by itself.");
            }
        }
    }

    /// <summary>In turn: what pg_ctl stop -m immediate does, a crash of one process, and the loss of all of them.</summary>
    private static async Task EndAsync(string folder, int turn)
    {
        var file = PostmasterFile.PathIn(Path.Combine(folder, "postgres", "cluster"));
        var postmaster = (await File.ReadAllLinesAsync(file))[0];
        var kill = (turn % 3) switch
        {
            0 => $"kill -QUIT {postmaster}",
            1 => $"kill -KILL $(pgrep -n -P {postmaster})",
            _ => $"pkill -KILL -P {postmaster}; kill -KILL {postmaster}",
        };
        using var shell = Process.Start("/bin/sh", ["-c", kill]);
        await shell.WaitForExitAsync();
        Assert.Equal(0, shell.ExitCode);
    }

    private async Task AssertStoredAsync(NpgsqlDataSource source)
    {
        await using var connection = await source.OpenConnectionAsync();
        var stored = (await connection.QueryAsync<(Guid Id, int Status)>("select id, status from transfer"))
            .ToDictionary(row => new TransferId(row.Id), row => (LedgerStatus)row.Status);
        Assert.Equal(_acknowledged.Count, stored.Count);
        Assert.All(_acknowledged, pair => Assert.Equal(stored[pair.Key.Id], pair.Value.Status));
        Assert.Contains(LedgerStatus.InsufficientFunds, stored.Values);

        foreach (var till in s_tills)
        {
            var expected = _acknowledged.Where(pair => pair.Value.IsApplied).Sum(pair =>
                pair.Key.Credit == till.Id ? pair.Key.Amount.Value
                : pair.Key.Debit == till.Id ? -pair.Key.Amount.Value
                : 0);
            Assert.Equal(expected, await connection.QuerySingleAsync<long>(
                "select balance_minor from ledger_account where id = @id", new { id = till.Id.Value }));
        }
    }
}

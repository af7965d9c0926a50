using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Filling;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using Npgsql;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What a run of <c>fill</c> was asked for.</summary>
internal sealed record FillOptions
{
    public const int TransfersMax = 100_000_000;
    public const int AccountsMin = 2;

    public required int Transfers { get; init; }

    public int Accounts { get; init; } = 100_000;

    /// <summary>A PostgreSQL of one's own; null for an embedded one.</summary>
    public string? Database { get; init; }

    /// <summary>Where to keep the embedded one, for the server's own commands; null to throw it away.</summary>
    public DirectoryInfo? Data { get; init; }

    public FileInfo? Json { get; init; }

    public required string Command { get; init; }
}

/// <summary>Fills a ledger with history in bulk, and lets <c>ledger verify</c> look at it.</summary>
internal static class FillScenario
{
    public const string Name = "fill";

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var transfers = OptionBounds.Whole(
            "--transfers", 500_000, 1, FillOptions.TransfersMax,
            "Transfers, holds and captures to make up; entries are almost twice as many.");
        var accounts = OptionBounds.Whole(
            "--accounts", 100_000, FillOptions.AccountsMin, SettleOptions.AccountsMax, "Wallets that they go between.");
        var database = SharedOptions.Database();
        var data = new Option<DirectoryInfo?>("--data")
        {
            Description = "Keep the embedded PostgreSQL in this folder, for ChatPay.Server ledger verify --data.",
        };
        var json = SharedOptions.Json();
        var command = new Command(Name, "Fill a ledger with history in bulk and verify it.")
        {
            transfers, accounts, database, data, json,
        };
        command.SetAction((parsed, stop) => RunAsync(
            new FillOptions
            {
                Transfers = parsed.GetValue(transfers),
                Accounts = parsed.GetValue(accounts),
                Database = parsed.GetValue(database),
                Data = parsed.GetValue(data),
                Json = parsed.GetValue(json),
                Command = RunIdentity.CommandOf(args),
            },
            output,
            stop));
        return command;
    }

    private static Task<int> RunAsync(FillOptions options, TextWriter output, CancellationToken cancellationToken) =>
        ScenarioConsole.RunAsync(output, Name, console => RunAsync(options, console, cancellationToken));

    private static async Task<int> RunAsync(
        FillOptions options, ScenarioConsole console, CancellationToken cancellationToken)
    {
        console.Expect(5);
        await using var bench = await ScenarioBench.StartAsync(
            console, options.Database, options.Data?.FullName, cancellationToken);
        var (engine, owner) = (bench.Engine, bench.Owner);
        await using var writer = NpgsqlDataSource.Create(
            bench.Database.SuperuserConnectionString ?? bench.Database.ConnectionString);

        console.Begin("wallets");
        var seed = (ulong)Stopwatch.GetTimestamp();
        var accounts = await engine.OpenWalletsAsync(owner, options.Accounts, seed, cancellationToken);
        console.Done();
        var filling = Stopwatch.StartNew();
        await Filler.FillAsync(
            writer, accounts, EngineHost.Asset, IdOrder.Time, options.Transfers, ~seed, console, cancellationToken);
        var (entries, transfers) = await MeasuredStore.CountAsync(owner, cancellationToken);
        var fillSeconds = filling.Elapsed.TotalSeconds;
        console.Done(FormattableString.Invariant($"filled: {transfers:N0} transfers, {entries:N0} entries, {fillSeconds:N1} s"));

        console.Begin("ledger log");
        var before = await engine.SealedAsync(cancellationToken);
        var sealing = Stopwatch.StartNew();
        var inLog = await engine.SealAsync(cancellationToken);
        var sealSeconds = sealing.Elapsed.TotalSeconds;
        console.Done(FormattableString.Invariant(
            $"sealed: {inLog - before:N0} transfers, {sealSeconds:N1} s, {(inLog - before) / sealSeconds:N0}/s"));

        console.Begin("ledger verify");
        var verifying = Stopwatch.StartNew();
        await using var verify = new StringWriter(CultureInfo.InvariantCulture);
        var (clean, peakBytes) = await PeakMemory.WhileAsync(engine.VerifyAsync(verify, cancellationToken));
        var verifySeconds = verifying.Elapsed.TotalSeconds;
        console.Done(verify.ToString().TrimEnd() + FormattableString.Invariant($" {verifySeconds:N1} s"));
        var relations = await MeasuredStore.ReadRelationsAsync(owner, cancellationToken);
        var unbalanced = await MeasuredStore.ReadUnbalancedAsync(owner, cancellationToken);
        var report = bench.Report(
            Name, options.Command,
            new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["transfers"] = transfers,
                ["entries"] = entries,
                ["fill_seconds"] = Math.Round(fillSeconds, 1),
                ["seal_seconds"] = Math.Round(sealSeconds, 1),
                ["sealed_per_second"] = Math.Round((inLog - before) / sealSeconds),
                ["verify_seconds"] = Math.Round(verifySeconds, 1),
                ["verify_peak_heap_mb"] = Math.Round(peakBytes / 1e6, 1),
                ["bytes_per_transfer"] = Math.Round(relations.Values.Sum() / (double)transfers, 1),
                ["relation_bytes"] = relations,
            },
            new Dictionary<string, double>(StringComparer.Ordinal),
            new Dictionary<string, bool>(StringComparer.Ordinal)
            {
                ["ledger_log_whole"] = inLog == transfers,
                ["ledger_verify_clean"] = clean,
                ["sum_per_asset_zero"] = unbalanced.Count == 0,
            });
        return await report.ConcludeAsync(
            console, new Dictionary<string, RatioTarget>(StringComparer.Ordinal), options.Json, cancellationToken);
    }
}

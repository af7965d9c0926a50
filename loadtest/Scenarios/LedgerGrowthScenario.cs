using System.CommandLine;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Filling;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using Npgsql;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What a run of <c>ledger-growth</c> was asked for.</summary>
internal sealed record LedgerGrowthOptions
{
    public const long EntriesMax = 200_000_000;

    public required IReadOnlyList<long> Entries { get; init; }

    public required int Rounds { get; init; }

    public required int Seconds { get; init; }

    public required int Accounts { get; init; }

    public required int Callers { get; init; }

    public required IdOrder Ids { get; init; }

    public FileInfo? Json { get; init; }

    public required string Command { get; init; }
}

/// <summary>What a transfer costs in a small ledger and in a large one.</summary>
internal static class LedgerGrowthScenario
{
    public const string Name = "ledger-growth";

    /// <summary>So many transfers, not so much time: a busy machine needs longer to compile the same code.</summary>
    private const int WarmUpTransfers = 100_000;

    private const int WarmUpRoundsMax = 60;

    private static readonly Dictionary<string, RatioTarget> s_targets = new(StringComparer.Ordinal);

    /// <summary>Between so many wallets even the smallest ledger has room: each begins with two entries.</summary>
    private const int AccountsDefault = 4_000;

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var entries = new Option<long[]>("--entries")
        {
            Description = "How many entries the ledger is to have before each measurement, ascending.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [10_000, 1_000_000, 10_000_000],
        };
        entries.Validators.Add(result =>
        {
            var stages = result.GetValueOrDefault<long[]>() ?? [];
            if (stages.Any(stage => stage is < 1 or > LedgerGrowthOptions.EntriesMax)
                || stages.Zip(stages.Skip(1)).Any(pair => pair.Second <= pair.First))
            {
                result.AddError(FormattableString.Invariant(
                    $"--entries takes ascending numbers from 1 to {LedgerGrowthOptions.EntriesMax:N0}."));
            }
        });
        var rounds = OptionBounds.Whole(
            "--rounds", SettleOptions.RoundsMin, 1, SettleOptions.RoundsMax, "Measurements at each size.");
        var seconds = OptionBounds.Whole("--seconds", 2, 1, SettleOptions.SecondsMax, "Seconds of each measurement.");
        var accounts = OptionBounds.Whole(
            "--accounts", AccountsDefault, SettleOptions.AccountsMin, SettleOptions.AccountsMax,
            "Wallets that transfers go between; each begins with two entries.");
        var callers = OptionBounds.Whole(
            "--callers", 4_096, SettleOptions.CallersMin, SettleOptions.CallersMax, "Callers that wait at once.");
        var ids = SharedOptions.Ids();
        var json = SharedOptions.Json();
        var command = new Command(Name, "What a transfer costs in a small ledger and in a large one.")
        {
            entries, rounds, seconds, accounts, callers, ids, json,
        };
        command.SetAction((parsed, stop) => RunAsync(
            new LedgerGrowthOptions
            {
                Entries = parsed.GetValue(entries)!,
                Rounds = parsed.GetValue(rounds),
                Seconds = parsed.GetValue(seconds),
                Accounts = parsed.GetValue(accounts),
                Callers = parsed.GetValue(callers),
                Ids = parsed.GetValue(ids),
                Json = parsed.GetValue(json),
                Command = RunIdentity.CommandOf(args),
            },
            output,
            stop));
        return command;
    }

    private static Task<int> RunAsync(LedgerGrowthOptions options, TextWriter output, CancellationToken cancellationToken) =>
        ScenarioConsole.RunAsync(output, Name, console => RunAsync(options, console, cancellationToken));

    private static async Task<int> RunAsync(
        LedgerGrowthOptions options, ScenarioConsole console, CancellationToken cancellationToken)
    {
        console.Expect(4 + (options.Entries.Count * (1 + options.Rounds)));
        await using var bench = await ScenarioBench.StartAsync(console, null, null, cancellationToken);
        var (database, engine, owner) = (bench.Database, bench.Engine, bench.Owner);
        await using var writer = NpgsqlDataSource.Create(database.SuperuserConnectionString!);
        await using var probe = await Probe.OpenAsync(owner, cancellationToken);

        var settle = new SettleOptions
        {
            Accounts = options.Accounts,
            Callers = options.Callers,
            Seconds = options.Seconds,
            Ids = options.Ids,
            Command = options.Command,
        };
        await WarmUpAsync(database, settle, console, cancellationToken);
        var run = new SettleRun(settle, console, database.ConnectionString, owner, engine, probe);
        var workloads = new SettleWorkloads(run);
        await workloads.PrepareAsync(cancellationToken);
        var before = await MeasuredStore.ReadAppliedAsync(owner, cancellationToken);
        var stages = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var entries in options.Entries)
        {
            before += await FillToAsync(entries, run, writer, workloads, cancellationToken);
            stages.Add(NameOf(entries), await LedgerGrowthStage.ReadAsync(owner, cancellationToken));
            for (var round = 1; round <= options.Rounds; round++)
            {
                await workloads.MeasureUniformAsync(round, NameOf(entries), cancellationToken);
            }
        }

        var invariants = await SettleInvariants.CheckAsync(
            run, workloads.Acknowledged, workloads.Refused, before, cancellationToken);
        var figures = run.Log.Figures();
        figures["ledger_before"] = stages;
        figures["write_path"] = engine.WritePath;
        var report = bench.Report(Name, options.Command, figures, RatiosOf(options, run.Log), invariants);
        return await report.ConcludeAsync(console, s_targets, options.Json, cancellationToken);
    }

    /// <summary>
    /// The engine over another database, until its code is compiled for speed: the smallest ledger must not pay for that, and
    /// must not grow by it.
    /// </summary>
    private static async Task WarmUpAsync(
        DatabaseUnderTest database, SettleOptions options, ScenarioConsole console, CancellationToken cancellationToken)
    {
        var beside = await database.CreateBesideAsync("warm_up", cancellationToken);
        await using var engine = await EngineHost.StartAsync(beside, cancellationToken);
        await using var owner = NpgsqlDataSource.Create(beside.ConnectionString);
        await using var probe = await Probe.OpenAsync(owner, cancellationToken);
        var workloads = new SettleWorkloads(
            new SettleRun(options, console, beside.ConnectionString, owner, engine, probe));
        await workloads.PrepareAsync(cancellationToken);
        for (var round = 1; round <= WarmUpRoundsMax && workloads.Acknowledged.Count < WarmUpTransfers; round++)
        {
            await workloads.MeasureUniformAsync(round, "warm_up", cancellationToken);
        }
    }

    /// <summary>Fills up what lacks; measuring has added entries too.</summary>
    private static async Task<IdFingerprint> FillToAsync(
        long entries, SettleRun run, NpgsqlDataSource writer, SettleWorkloads workloads,
        CancellationToken cancellationToken)
    {
        var (existing, _) = await MeasuredStore.CountAsync(run.DataSource, cancellationToken);
        var transfers = Math.Max(0, entries - existing) * FillPlan.TransfersPerEntries.Transfers
            / FillPlan.TransfersPerEntries.Entries;
        var made = transfers == 0
            ? default
            : await Filler.FillAsync(
                writer, workloads.Accounts, EngineHost.Asset, run.Options.Ids, transfers, run.NextSeed(), run.Console,
                cancellationToken);
        run.Console.Done(FormattableString.Invariant($"filled up to {entries:N0} entries with {made.Count:N0} transfers"));
        return made;
    }

    private static string NameOf(long entries) => FormattableString.Invariant($"entries_{entries}");

    private static Dictionary<string, double> RatiosOf(LedgerGrowthOptions options, SectionLog log)
    {
        var first = log.MedianPerSecond(NameOf(options.Entries[0]));
        return options.Entries.Skip(1).ToDictionary(
            entries => $"{NameOf(entries)}_vs_{NameOf(options.Entries[0])}",
            entries => first > 0 ? Math.Round(log.MedianPerSecond(NameOf(entries)) / first, 2) : 0,
            StringComparer.Ordinal);
    }
}

/// <summary>The ledger's size before it is measured at that size.</summary>
/// <param name="BytesPerTransfer">Of the ledger's tables and all their indexes.</param>
/// <param name="RelationBytes">Tables and indexes one by one.</param>
internal sealed record LedgerGrowthStage(
    long Entries, long Transfers, double BytesPerTransfer, IReadOnlyDictionary<string, long> RelationBytes)
{
    public static async Task<LedgerGrowthStage> ReadAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var (entries, transfers) = await MeasuredStore.CountAsync(dataSource, cancellationToken);
        var relations = await MeasuredStore.ReadRelationsAsync(dataSource, cancellationToken);
        return new(entries, transfers, Math.Round(relations.Values.Sum() / (double)transfers, 1), relations);
    }
}

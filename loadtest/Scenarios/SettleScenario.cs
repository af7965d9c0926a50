using System.Diagnostics;
using System.Globalization;
using ChatPay.LoadTest.Baselines;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using Npgsql;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>
/// How fast money settles: the server's engine, uniform, on one hot account and with holds, against pgbench's transaction on
/// the same PostgreSQL in the same rounds.
/// </summary>
internal sealed class SettleScenario
{
    public const string Name = "settle";

    private static readonly int[] s_tpcbConnections = [8, 16, 32];

    private readonly SettleOptions _options;
    private readonly TextWriter _output;
    private readonly NpgsqlDataSource _dataSource;
    private readonly EngineHost _engine;
    private readonly Probe _probe;
    private readonly SectionLog _log = new();
    private IdFingerprint _acknowledged;
    private long _refused;
    private ulong _seed;

    private SettleScenario(
        SettleOptions options, TextWriter output, NpgsqlDataSource dataSource, EngineHost engine, Probe probe)
    {
        _options = options;
        _output = output;
        _dataSource = dataSource;
        _engine = engine;
        _probe = probe;
        _seed = (ulong)Stopwatch.GetTimestamp();
    }

    public static async Task<int> RunAsync(
        SettleOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        var startedAt = TimeProvider.System.GetUtcNow();
        var commit = await RunIdentity.CommitAsync(cancellationToken);
        await using var database = await DatabaseUnderTest.StartAsync(options.Database, cancellationToken);
        await using var engine = await EngineHost.StartAsync(database.ConnectionString, cancellationToken);
        await using var dataSource = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database.ConnectionString) { ApplicationName = "loadtest" });
        await using var probe = await Probe.OpenAsync(dataSource, cancellationToken);
        var settings = await MeasuredStore.ReadSettingsAsync(dataSource, cancellationToken);
        var machine = Machine.Describe(database.Folder, settings);
        var scenario = new SettleScenario(options, output, dataSource, engine, probe);
        await output.WriteLineAsync(FormattableString.Invariant(
            $"settle: {options.Rounds} rounds of {options.Seconds} s per section, {options.Accounts} accounts"));
        await output.WriteLineAsync(FormattableString.Invariant(
            $"machine: {machine.Cpu}, {machine.Cores} cores, PostgreSQL {settings["server_version"]}"));
        var invariants = await scenario.MeasureAsync(settings, cancellationToken);
        var report = new Report(
            Name, options.Command, commit, machine, startedAt, scenario._log.Figures(), scenario.Ratios(), invariants);
        await scenario.PrintAsync(report);
        if (options.Json is { } file)
        {
            await report.WriteAsync(file, cancellationToken);
        }

        return report.Passed ? 0 : 1;
    }

    private async Task<IReadOnlyDictionary<string, bool>> MeasureAsync(
        IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        await _output.WriteLineAsync("preparing: pgbench's tables");
        await TpcbStore.CreateAsync(_dataSource, _options.TpcbScale, cancellationToken);
        await TpcbStore.VacuumAsync(_dataSource, full: true, cancellationToken);
        await _output.WriteLineAsync("preparing: wallets");
        var accounts = await _engine.OpenWalletsAsync(
            _options.Accounts, NextSeed(), new Progress<int>(), cancellationToken);
        var before = await MeasuredStore.ReadAppliedAsync(_dataSource, cancellationToken);
        var uniform = new UniformTraffic(accounts, EngineHost.Asset);
        (string Name, Traffic Traffic)[] workloads =
        [
            ("uniform", uniform),
            ("hot", new HotTraffic(accounts, EngineHost.Asset)),
            ("hold_capture", new HoldCaptureTraffic(accounts, EngineHost.Asset)),
        ];
        for (var round = 1; round <= _options.Rounds; round++)
        {
            await MeasureTpcbAsync("tpcb", TpcbShape.Statements, round, cancellationToken);
            await MeasureTpcbAsync("tpcb_pipelined", TpcbShape.Pipelined, round, cancellationToken);
            foreach (var (name, traffic) in workloads)
            {
                await MeasureEngineAsync(name, traffic, _options.Callers, round, cancellationToken);
            }
        }

        return await CheckAsync(before, settings, cancellationToken);
    }

    private async Task MeasureTpcbAsync(
        string name, TpcbShape shape, int round, CancellationToken cancellationToken)
    {
        SectionResult? best = null;
        foreach (var connections in s_tpcbConnections)
        {
            await TpcbStore.VacuumAsync(_dataSource, full: false, cancellationToken);
            var gate = new WorkerGate();
            var clients = new List<TpcbClient>(connections);
            try
            {
                for (var index = 0; index < connections; index++)
                {
                    clients.Add(await TpcbClient.ConnectAsync(
                        _dataSource, _options.TpcbScale, shape, NextSeed(), gate, cancellationToken));
                }

                var result = await Section.RunAsync(clients, gate, _probe, Window, cancellationToken);
                await AddAsync(FormattableString.Invariant($"{name}_{connections}"), round, result);
                best = best is null || result.PerSecond > best.PerSecond ? result : best;
            }
            finally
            {
                foreach (var client in clients)
                {
                    await client.DisposeAsync();
                }
            }
        }

        _log.Add(name, best!);
    }

    private async Task MeasureEngineAsync(
        string name, Traffic traffic, int callers, int round, CancellationToken cancellationToken)
    {
        var gate = new WorkerGate();
        Caller[] waiting =
            [.. Enumerable.Range(0, callers).Select(_ => new Caller(NextSeed(), traffic, _engine.SettleAsync, gate))];
        var result = await Section.RunAsync(waiting, gate, _probe, Window, cancellationToken);
        foreach (var caller in waiting)
        {
            _acknowledged += caller.Acknowledged;
            _refused += caller.Refused;
        }

        await AddAsync(name, round, result);
    }

    private TimeSpan Window => TimeSpan.FromSeconds(_options.Seconds);

    private async Task AddAsync(string name, int round, SectionResult result)
    {
        _log.Add(name, result);
        await _output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"round {round}: {name,-18} {result.PerSecond,9:N0} /s  p50 {result.P50.TotalMilliseconds,8:N2} ms  "
            + $"p99 {result.P99.TotalMilliseconds,8:N2} ms  cpu {result.ProcessCpuMicros,6:N1} + "
            + $"{result.PostgresCpuMicros,6:N1} us  tables {result.TableBytes,6:N0} B  wal {result.WalBytes,6:N0} B  "
            + $"batch {result.BatchMean,6:N0}"));
    }

    private async Task<IReadOnlyDictionary<string, bool>> CheckAsync(
        IdFingerprint before, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        await _output.WriteLineAsync("checking: the ledger");
        var applied = await MeasuredStore.ReadAppliedAsync(_dataSource, cancellationToken) - before;
        await using var verify = new StringWriter(CultureInfo.InvariantCulture);
        var clean = await _engine.VerifyAsync(verify, cancellationToken);
        if (!clean)
        {
            await _output.WriteLineAsync(verify.ToString());
        }

        return new Dictionary<string, bool>(StringComparer.Ordinal)
        {
            ["ledger_verify_clean"] = clean,
            ["sum_per_asset_zero"] =
                (await MeasuredStore.ReadUnbalancedAsync(_dataSource, cancellationToken)).Count == 0,
            ["applied_count_is_acknowledged_count"] = applied.Count == _acknowledged.Count,
            ["applied_ids_are_acknowledged_ids"] = applied == _acknowledged,
            ["nothing_refused"] = _refused == 0,
            ["tpcb_sums_agree"] = await TpcbStore.IsConsistentAsync(_dataSource, cancellationToken),
            ["fsync_on"] = settings["fsync"] == "on",
            ["synchronous_commit_on"] = settings["synchronous_commit"] == "on",
            ["full_page_writes_on"] = settings["full_page_writes"] == "on",
        };
    }

    private Dictionary<string, double> Ratios()
    {
        var ratios = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var baseline in new[] { "tpcb", "tpcb_pipelined" })
        {
            foreach (var workload in new[] { "uniform", "hot", "hold_capture" })
            {
                ratios[$"{workload}_vs_{baseline}"] =
                    Math.Round(_log.MedianPerSecond(workload) / _log.MedianPerSecond(baseline), 2);
            }
        }

        return ratios;
    }

    private async Task PrintAsync(Report report)
    {
        foreach (var (name, ratio) in report.Ratios)
        {
            await _output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{name,-28} {ratio,8:N2}"));
        }

        foreach (var (name, holds) in report.Invariants)
        {
            await _output.WriteLineAsync($"{(holds ? "holds" : "BROKEN")}: {name}");
        }
    }

    private ulong NextSeed() => SplitMix64.Mix(_seed++);
}

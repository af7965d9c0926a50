using System.Globalization;
using ChatPay.Core.Ledger;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Measuring;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>The engine's sections: throughput of three workloads, latency of one, and the driver without the engine.</summary>
internal sealed class SettleWorkloads(SettleRun run)
{
    public const string Uniform = "uniform";
    public const string Hot = "hot";
    public const string HoldCapture = "hold_capture";
    public const string Latency = "latency";
    public const string DriverAlone = "driver_alone";

    public static IReadOnlyList<string> Throughput { get; } = [Uniform, Hot, HoldCapture];

    /// <summary>Callers that wait at once where latency is measured; one is a lone transfer on an idle server.</summary>
    private static readonly int[] s_latencyCallers = [1, 64, 256, 1_024];

    private Traffic[] _traffic = [];

    /// <summary>The wallets that money goes between.</summary>
    public IReadOnlyList<LedgerAccountId> Accounts { get; private set; } = [];

    /// <summary>Sections in a round.</summary>
    public int Sections => Throughput.Count(run.Options.Wants) + (run.Options.Wants(Latency) ? s_latencyCallers.Length : 0)
        + (run.Options.Wants(DriverAlone) ? 1 : 0);

    /// <summary>Every command that the engine acknowledged as applied.</summary>
    public IdFingerprint Acknowledged { get; private set; }

    /// <summary>Commands that it decided against.</summary>
    public long Refused { get; private set; }

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        run.Console.Begin("wallets");
        Accounts = await run.Engine.OpenWalletsAsync(
            run.DataSource, run.Options.Accounts, run.NextSeed(), cancellationToken);
        _traffic =
        [
            new UniformTraffic(Accounts, EngineHost.Asset, run.Options.Ids),
            new HotTraffic(Accounts, EngineHost.Asset, run.Options.Ids),
            new HoldCaptureTraffic(Accounts, EngineHost.Asset, run.Options.Ids),
        ];
        run.Console.Done();
    }

    public async Task MeasureAsync(int round, CancellationToken cancellationToken)
    {
        foreach (var (name, traffic) in Throughput.Zip(_traffic).Where(pair => run.Options.Wants(pair.First)))
        {
            await MeasureAsync(round, name, traffic, run.Options.Callers, cancellationToken);
        }

        foreach (var callers in run.Options.Wants(Latency) ? s_latencyCallers : [])
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{Latency}_{callers}");
            await MeasureAsync(round, name, _traffic[0], callers, cancellationToken);
        }

        if (!run.Options.Wants(DriverAlone))
        {
            return;
        }

        run.Console.Begin(DriverAlone);
        await using var nothing = new NullEngine();
        var (driver, _) = await RunAsync(_traffic[0], nothing.SettleAsync, run.Options.Callers, cancellationToken);
        run.Add(round, DriverAlone, driver);
    }

    /// <summary>Throughput from any account to any other, under the name of what it is measured for.</summary>
    public Task MeasureUniformAsync(int round, string name, CancellationToken cancellationToken) =>
        MeasureAsync(round, name, _traffic[0], run.Options.Callers, cancellationToken);

    private async Task MeasureAsync(
        int round, string name, Traffic traffic, int callers, CancellationToken cancellationToken)
    {
        run.Console.Begin(name);
        var (result, waiting) = await RunAsync(traffic, run.Engine.SettleAsync, callers, cancellationToken);
        foreach (var caller in waiting)
        {
            Acknowledged += caller.Acknowledged;
            Refused += caller.Refused;
        }

        run.Add(round, name, result);
    }

    private async Task<(SectionResult Result, Caller[] Callers)> RunAsync(
        Traffic traffic, Settle settle, int callers, CancellationToken cancellationToken)
    {
        var gate = new WorkerGate();
        Caller[] waiting =
            [.. Enumerable.Range(0, callers).Select(_ => new Caller(run.NextSeed(), traffic, settle, gate))];
        return (await Section.RunAsync(
            waiting, traffic.Steps, gate, run.Probe, run.Window, cancellationToken), waiting);
    }
}

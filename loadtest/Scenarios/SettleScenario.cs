using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>
/// How fast money settles: the server's engine, uniform, on one hot account and with holds, against pgbench's transaction on
/// the same PostgreSQL in the same rounds.
/// </summary>
internal static class SettleScenario
{
    public const string Name = "settle";

    public static Task<int> RunAsync(SettleOptions options, TextWriter output, CancellationToken cancellationToken) =>
        ScenarioConsole.RunAsync(output, Name, console => RunAsync(options, console, cancellationToken));

    private static async Task<int> RunAsync(
        SettleOptions options, ScenarioConsole console, CancellationToken cancellationToken)
    {
        await using var bench = await ScenarioBench.StartAsync(console, options.Database, null, cancellationToken);
        var (engine, dataSource) = (bench.Engine, bench.Owner);
        await using var probe = await Probe.OpenAsync(dataSource, cancellationToken);
        var run = new SettleRun(options, console, bench.Database.ConnectionString, dataSource, engine, probe);
        var baseline = new SettleBaseline(run);
        var workloads = new SettleWorkloads(run);
        console.Expect(4 + (options.Rounds * (baseline.Sections + workloads.Sections)));
        await baseline.PrepareAsync(cancellationToken);
        await workloads.PrepareAsync(cancellationToken);
        var before = await MeasuredStore.ReadAppliedAsync(dataSource, cancellationToken);
        for (var round = 1; round <= options.Rounds; round++)
        {
            await baseline.MeasureAsync(round, cancellationToken);
            await workloads.MeasureAsync(round, cancellationToken);
        }

        var invariants = await SettleInvariants.CheckAsync(
            run, workloads.Acknowledged, workloads.Refused, before, cancellationToken);
        invariants.Add("tpcb_sums_agree", await baseline.FinishAsync(cancellationToken));
        var figures = run.Log.Figures();
        figures["relation_bytes"] = await MeasuredStore.ReadRelationsAsync(dataSource, cancellationToken);
        figures["write_path"] = engine.WritePath;
        var report = bench.Report(Name, options.Command, figures, SettleRatios.Of(run.Log), invariants);
        return await report.ConcludeAsync(console, SettleRatios.Targets, options.Json, cancellationToken);
    }
}

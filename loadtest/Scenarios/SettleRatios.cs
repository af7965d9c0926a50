using ChatPay.LoadTest.Reporting;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>The engine's workloads over the baselines: medians of settled payments over medians of transactions.</summary>
internal static class SettleRatios
{
    /// <summary>What the engine aims for, and what it must reach to be done.</summary>
    public static IReadOnlyDictionary<string, RatioTarget> Targets { get; } =
        new Dictionary<string, RatioTarget>(StringComparer.Ordinal)
        {
            ["uniform_vs_tpcb"] = new(Target: 10, Limit: 6),
            ["hot_vs_tpcb"] = new(Target: 15, Limit: 8),
        };

    public static IReadOnlyDictionary<string, double> Of(SectionLog log)
    {
        string[] baselines = [SettleBaseline.Statements, SettleBaseline.Pipelined, SettleBaseline.RealPgbench];
        var ratios = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var baseline in baselines.Where(log.Has))
        {
            foreach (var workload in SettleWorkloads.Throughput.Where(log.Has))
            {
                ratios[$"{workload}_vs_{baseline}"] = Ratio(log.MedianPerSecond(workload), log.MedianPerSecond(baseline));
            }
        }

        // On a machine that others use as well, CPU time says more than time: how much less of it one payment takes.
        foreach (var workload in SettleWorkloads.Throughput.Where(log.Has))
        {
            if (log.Has(SettleBaseline.Statements)
                && log.MedianCpuMicros(SettleBaseline.Statements) is { } tpcb
                && log.MedianCpuMicros(workload) is { } engine)
            {
                ratios[$"{workload}_cpu_vs_{SettleBaseline.Statements}"] = Ratio(tpcb, engine);
            }
        }

        return ratios;
    }

    private static double Ratio(double value, double baseline) => baseline > 0 ? Math.Round(value / baseline, 2) : 0;
}

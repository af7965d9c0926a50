using System.Diagnostics;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Measuring;

/// <summary>One workload over one window of time; null is what nobody could see.</summary>
/// <param name="PerSecond">Settled per second.</param>
/// <param name="ProcessCpuMicros">
/// CPU time of the process that serves, for one. Where this process hosts the engine the driver's is in it.
/// </param>
/// <param name="PostgresCpuMicros">Null where PostgreSQL is on another machine.</param>
/// <param name="TableBytes">Growth of ChatPay's tables and indexes for one.</param>
/// <param name="WalBytes">Write-ahead log for one.</param>
/// <param name="BatchMean">Commands in a batch of the write path; null where none was committed.</param>
internal sealed record SectionResult(
    double PerSecond, TimeSpan? P50, TimeSpan? P99, double? ProcessCpuMicros, double? PostgresCpuMicros,
    double? TableBytes, double? WalBytes, double? BatchMean)
{
    /// <summary>CPU time of this process for one, where it only drives.</summary>
    public double? DriverCpuMicros { get; init; }

    /// <summary>What another program says of itself.</summary>
    public static SectionResult OfRate(double perSecond) => new(perSecond, null, null, null, null, null, null, null);
}

/// <summary>Runs workers for a while and measures a window of it.</summary>
internal static class Section
{
    private static readonly TimeSpan s_warmUpMax = TimeSpan.FromSeconds(1);

    /// <param name="steps">
    /// How many answers settle one: counting those, the whole of a window counts, however the callers' steps fall in it.
    /// </param>
    public static async Task<SectionResult> RunAsync(
        IReadOnlyList<Worker> workers, int steps, WorkerGate gate, Probe probe, TimeSpan window,
        CancellationToken cancellationToken)
    {
        // What the last section left behind is not this one's to clear away.
        GC.Collect();
        var latencies = new LatencyHistogram();
        var running = Task.WhenAll(workers.Select(worker => worker.RunAsync()));
        try
        {
            var warmUp = window / 4;
            await WaitAsync(running, warmUp < s_warmUpMax ? warmUp : s_warmUpMax, cancellationToken);
            var start = await probe.ReadAsync(cancellationToken);
            var begin = Tally.Of(workers);
            gate.Measure(latencies);
            await WaitAsync(running, window, cancellationToken);
            var end = Tally.Of(workers);

            // Under load this takes a while too, so what it charges is for all that settled until it was read.
            var used = await probe.ReadAsync(cancellationToken) - start;
            var charged = Tally.Of(workers) - begin;
            gate.Stop();
            return Describe(end - begin, used, charged.Steps / (double)steps, steps, latencies);
        }
        finally
        {
            // What is under way comes to its end; its outcome belongs to the books.
            gate.Stop();
            await running;
        }
    }

    /// <summary>Waits, unless a worker fails first.</summary>
    private static async Task WaitAsync(Task running, TimeSpan time, CancellationToken cancellationToken)
    {
        var pause = Task.Delay(time, cancellationToken);
        if (await Task.WhenAny(running, pause) == running)
        {
            await running;
            throw new InvalidOperationException("The workers stopped before they were told to.");
        }

        await pause;
    }

    private static SectionResult Describe(
        Tally tally, Reading used, double charged, int steps, LatencyHistogram latencies)
    {
        // Where nothing settled, nothing can be said of one.
        double? Each(double? total) => charged == 0 ? null : total / charged;
        return new SectionResult(
            tally.Steps * (double)Stopwatch.Frequency / tally.Timestamp / steps,
            latencies.Count == 0 ? null : latencies.Percentile(0.5),
            latencies.Count == 0 ? null : latencies.Percentile(0.99),
            Each(used.ProcessCpu.TotalMicroseconds),
            Each(used.PostgresCpu?.TotalMicroseconds),
            Each(used.TableBytes),
            Each(used.WalBytes),
            used.Batches > 0 ? used.BatchedCommands / (double)used.Batches : null);
    }

    /// <summary>How many answers had come when.</summary>
    private readonly record struct Tally(long Timestamp, long Steps)
    {
        public static Tally operator -(Tally end, Tally begin) =>
            new(end.Timestamp - begin.Timestamp, end.Steps - begin.Steps);

        public static Tally Of(IReadOnlyList<Worker> workers) =>
            new(Stopwatch.GetTimestamp(), workers.Sum(worker => worker.Steps));
    }
}

using System.Diagnostics;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Measuring;

/// <summary>One workload over one window of time.</summary>
/// <param name="PerSecond">Settled per second.</param>
/// <param name="ProcessCpuMicros">CPU time of this process for one: the driver's, and the engine's which it hosts.</param>
/// <param name="PostgresCpuMicros">Null where PostgreSQL is on another machine.</param>
/// <param name="TableBytes">Growth of ChatPay's tables and indexes for one.</param>
/// <param name="WalBytes">Write-ahead log for one.</param>
/// <param name="BatchMean">Commands in a batch of the write path; null where none was committed.</param>
internal sealed record SectionResult(
    double PerSecond, double ProcessCpuMicros, double? PostgresCpuMicros, double TableBytes, double WalBytes,
    double? BatchMean, TimeSpan P50, TimeSpan P99);

/// <summary>Runs workers for a while and measures a window of it.</summary>
internal static class Section
{
    private static readonly TimeSpan s_warmUpMax = TimeSpan.FromSeconds(1);

    public static async Task<SectionResult> RunAsync(
        IReadOnlyList<Worker> workers, WorkerGate gate, Probe probe, TimeSpan window, CancellationToken cancellationToken)
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
            var settledAtStart = workers.Sum(worker => worker.Settled);
            gate.Measure(latencies);
            await WaitAsync(running, window, cancellationToken);
            var settled = workers.Sum(worker => worker.Settled) - settledAtStart;
            var used = await probe.ReadAsync(cancellationToken) - start;
            gate.Stop();
            return Describe(settled, used, latencies);
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

    private static SectionResult Describe(long settled, Reading used, LatencyHistogram latencies)
    {
        var seconds = used.Timestamp / (double)Stopwatch.Frequency;
        double Each(double total) => settled == 0 ? 0 : total / settled;
        return new SectionResult(
            settled / seconds,
            Each(used.ProcessCpu.TotalMicroseconds),
            used.PostgresCpu is { } postgres ? Each(postgres.TotalMicroseconds) : null,
            Each(used.TableBytes),
            Each(used.WalBytes),
            used.Batches > 0 ? used.BatchedCommands / (double)used.Batches : null,
            latencies.Percentile(0.5),
            latencies.Percentile(0.99));
    }
}

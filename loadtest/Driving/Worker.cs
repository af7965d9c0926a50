using System.Diagnostics;

namespace ChatPay.LoadTest.Driving;

/// <summary>
/// One of those that wait: asks, waits for the answer, asks again, until its gate is closed. It keeps its own tally, so that
/// workers share nothing but the histogram.
/// </summary>
internal abstract class Worker(WorkerGate gate)
{
    private long _steps;

    /// <summary>Answers so far that bring something nearer to being settled, readable from any thread.</summary>
    public long Steps => Volatile.Read(ref _steps);

    public async Task RunAsync()
    {
        while (!gate.Stopped)
        {
            var started = Stopwatch.GetTimestamp();
            if (await SettleOnceAsync())
            {
                gate.Record(started);
            }
        }
    }

    /// <summary>Called once for each answer.</summary>
    protected void Step() => Volatile.Write(ref _steps, _steps + 1);

    /// <returns>Whether it settled.</returns>
    protected abstract ValueTask<bool> SettleOnceAsync();
}

/// <summary>Tells workers when to stop, and takes their latencies while a window is measured.</summary>
internal sealed class WorkerGate
{
    private volatile bool _stopped;
    private volatile LatencyHistogram? _latencies;

    public bool Stopped => _stopped;

    public void Measure(LatencyHistogram latencies) => _latencies = latencies;

    public void Stop()
    {
        _latencies = null;
        _stopped = true;
    }

    public void Record(long started) => _latencies?.Record(Stopwatch.GetTimestamp() - started);
}

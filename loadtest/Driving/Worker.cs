using System.Diagnostics;

namespace ChatPay.LoadTest.Driving;

/// <summary>
/// One of those that wait: asks, waits for the answer, asks again, until its gate is closed. It keeps its own tally, so that
/// workers share nothing but the histogram.
/// </summary>
internal abstract class Worker(WorkerGate gate)
{
    private long _settled;

    /// <summary>Settled so far, readable from any thread.</summary>
    public long Settled => Volatile.Read(ref _settled);

    public async Task RunAsync()
    {
        while (!gate.Stopped)
        {
            var started = Stopwatch.GetTimestamp();
            if (await SettleOnceAsync())
            {
                Volatile.Write(ref _settled, _settled + 1);
                gate.Record(started);
            }
        }
    }

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

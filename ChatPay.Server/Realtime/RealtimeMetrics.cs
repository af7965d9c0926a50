using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ChatPay.Server.Realtime;

/// <summary>Meter <c>ChatPay.Realtime</c>. Instruments are process-wide, like the process's sockets.</summary>
internal static class RealtimeMetrics
{
    private static readonly Meter Meter = new("ChatPay.Realtime");

    private static readonly UpDownCounter<int> Connections =
        Meter.CreateUpDownCounter<int>("chatpay.connections", "{connection}", "Live hub connections.");

    private static readonly Counter<long> Pushes =
        Meter.CreateCounter<long>("chatpay.pushes", "{push}", "Things queued for connections.");

    private static readonly Counter<long> Resyncs =
        Meter.CreateCounter<long>("chatpay.resyncs", "{resync}", "Outbound queues that overflowed.");

    private static readonly Counter<long> SlowReaders =
        Meter.CreateCounter<long>("chatpay.slow_readers", "{connection}", "Connections closed because they do not read.");

    private static readonly Histogram<int> Frames =
        Meter.CreateHistogram<int>("chatpay.frame_pushes", "{push}", "Pushes joined into one frame.");

    private static readonly Histogram<int> Depth =
        Meter.CreateHistogram<int>("chatpay.outbound_depth", "{push}", "Pushes waiting per connection, sampled.");

    private static readonly Histogram<double> Calls =
        Meter.CreateHistogram<double>("chatpay.hub_call", "ms", "Time to answer a hub method.");

    private static readonly UpDownCounter<int> FanoutQueue =
        Meter.CreateUpDownCounter<int>("chatpay.fanout_waiting", "{batch}", "Committed batches waiting for fan-out.");

    private static readonly Counter<long> FanoutDrops = Meter.CreateCounter<long>(
        "chatpay.fanout_drops", "{batch}", "Committed batches that fan-out had no room for; they are read from the log.");

    private static readonly Histogram<double> Lags = Meter.CreateHistogram<double>(
        "chatpay.delivery_lag", "ms",
        "From a commit on this node until its event was handed to a socket; the oldest of a frame.");

    public static void FanoutWaits(int more) => FanoutQueue.Add(more);

    public static void FanoutDropped() => FanoutDrops.Add(1);

    /// <param name="since">Timestamp of the commit; 0 where it was not here.</param>
    public static void Delivered(long since)
    {
        if (since != 0 && Lags.Enabled)
        {
            Lags.Record(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }
    }

    public static void Connected() => Connections.Add(1);

    public static void Disconnected() => Connections.Add(-1);

    public static void Pushed(PushKind kind)
    {
        // Asked first, because the tag is an object and this is said for every receiver of every message.
        if (Pushes.Enabled)
        {
            Pushes.Add(1, new KeyValuePair<string, object?>("kind", kind));
        }
    }

    public static void Resynced() => Resyncs.Add(1);

    public static void SlowReader() => SlowReaders.Add(1);

    public static void Wrote(int pushes) => Frames.Record(pushes);

    public static void Waiting(int pushes) => Depth.Record(pushes);

    public static void Called(string method, int code, double elapsedMs)
    {
        if (Calls.Enabled)
        {
            Calls.Record(
                elapsedMs, new KeyValuePair<string, object?>("method", method),
                new KeyValuePair<string, object?>("code", code));
        }
    }
}

using System.Diagnostics.Metrics;

namespace ChatPay.Server.Cluster;

/// <summary>Meter <c>ChatPay.Cluster</c>.</summary>
internal static class ClusterMetrics
{
    private static readonly Meter Meter = new("ChatPay.Cluster");

    private static readonly Gauge<int> RedisUp =
        Meter.CreateGauge<int>("chatpay.redis_up", description: "1 while this node hears itself through Redis, 0 while not.");

    private static readonly Counter<long> Published =
        Meter.CreateCounter<long>("chatpay.hints_published", "{hint}", "Hints that Redis has taken.");

    private static readonly Counter<long> Received =
        Meter.CreateCounter<long>("chatpay.hints_received", "{hint}", "Hints of other nodes.");

    private static readonly Counter<long> Dropped =
        Meter.CreateCounter<long>("chatpay.hints_dropped", "{hint}", "Hints lost on this node; checks make up for them.");

    private static readonly Counter<long> Gaps =
        Meter.CreateCounter<long>("chatpay.feed_gaps", "{event}", "Events that came before their predecessors.");

    private static readonly Counter<long> CaughtUp =
        Meter.CreateCounter<long>("chatpay.caught_up", "{event}", "Events that were read from the log because no hint came.");

    private static readonly Histogram<double> Checks =
        Meter.CreateHistogram<double>("chatpay.head_check", "ms", "Time to compare what was delivered with the database.");

    public static void Redis(bool up) => RedisUp.Record(up ? 1 : 0);

    public static void Publish(int hints) => Published.Add(hints);

    public static void Receive(int hints) => Received.Add(hints);

    public static void Drop(int hints, string where) => Dropped.Add(hints, new KeyValuePair<string, object?>("where", where));

    public static void Gap() => Gaps.Add(1);

    public static void CatchUp(int events) => CaughtUp.Add(events);

    public static void Checked(double elapsedMs) => Checks.Record(elapsedMs);
}

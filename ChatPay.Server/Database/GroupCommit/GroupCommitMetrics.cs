using System.Diagnostics.Metrics;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>Meter <c>ChatPay.GroupCommit</c>.</summary>
internal static class GroupCommitMetrics
{
    private static readonly Meter Meter = new("ChatPay.GroupCommit");

    private static readonly Histogram<int> Sizes =
        Meter.CreateHistogram<int>("chatpay.commit_batch", "{command}", "Commands in a committed batch.");

    private static readonly Histogram<double> Latencies =
        Meter.CreateHistogram<double>("chatpay.commit_latency", "ms", "Time of the attempt that committed a batch.");

    private static readonly Counter<long> Overloads =
        Meter.CreateCounter<long>("chatpay.commit_overloads", "{command}", "Commands refused by a full queue.");

    private static readonly Counter<long> Conflicts = Meter.CreateCounter<long>(
        "chatpay.commit_conflicts", "{batch}", "Batches decided on a state that another node had changed.");

    private static readonly UpDownCounter<int> Queue = Meter.CreateUpDownCounter<int>(
        "chatpay.commit_waiting", "{command}", "Commands waiting for a batch.");

    public static void Waiting(int more) => Queue.Add(more);

    public static void Committed(int commands, double elapsedMs)
    {
        Sizes.Record(commands);
        Latencies.Record(elapsedMs);
    }

    public static void Conflicted() => Conflicts.Add(1);

    public static void Overloaded() => Overloads.Add(1);
}

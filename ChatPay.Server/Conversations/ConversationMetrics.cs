using System.Diagnostics.Metrics;

namespace ChatPay.Server.Conversations;

/// <summary>Meter <c>ChatPay.Conversations</c>.</summary>
internal static class ConversationMetrics
{
    private static readonly Meter Meter = new("ChatPay.Conversations");

    private static readonly Counter<long> Removals = Meter.CreateCounter<long>(
        "chatpay.events_removed", "{event}", "Events removed because they are kept no longer.");

    private static readonly Histogram<double> Sweeps = Meter.CreateHistogram<double>(
        "chatpay.retention_sweep", "ms", "Time of a sweep that removed something.");

    public static void Removed(long events) => Removals.Add(events);

    public static void Swept(double elapsedMs) => Sweeps.Record(elapsedMs);
}

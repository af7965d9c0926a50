using System.Diagnostics.Metrics;

namespace ChatPay.Server.Archive;

/// <summary>Meter <c>ChatPay.Archive</c>.</summary>
internal static class ArchiveMetrics
{
    private static readonly Meter Meter = new("ChatPay.Archive");

    private static readonly Counter<long> Chunks =
        Meter.CreateCounter<long>("chatpay.archive.chunks", "{chunk}", "Chunks that archives took in.");

    private static readonly Counter<long> Bytes =
        Meter.CreateCounter<long>("chatpay.archive.bytes", "By", "Bytes of those chunks.");

    private static readonly Counter<long> Deletions =
        Meter.CreateCounter<long>("chatpay.archive.deletions", "{archive}", "Archives that were turned off and deleted.");

    public static void Took(int bytes)
    {
        Chunks.Add(1);
        Bytes.Add(bytes);
    }

    public static void Deleted() => Deletions.Add(1);
}

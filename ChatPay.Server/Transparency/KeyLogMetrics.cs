using System.Diagnostics.Metrics;

namespace ChatPay.Server.Transparency;

/// <summary>Meter <c>ChatPay.KeyLog</c>.</summary>
internal static class KeyLogMetrics
{
    private static readonly Meter Meter = new("ChatPay.KeyLog");

    private static readonly Counter<long> Entries =
        Meter.CreateCounter<long>("chatpay.key_log.entries", "{entry}", "Entries that the key log took in.");

    private static readonly Counter<long> Rounds =
        Meter.CreateCounter<long>("chatpay.key_log.rounds", "{round}", "Checkpoints that the key log signed.");

    public static void Took(int entries)
    {
        Entries.Add(entries);
        Rounds.Add(1);
    }
}

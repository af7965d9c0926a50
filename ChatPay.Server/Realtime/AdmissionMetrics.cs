using System.Diagnostics.Metrics;

namespace ChatPay.Server.Realtime;

/// <summary>Meter <c>ChatPay.Realtime</c>: who was let in, who waits and who was sent away.</summary>
internal static class AdmissionMetrics
{
    private static readonly Meter Meter = new("ChatPay.Realtime");

    private static readonly Counter<long> HellosAdmitted =
        Meter.CreateCounter<long>("chatpay.hellos_admitted", "{hello}", "Hellos that were let in.");

    private static readonly Counter<long> HellosRefused =
        Meter.CreateCounter<long>("chatpay.hellos_refused", "{hello}", "Hellos that were told to come back.");

    private static readonly UpDownCounter<int> HellosWaiting =
        Meter.CreateUpDownCounter<int>("chatpay.hellos_waiting", "{hello}", "Hellos that wait their turn.");

    private static readonly Counter<long> UpgradesRefused = Meter.CreateCounter<long>(
        "chatpay.upgrades_refused", "{connection}", "Connections that were refused before their handshake.");

    private static readonly UpDownCounter<int> Draining = Meter.CreateUpDownCounter<int>(
        "chatpay.draining", "{node}", "1 while the node sends its connections away to stop.");

    public static void HelloAdmitted() => HellosAdmitted.Add(1);

    public static void HelloRefused() => HellosRefused.Add(1);

    public static void HelloWaits(int more) => HellosWaiting.Add(more);

    public static void UpgradeRefused() => UpgradesRefused.Add(1);

    public static void Drains() => Draining.Add(1);
}

using System.Diagnostics.Metrics;

namespace ChatPay.Server.Presence;

/// <summary>Meter <c>ChatPay.Presence</c>.</summary>
internal static class PresenceMetrics
{
    private static readonly Meter Meter = new("ChatPay.Presence");

    private static readonly UpDownCounter<int> Here = Meter.CreateUpDownCounter<int>(
        "chatpay.presence_online", "{account}", "Accounts that others may see to be connected to this node.");

    private static readonly UpDownCounter<int> Watched = Meter.CreateUpDownCounter<int>(
        "chatpay.presence_watched", "{account}", "Accounts that connections of this node watch, each once per connection.");

    private static readonly Counter<long> Pushes = Meter.CreateCounter<long>(
        "chatpay.presence_pushes", "{push}", "Changes told to watching connections.");

    private static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "chatpay.presence_failures", "{round}", "Rounds that failed and are made again.");

    public static void Online(int more) => Here.Add(more);

    public static void Watching(int more) => Watched.Add(more);

    public static void Pushed(int pushes) => Pushes.Add(pushes);

    public static void Failed(string where) => Failures.Add(1, new KeyValuePair<string, object?>("where", where));
}

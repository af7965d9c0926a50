using System.Diagnostics.Metrics;

namespace ChatPay.Server.Vault;

/// <summary>Meter <c>ChatPay.Vault</c>: of a server whose realms are processes of their own.</summary>
internal static class VaultMetrics
{
    private static readonly Meter Meter = new("ChatPay.Vault");

    private static readonly Counter<long> News = Meter.CreateCounter<long>(
        "chatpay.realm_news", "{signal}", "Guesses and waits that realms elsewhere have told of.");

    private static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "chatpay.realm_failures", "{look}", "Looks at a realm elsewhere that it did not answer.");

    public static void Told(int signals) => News.Add(signals);

    public static void Failed() => Failures.Add(1);
}

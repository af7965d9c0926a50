using System.Diagnostics.Metrics;

namespace ChatPay.Server.Accounts;

/// <summary>Meter <c>ChatPay.Accounts</c>: how many, never who.</summary>
internal static class AccountMetrics
{
    private static readonly Meter Meter = new("ChatPay.Accounts");

    private static readonly Counter<long> SignUps =
        Meter.CreateCounter<long>("chatpay.sign_ups", "{account}", "Accounts that were made.");

    private static readonly Counter<long> SignIns =
        Meter.CreateCounter<long>("chatpay.sign_ins", "{attempt}", "Attempts to sign in whose outcome is known.");

    public static void SignedUp() => SignUps.Add(1);

    public static void SignedIn() => Count("ok");

    public static void WrongPassword() => Count("wrong");

    public static void MustWait() => Count("must_wait");

    private static void Count(string outcome) => SignIns.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
}

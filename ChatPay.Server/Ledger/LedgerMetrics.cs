using System.Diagnostics.Metrics;
using ChatPay.Core.Ledger;

namespace ChatPay.Server.Ledger;

/// <summary>Meter <c>ChatPay.Ledger</c>: how many, never how much.</summary>
internal static class LedgerMetrics
{
    private static readonly Meter Meter = new("ChatPay.Ledger");

    private static readonly Counter<long> Transfers =
        Meter.CreateCounter<long>("chatpay.transfers", "{transfer}", "Ledger commands decided and committed.");

    private static readonly Counter<long> Wallets =
        Meter.CreateCounter<long>("chatpay.wallets_opened", "{account}", "Accounts whose wallets were opened.");

    public static void Decided(TransferKind kind, LedgerStatus status) => Transfers.Add(
        1, new KeyValuePair<string, object?>("kind", kind), new KeyValuePair<string, object?>("status", (int)status));

    public static void WalletsOpened() => Wallets.Add(1);
}

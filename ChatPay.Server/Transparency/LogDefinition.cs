using System.Diagnostics.Metrics;

namespace ChatPay.Server.Transparency;

/// <summary>Which log: how it is called, where it lies and what signs it. All else is the same for every log.</summary>
/// <param name="What">In messages: "key log".</param>
/// <param name="Tables">
/// The table of its checkpoint; those of its leaves and tiles have this before <c>_leaf</c> and <c>_tile</c>.
/// </param>
/// <param name="Origin">What its checkpoints say after the server's name, and where its files are under <c>/log/</c>.</param>
/// <param name="KeyFile">The file of its key, in the folder of the realms' key files.</param>
/// <param name="KeyHeader">That file's first line.</param>
/// <param name="Metric">Its meter is <c>ChatPay.</c> and this.</param>
internal sealed record LogDefinition(
    string What, string Tables, string Origin, string KeyFile, string KeyHeader, string Metric)
{
    /// <summary>Identity keys, devices and PINs.</summary>
    public static LogDefinition Keys { get; } =
        new("key log", "key_log", "keys", "key-log.key", "chatpay key log key v1", "KeyLog");

    /// <summary>Applied transfers.</summary>
    public static LogDefinition Ledger { get; } =
        new("ledger log", "ledger_log", "ledger", "ledger-log.key", "chatpay ledger log key v1", "LedgerLog");

    /// <summary>What the log has taken in so far, as it is told to a collector.</summary>
    public LogMetrics Metrics { get; } = new(new Meter("ChatPay." + Metric), Tables);
}

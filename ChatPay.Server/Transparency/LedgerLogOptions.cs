using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Transparency;

/// <summary>Configuration section <c>LedgerLog</c>.</summary>
internal sealed class LedgerLogOptions
{
    public const string Section = "LedgerLog";

    /// <summary>
    /// How often it is looked whether there are transfers that the log has not, in milliseconds, 10 to 60,000. Default 250: a
    /// transfer is in the log and under a signed checkpoint after two looks.
    /// </summary>
    [Range(10, 60_000)]
    public int RoundMs { get; set; } = 250;

    /// <summary>
    /// How long the log waits for a transaction of the ledger that does not end, in milliseconds, 0 to 600,000. Default 1,000.
    /// Then it goes on, and what that transaction brings comes after what was decided later.
    /// </summary>
    [Range(0, 600_000)]
    public int PatienceMs { get; set; } = 1000;
}

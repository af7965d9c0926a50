using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>Findings as they come; each names the account and version, the transfer, the hold or the card.</summary>
internal sealed class VerifyFindings(VerifyDisplay display)
{
    /// <summary>After this many the rest is only counted; something is very wrong then.</summary>
    public const int ShownMax = 1_000;

    private readonly List<string> _shown = [];

    public long Count { get; private set; }

    /// <summary>The first of them.</summary>
    public IReadOnlyList<string> Shown => _shown;

    public void Add(string finding)
    {
        if (++Count <= ShownMax)
        {
            _shown.Add(finding);
            display.Line("finding: " + finding);
        }
    }

    /// <summary>One about an account at a version, and the transfer that is meant to have brought it there.</summary>
    public void Add(UInt128 account, long version, UInt128 transfer, string finding) =>
        Add(Invariant($"account {account.ToGuid()} version {version} (transfer {transfer.ToGuid()}): {finding}"));

    public void Conclude()
    {
        if (Count > ShownMax)
        {
            display.Line(Invariant($"finding: and {Count - ShownMax} more"));
        }

        display.Line(Count == 0 ? "The ledger is clean." : Invariant($"Findings: {Count}."));
    }
}

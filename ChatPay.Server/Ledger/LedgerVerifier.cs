using System.Data;
using Npgsql;
using static System.FormattableString;

namespace ChatPay.Server.Ledger;

/// <summary>
/// Recomputes the whole ledger from its entries and compares. It reads one snapshot, streams it in constant memory, and
/// works on a live database: writers do not wait for it and do not disturb it.
/// </summary>
internal sealed class LedgerVerifier(NpgsqlDataSource dataSource, TextWriter output)
{
    /// <returns>The exit code: 0 where everything agrees, 1 where there is a finding.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var findings = new VerifyFindings(output);
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(
            IsolationLevel.RepeatableRead, cancellationToken);
        var accounts = new AccountVerifyStore(connection, findings);
        var transfers = new TransferVerifyStore(connection, findings);
        var cards = new CardVerifyStore(connection, findings);

        await output.WriteLineAsync("Verifying the ledger in one snapshot.");
        await accounts.PrepareAsync(cancellationToken);
        await ReportAsync("accounts against their entries", accounts.CheckAccountsAsync(cancellationToken));
        await ReportAsync("sums of all assets", accounts.CheckSumsAsync(cancellationToken));
        await ReportAsync("transfers against their sides", transfers.CheckTransfersAsync(cancellationToken));
        await ReportAsync("holds against their captures", transfers.CheckHoldsAsync(cancellationToken));
        await ReportAsync("held amounts against open holds", transfers.CheckHeldAsync(cancellationToken));
        await ReportAsync("cards against their money", cards.CheckCardsAsync(cancellationToken));
        await transaction.RollbackAsync(cancellationToken);

        await findings.ConcludeAsync();
        return findings.Count == 0 ? 0 : 1;
    }

    private async Task ReportAsync(string what, Task<string> check) =>
        await output.WriteLineAsync($"checked {what}: {await check}");
}

/// <summary>Findings as they come; each names the account and version, the transfer, the hold or the card.</summary>
internal sealed class VerifyFindings(TextWriter output)
{
    /// <summary>After this many the rest is only counted; something is very wrong then.</summary>
    public const int ShownMax = 1_000;

    public long Count { get; private set; }

    public async ValueTask AddAsync(string finding)
    {
        if (++Count <= ShownMax)
        {
            await output.WriteLineAsync("finding: " + finding);
        }
    }

    public async Task ConcludeAsync()
    {
        if (Count > ShownMax)
        {
            await output.WriteLineAsync(Invariant($"finding: and {Count - ShownMax} more"));
        }

        await output.WriteLineAsync(Count == 0 ? "The ledger is clean." : Invariant($"Findings: {Count}."));
    }
}

using Npgsql;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>
/// Recomputes the whole ledger from its entries and compares. It reads one snapshot, streams it in constant memory, and
/// works on a live database: writers do not wait for it and do not disturb it.
/// </summary>
/// <param name="logKey">Of the ledger log; null where its file is not here.</param>
internal sealed class LedgerVerifier(
    NpgsqlDataSource dataSource, VerifyDisplay display, TimeProvider clock, LedgerLogKey? logKey)
{
    /// <returns>What was found; nothing where everything agrees.</returns>
    public async Task<VerifyReport> RunAsync(CancellationToken cancellationToken)
    {
        var (startedAt, started) = (clock.GetUtcNow(), clock.GetTimestamp());
        var findings = new VerifyFindings(display);
        display.Line("Verifying the ledger in one snapshot.");
        await using var store = await VerifyStore.OpenAsync(dataSource, cancellationToken);
        var checks = new List<VerifiedPart>();
        var accounts = new AccountCheck(store, findings);
        var transfers = new TransferCheck(store, findings);
        await RunAsync("accounts against their entries and transfers", "entry", accounts.RunAsync);
        await RunAsync("sums of all assets", null, (_, _) => Task.FromResult(accounts.CheckSums()));
        await RunAsync("transfers against what was decided", "transfer", transfers.RunAsync);
        await RunAsync("holds against their captures and returns", "hold", new HoldCheck(store, findings).RunAsync);
        await RunAsync("refunds against what they refund", "refunded", new RefundCheck(store, findings).RunAsync);
        await RunAsync("linked groups", null, new GroupCheck(store, findings).RunAsync);
        await RunAsync("cards against their money", "card", new CardCheck(store, findings).RunAsync);
        await RunAsync("cards' debits against what was signed", null, new AuthorisationCheck(store, findings).RunAsync);
        await RunAsync(
            "transfers against the ledger log", "ledger_log_leaf", new LedgerLogCheck(store, findings, logKey).RunAsync);
        findings.Conclude();
        return new VerifyReport(
            "ledger verify", startedAt, clock.GetElapsedTime(started).TotalSeconds, findings.Count == 0, accounts.Entries,
            transfers.Transfers, checks, findings.Count, findings.Shown);

        async Task RunAsync(
            string name, string? table, Func<VerifyStage, CancellationToken, Task<string>> check)
        {
            var begun = clock.GetTimestamp();
            var stage = new VerifyStage(name, table is null ? null : store.EstimateOf(table));
            var work = check(stage, cancellationToken);
            await display.WatchAsync(stage, work);
            var what = await work;
            display.Line($"checked {name}: {what}");
            checks.Add(new VerifiedPart(name, what, clock.GetElapsedTime(begun).TotalSeconds));
        }
    }
}

/// <summary>What <c>ledger verify --json</c> writes.</summary>
/// <param name="Findings">How many there are; <paramref name="Shown"/> has the first of them.</param>
internal sealed record VerifyReport(
    string Command, DateTimeOffset StartedAt, double Seconds, bool Clean, long Entries, long Transfers,
    IReadOnlyList<VerifiedPart> Checked, long Findings, IReadOnlyList<string> Shown);

/// <summary>One pass.</summary>
internal sealed record VerifiedPart(string Name, string What, double Seconds);

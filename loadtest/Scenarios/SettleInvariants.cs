using System.Globalization;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What must be true of the books after the rounds, whatever the speed.</summary>
internal static class SettleInvariants
{
    /// <param name="acknowledged">What the callers were told is applied.</param>
    /// <param name="refused">How many commands were decided against; the load is made so that none is.</param>
    /// <param name="before">What was applied before the first round.</param>
    public static async Task<Dictionary<string, bool>> CheckAsync(
        SettleRun run, IdFingerprint acknowledged, long refused, IdFingerprint before,
        CancellationToken cancellationToken)
    {
        run.Console.Begin("checking the books");
        var applied = await MeasuredStore.ReadAppliedAsync(run.DataSource, cancellationToken) - before;
        var unbalanced = await MeasuredStore.ReadUnbalancedAsync(run.DataSource, cancellationToken);

        // As they are for the server: a role may have settings of its own.
        var settings = await MeasuredStore.ReadSettingsAsync(run.Engine.DataSource, cancellationToken);
        await using var verify = new StringWriter(CultureInfo.InvariantCulture);
        var clean = await run.Engine.VerifyAsync(verify, cancellationToken);
        run.Console.Done(clean ? null : verify.ToString());
        return new Dictionary<string, bool>(StringComparer.Ordinal)
        {
            ["ledger_verify_clean"] = clean,
            ["sum_per_asset_zero"] = unbalanced.Count == 0,
            ["applied_count_is_acknowledged_count"] = applied.Count == acknowledged.Count,
            ["applied_ids_are_acknowledged_ids"] = applied == acknowledged,
            ["nothing_refused"] = refused == 0,
            ["fsync_on"] = settings["fsync"] == "on",
            ["synchronous_commit_on"] = settings["synchronous_commit"] == "on",
            ["full_page_writes_on"] = settings["full_page_writes"] == "on",
        };
    }
}

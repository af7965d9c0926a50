using ChatPay.Core.Ledger;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Reporting;
using Npgsql;

namespace ChatPay.LoadTest.Filling;

/// <summary>Fills a ledger with history between wallets that exist.</summary>
internal static class Filler
{
    /// <summary>A few tens of megabytes at a time.</summary>
    private const int ChunkTransfers = 50_000;

    /// <returns>What was made up: all of it is applied.</returns>
    /// <param name="dataSource">A superuser's connections are several times as fast as the owner's.</param>
    public static async Task<IdFingerprint> FillAsync(
        NpgsqlDataSource dataSource, IReadOnlyList<LedgerAccountId> accounts, AssetCode asset, IdOrder ids, long transfers,
        ulong seed, ScenarioConsole console, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var store = new FillStore(connection);
        var (filled, now) = await store.BeginAsync(accounts, cancellationToken);
        var plan = new FillPlan(filled, asset, ids, seed, now);
        var made = default(IdFingerprint);
        while (made.Count < transfers)
        {
            console.Begin(FormattableString.Invariant($"filling: {made.Count:N0} of {transfers:N0} transfers"));
            var chunk = plan.Make((int)Math.Min(ChunkTransfers, transfers - made.Count));
            await store.WriteAsync(chunk, cancellationToken);
            foreach (var row in chunk.Transfers)
            {
                made += IdFingerprint.Of(row.Command.Id.Value);
            }
        }

        await store.CommitAsync(filled, cancellationToken);
        await store.SettleDownAsync(cancellationToken);
        return made;
    }
}

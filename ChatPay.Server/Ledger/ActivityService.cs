using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;

namespace ChatPay.Server.Ledger;

/// <summary>What came and went, by person and by month.</summary>
internal sealed class ActivityService(
    ActivityStore store, StatementStore statements, AssetCatalogue assets, AccountDirectory people)
{
    /// <param name="from">RFC 3339; null for the first entry.</param>
    /// <param name="to">RFC 3339; null for now.</param>
    public async Task<Result<WalletActivity>> ReadAsync(
        AccountId account, string asset, string? from, string? to, CancellationToken cancellationToken)
    {
        if (assets.Find(asset) is not { } known)
        {
            return new LedgerOutcome(LedgerStatus.AssetUnknown).ToError();
        }

        if (Period.Read(from, to, out var period) is { } malformed)
        {
            return malformed;
        }

        var wallet = LedgerAccountId.Of(account, known.Code);
        var (points, _) = await statements.ReadPointsAsync(
            wallet, [period.LastBefore, period.LastWithin], cancellationToken);
        var asked = period.From is null ? 0 : points[0].Version;
        var after = Math.Max(asked, points[1].Version - Limits.ActivityEntries);
        var begins = after > asked
            ? await store.TimeOfAsync(wallet, after + 1, cancellationToken) ?? period.From : period.From;
        var (sums, months) = await store.ReadAsync(wallet, after, points[1].Version, cancellationToken);
        var names = await people.GetAsync([.. sums.Select(sum => sum.Person)], cancellationToken);
        return new WalletActivity(
            known.Code.Value, known.Exponent, begins,
            [
                .. sums.Where(sum => names.ContainsKey(sum.Person)).Select(sum => new PersonActivity(
                    names[sum.Person], sum.InMinor, sum.OutMinor, sum.Count, sum.LastAt)),
            ],
            months);
    }
}

using ChatPay.Core.Ledger;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>
/// Accounts, their entries, and the sides of all applied transfers, merged in the order of account and version. An entry
/// and the side that belongs there meet; what has no counterpart was added, removed, moved or altered.
/// </summary>
internal sealed class AccountCheck(VerifyStore store, VerifyFindings findings)
{
    private readonly Dictionary<AssetKey, AssetTotals> _totals = [];
    private readonly List<(SideRow Side, bool IsDebit)> _sides = [];
    private long _accounts;
    private long _entries;

    public long Entries => _entries;

    public async Task<string> RunAsync(VerifyStage stage, CancellationToken cancellationToken)
    {
        await using var accounts = store.Accounts(cancellationToken);
        await using var entries = store.Entries(stage, cancellationToken);
        await using var debits = store.DebitSides(cancellationToken);
        await using var credits = store.CreditSides(cancellationToken);
        await using var held = store.OpenHolds(cancellationToken);
        await using var changes = store.Changes(cancellationToken);
        await accounts.NextAsync();
        await entries.NextAsync();
        await debits.NextAsync();
        await credits.NextAsync();
        await held.NextAsync();
        await changes.NextAsync();
        while (Least(
            accounts.HasRow ? accounts.Row.Id : null, entries.HasRow ? entries.Row.Account : null,
            debits.HasRow ? debits.Row.Account : null, credits.HasRow ? credits.Row.Account : null,
            held.HasRow ? held.Row.Account : null, changes.HasRow ? changes.Row.Account : null) is { } id)
        {
            AccountRow? account = null;
            if (accounts.HasRow && accounts.Row.Id == id)
            {
                account = accounts.Row;
                _accounts++;
                await accounts.NextAsync();
            }
            else if ((entries.HasRow && entries.Row.Account == id) || (debits.HasRow && debits.Row.Account == id)
                || (credits.HasRow && credits.Row.Account == id) || (held.HasRow && held.Row.Account == id)
                || changes.Row.Status != LedgerStatus.AccountUnknown)
            {
                // Only a change that was refused for that very reason may name an account that is not there.
                findings.Add($"account {id.ToGuid()}: does not exist, but entries, transfers, holds or changes name it");
            }

            var walk = new AccountWalk(id, account, findings);
            await WalkAsync(walk, entries, debits, credits);
            Int128 remaining = 0;
            while (held.HasRow && held.Row.Account == id)
            {
                remaining += held.Row.RemainingMinor;
                await held.NextAsync();
            }

            walk.CheckHeld(remaining);
            while (changes.HasRow && changes.Row.Account == id)
            {
                walk.Change(changes.Row);
                await changes.NextAsync();
            }

            walk.Finish();
            Add(walk);
        }

        return Invariant($"{_accounts} accounts, {_entries} entries");
    }

    /// <summary>Per asset, balances and entries both sum to zero: money is moved, never made.</summary>
    public string CheckSums()
    {
        foreach (var (asset, totals) in _totals)
        {
            if (totals.BalanceMinor != 0 || totals.PostedMinor != 0)
            {
                findings.Add(Invariant(
                    $"asset {asset}: balances sum to {totals.BalanceMinor}, entries to {totals.PostedMinor}"));
            }
        }

        return Invariant($"{_totals.Count} assets");
    }

    private static UInt128? Least(params ReadOnlySpan<UInt128?> ids)
    {
        UInt128? least = null;
        foreach (var id in ids)
        {
            least = id is null || least < id ? least : id;
        }

        return least;
    }

    private async ValueTask WalkAsync(
        AccountWalk walk, RowStream<EntryRow> entries, RowStream<SideRow> debits, RowStream<SideRow> credits)
    {
        while (true)
        {
            var (entry, debit, credit) = (
                entries.HasRow && entries.Row.Account == walk.Id, debits.HasRow && debits.Row.Account == walk.Id,
                credits.HasRow && credits.Row.Account == walk.Id);
            if (!entry && !debit && !credit)
            {
                return;
            }

            var version = Math.Min(
                entry ? entries.Row.Version : long.MaxValue,
                Math.Min(debit ? debits.Row.Version : long.MaxValue, credit ? credits.Row.Version : long.MaxValue));
            _sides.Clear();
            await CollectAsync(debits, walk.Id, version, isDebit: true);
            await CollectAsync(credits, walk.Id, version, isDebit: false);
            var found = false;
            while (entries.HasRow && entries.Row.Account == walk.Id && entries.Row.Version == version)
            {
                walk.Step(entries.Row, _sides);
                found = true;
                _entries++;
                if (!entries.TryNext())
                {
                    await entries.NextAsync();
                }
            }

            if (!found)
            {
                walk.Missing(version, _sides);
            }
        }
    }

    /// <summary>The sides that say that their entry is here: one, unless somebody has tampered.</summary>
    private async ValueTask CollectAsync(RowStream<SideRow> sides, UInt128 account, long version, bool isDebit)
    {
        while (sides.HasRow && sides.Row.Account == account && sides.Row.Version == version)
        {
            if (_sides.Count < VerifyFindings.ShownMax)
            {
                _sides.Add((sides.Row, isDebit));
            }

            if (!sides.TryNext())
            {
                await sides.NextAsync();
            }
        }
    }

    private void Add(AccountWalk walk)
    {
        if (walk.Account is { } account)
        {
            var totals = _totals.GetValueOrDefault(account.Asset);
            _totals[account.Asset] = new AssetTotals(
                totals.BalanceMinor + account.BalanceMinor, totals.PostedMinor + walk.PostedMinor);
        }
    }

    private readonly record struct AssetTotals(Int128 BalanceMinor, Int128 PostedMinor);
}

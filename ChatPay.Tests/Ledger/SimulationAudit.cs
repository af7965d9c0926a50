using ChatPay.Core.Ledger;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The ledger's invariants, checked on the rows that a simulation left behind and on nothing else.</summary>
internal static class SimulationAudit
{
    private static readonly Comparer<TransferId> s_byValue =
        Comparer<TransferId>.Create((left, right) => left.Value.CompareTo(right.Value));

    public static void Check(SimulatedStore store, IReadOnlyDictionary<LedgerAccountId, LedgerAccount> opening)
    {
        CheckSides(store);
        CheckStatements(store, opening);
        CheckHolds(store);
        CheckRefunds(store);
        CheckGroups(store);
        CheckChanges(store);
    }

    /// <summary>Each applied transfer has its sides once and each rejected one none; the sides sum to zero.</summary>
    private static void CheckSides(SimulatedStore store)
    {
        var sides = store.Entries.ToLookup(entry => entry.Transfer);
        Assert.Equal(store.Transfers.Count, store.Transfers.DistinctBy(row => row.Command.Id).Count());
        foreach (var row in store.Transfers)
        {
            var expected = row.Status != LedgerStatus.Applied ? 0 : row.Command.Credit is null ? 1 : 2;
            var entries = sides[row.Command.Id].ToArray();
            Assert.Equal(expected, entries.Length);
            Assert.Equal(0, entries.Sum(entry => entry.Posted.Value));
            if (expected == 2)
            {
                Assert.Equal(row.Amount, entries.Single(entry => entry.Account == row.Command.Credit).Posted);
            }
        }

        Assert.All(sides, side => Assert.NotNull(store.Find(side.Key)));
    }

    /// <summary>Gapless versions, chained after values, floors at every entry, time that never steps back.</summary>
    private static void CheckStatements(
        SimulatedStore store, IReadOnlyDictionary<LedgerAccountId, LedgerAccount> opening)
    {
        var entries = store.Entries.ToLookup(entry => entry.Account);
        foreach (var account in store.Accounts.Values)
        {
            var (balance, held) = (opening[account.Id].Balance.Value, 0L);
            var (version, last) = (0L, (DateTimeOffset?)null);
            foreach (var entry in entries[account.Id].OrderBy(entry => entry.Version))
            {
                balance += entry.Posted.Value;
                held += entry.Held.Value;
                version++;
                Assert.Equal(
                    (version, balance, held), (entry.Version, entry.BalanceAfter.Value, entry.HeldAfter.Value));
                Assert.True(held >= 0 && (!account.Guarded || held <= balance));
                Assert.True(last is null || entry.At >= last);
                last = entry.At;
            }

            Assert.Equal(
                (version, balance, held, last),
                (account.Version, account.Balance.Value, account.Held.Value, account.LastEntryAt));
        }

        Assert.Equal(
            opening.Values.GroupBy(account => account.Asset).ToDictionary(
                asset => asset.Key, asset => asset.Sum(account => (decimal)account.Balance.Value)),
            store.Accounts.Values.GroupBy(account => account.Asset).ToDictionary(
                asset => asset.Key, asset => asset.Sum(account => (decimal)account.Balance.Value)));
    }

    /// <summary>A hold is what was set aside less what was taken out of it; an account holds what its holds have left.</summary>
    private static void CheckHolds(SimulatedStore store)
    {
        var applied = store.Transfers.Where(row => row.Status == LedgerStatus.Applied).ToArray();
        var taken = applied.Where(row => row.Command.HoldId is not null).ToLookup(row => row.Command.HoldId!.Value);
        Assert.Equal(
            applied.Where(row => row.Command.Kind == TransferKind.Hold).Select(row => row.Command.Id).Order(s_byValue),
            store.Holds.Keys.Order(s_byValue));
        foreach (var hold in store.Holds.Values)
        {
            var opened = store.Find(hold.Id)!;
            Assert.Equal(
                opened.Amount.Value - taken[hold.Id].Sum(row => row.Amount.Value), hold.Remaining.Value);
            Assert.Equal(opened.At.AddSeconds(opened.Command.LifetimeSeconds), hold.ExpiresAt);
            Assert.All(taken[hold.Id], row => Assert.True(row.Command.Kind switch
            {
                TransferKind.Capture or TransferKind.CaptureAll => row.At < hold.ExpiresAt,
                TransferKind.Expire => row.At >= hold.ExpiresAt,
                _ => true,
            }));
        }

        var held = store.Holds.Values.ToLookup(hold => hold.Account, hold => hold.Remaining.Value);
        Assert.All(store.Accounts.Values, account => Assert.Equal(held[account.Id].Sum(), account.Held.Value));
    }

    private static void CheckRefunds(SimulatedStore store)
    {
        var refunds = store.Transfers
            .Where(row => row is { Status: LedgerStatus.Applied, Command.RefundOf: not null })
            .ToLookup(row => row.Command.RefundOf!.Value);
        Assert.Equal(refunds.Count, store.Refunded.Count);
        foreach (var refund in refunds)
        {
            var (original, state) = (store.Find(refund.Key)!, store.Refunded[refund.Key]);
            Assert.Equal(refund.Sum(row => row.Amount.Value), state.Refunded.Value);
            Assert.Equal(original.Amount, state.Captured);
            Assert.True(state.Refunded <= original.Amount);
            Assert.All(refund, row => Assert.True(
                original.Command.Credit == row.Command.Debit && original.Command.Debit == row.Command.Credit));
        }
    }

    private static void CheckGroups(SimulatedStore store)
    {
        foreach (var group in store.Transfers.Where(row => row.Command.Group is not null)
            .GroupBy(row => row.Command.Group!.Value.Group))
        {
            var rows = group.ToArray();
            Assert.Equal(Enumerable.Range(0, rows.Length), rows.Select(row => row.Command.Group!.Value.Index));
            Assert.All(rows, row => Assert.Equal(rows.Length, row.Command.Group!.Value.Size));
            var failed = rows.Count(row => row.Status != LedgerStatus.Applied);
            Assert.True(failed == 0 || failed == rows.Length);
            Assert.Equal(Math.Max(0, failed - 1), rows.Count(row => row.Status == LedgerStatus.LinkedFailed));
        }
    }

    /// <summary>Closed is final and empty.</summary>
    private static void CheckChanges(SimulatedStore store)
    {
        foreach (var account in store.Accounts.Values)
        {
            var closed = store.Changes.Values.Any(row => row is
            {
                Status: LedgerStatus.Applied, Change.Kind: AccountChangeKind.Close,
            } && row.Change.Account == account.Id);
            Assert.Equal(closed, account.State == LedgerAccountState.Closed);
            Assert.True(!closed || account is { Balance.Value: 0, Held.Value: 0 });
        }
    }
}

using ChatPay.Core.Ledger;
using ChatPay.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The laws of the ledger over random traffic; a failure prints the stream's seed and shortest length.</summary>
public sealed class LedgerBookProperties
{
    private const int Streams = 300;
    private const int StepsMax = 250;

    private static readonly DateTimeOffset s_start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");
    private static readonly AssetCode s_jpy = AssetCode.Parse("JPY");
    private static readonly Asset[] s_assets = [new(s_eur, 2, AssetKind.Currency), new(s_jpy, 0, AssetKind.Currency)];

    [Fact]
    public void Postings_sum_to_zero_and_floors_hold() => Check(stream =>
    {
        var desk = Desk(out var accounts);
        foreach (var (act, at) in stream.Steps(accounts))
        {
            desk.Decide(act, at);
            foreach (var account in accounts)
            {
                var (balance, held) = desk.Balance(account.Id);
                Assert.True(held >= 0);
                Assert.True(held <= balance || !desk.Book.Find(account.Id)!.Value.Guarded);
            }
        }

        Assert.All(
            desk.Book.Entries.GroupBy(entry => entry.Transfer),
            sides => Assert.Equal(0, sides.Sum(entry => entry.Posted.Value)));
    });

    [Fact]
    public void Replaying_a_stream_changes_nothing() => Check(stream =>
    {
        var desk = Desk(out var accounts);
        var steps = stream.Steps(accounts).ToList();
        var first = steps.ConvertAll(step => desk.Decide(step.Act, step.At));
        var (rows, entries) = (desk.Book.Transfers.Count, desk.Book.Entries.Count);
        foreach (var (step, before) in steps.Zip(first))
        {
            var again = desk.Decide(step.Act, step.At.AddDays(1));
            Assert.All(again, outcome =>
                Assert.True(outcome.Replayed || outcome.Status == LedgerStatus.IdempotencyConflict));
            Assert.Equal(before.Select(NaiveOutcome.Of), again.Select(NaiveOutcome.Of));
        }

        Assert.Equal((rows, entries), (desk.Book.Transfers.Count, desk.Book.Entries.Count));
    });

    [Fact]
    public void Versions_are_gapless_after_values_chain_and_time_never_steps_back() => Check(stream =>
    {
        var desk = Desk(out var accounts);
        var opening = accounts.ToDictionary(account => account.Id, account => desk.Balance(account.Id));
        foreach (var (act, at) in stream.Steps(accounts))
        {
            desk.Decide(act, at);
        }

        foreach (var account in desk.Book.Entries.GroupBy(entry => entry.Account))
        {
            var (balance, held) = opening[account.Key];
            var (version, last) = (0L, DateTimeOffset.MinValue);
            foreach (var entry in account)
            {
                balance += entry.Posted.Value;
                held += entry.Held.Value;
                version++;
                Assert.Equal((version, balance, held), (entry.Version, entry.BalanceAfter.Value, entry.HeldAfter.Value));
                Assert.True(entry.At >= last);
                last = entry.At;
            }

            Assert.Equal(last, desk.Book.Find(account.Key)!.Value.LastEntryAt);
        }
    });

    [Fact]
    public void Each_applied_row_names_the_entries_it_made() => Check(stream =>
    {
        var desk = Desk(out var accounts);
        foreach (var (act, at) in stream.Steps(accounts))
        {
            desk.Decide(act, at);
        }

        var entries = desk.Book.Entries.ToDictionary(entry => (entry.Account, entry.Version));
        var named = 0;
        foreach (var row in desk.Book.Transfers)
        {
            Assert.Equal(row.Status == LedgerStatus.Applied, row.DebitVersion is not null);
            Assert.Equal(row.DebitVersion is not null && row.Command.Credit is not null, row.CreditVersion is not null);
            foreach (var (account, version) in new[]
            {
                (row.Command.Debit, row.DebitVersion), (row.Command.Credit ?? default, row.CreditVersion),
            })
            {
                if (version is { } exact)
                {
                    var entry = entries[(account, exact)];
                    Assert.Equal((row.Command.Id, row.At), (entry.Transfer, entry.At));
                    named++;
                }
            }
        }

        Assert.Equal(entries.Count, named);
    });

    [Fact]
    public void A_group_is_applied_as_a_whole_or_leaves_nothing_but_rows() => Check(stream =>
    {
        var desk = Desk(out var accounts);
        foreach (var (act, at) in stream.Steps(accounts))
        {
            var before = accounts.Select(account => desk.Book.Find(account.Id)).ToArray();
            var entries = desk.Book.Entries.Count;
            var outcomes = desk.Decide(act, at);
            if (act is not LedgerAct.Linked)
            {
                continue;
            }

            var applied = outcomes.Count(outcome => outcome.IsApplied);
            Assert.True(applied == 0 || applied == outcomes.Length);
            if (applied == 0)
            {
                Assert.Equal(before, accounts.Select(account => desk.Book.Find(account.Id)));
                Assert.Equal(entries, desk.Book.Entries.Count);
                Assert.True(outcomes.All(outcome => outcome.Status == LedgerStatus.IdempotencyConflict)
                    || outcomes.Count(outcome => outcome.Status == LedgerStatus.LinkedFailed) == outcomes.Length - 1);
            }
        }
    });

    [Fact]
    public void What_is_foreseen_is_what_is_decided_and_leaves_no_trace() => Check(stream =>
    {
        var desk = Desk(out var accounts);
        foreach (var (act, at) in stream.Steps(accounts))
        {
            var before = accounts.Select(account => desk.Book.Find(account.Id)).ToArray();
            var (rows, entries) = (desk.Book.Transfers.Count, desk.Book.Entries.Count);
            var foreseen = act is LedgerAct.Single single ? desk.Foresee(single.Command, at) : (LedgerOutcome?)null;
            Assert.Equal(before, accounts.Select(account => desk.Book.Find(account.Id)));
            Assert.Equal((rows, entries), (desk.Book.Transfers.Count, desk.Book.Entries.Count));
            var decided = desk.Decide(act, at);
            Assert.Equal(foreseen ?? decided[0], decided[0]);
        }
    });

    [Fact]
    public void Refunds_never_exceed_what_was_moved() => Check(stream =>
    {
        var desk = Desk(out var accounts);
        foreach (var (act, at) in stream.Steps(accounts))
        {
            desk.Decide(act, at);
        }

        var applied = desk.Book.Transfers.Where(row => row.Status == LedgerStatus.Applied)
            .ToDictionary(row => row.Command.Id);
        var refunds = applied.Values.Where(row => row.Command.RefundOf is not null)
            .GroupBy(row => row.Command.RefundOf!.Value)
            .ToDictionary(group => group.Key, group => group.Sum(row => row.Amount.Value));
        Assert.All(refunds, refund => Assert.True(refund.Value <= applied[refund.Key].Amount.Value));
        Assert.Equal(
            refunds.OrderBy(refund => refund.Key.Value),
            desk.Book.Refunded.OrderBy(state => state.Original.Value)
                .Select(state => KeyValuePair.Create(state.Original, state.Refunded.Value)));
    });

    [Fact]
    public void The_book_and_a_naive_model_agree_on_every_outcome_and_balance() => Check(stream =>
    {
        var desk = Desk(out var accounts);
        var model = new NaiveLedger(s_eur, s_jpy);
        foreach (var account in accounts)
        {
            var state = desk.Book.Find(account.Id)!.Value;
            model.Open(account.Id, account.Asset, state.Guarded, state.Balance.Value);
        }

        foreach (var (act, at) in stream.Steps(accounts))
        {
            var expected = model.Decide(act, at);
            var actual = desk.Decide(act, at).Select(NaiveOutcome.Of).ToArray();
            Assert.True(
                expected.AsSpan().SequenceEqual(actual),
                $"{act}: the model says {string.Join(", ", expected)}, the book {string.Join(", ", actual)}.");
        }

        Assert.All(accounts, account => Assert.Equal(model.Balance(account.Id), desk.Balance(account.Id)));
    });

    /// <summary>Otherwise the laws above would say little.</summary>
    [Fact]
    public void The_traffic_meets_every_status_and_applies_every_kind()
    {
        var statuses = new HashSet<LedgerStatus>();
        var kinds = new HashSet<TransferKind>();
        var (decided, applied, groups) = (0, 0, 0);
        for (var seed = 1; seed <= 40; seed++)
        {
            var desk = Desk(out var accounts);
            foreach (var (act, at) in new TrafficStream(seed, StepsMax).Steps(accounts))
            {
                var outcomes = desk.Decide(act, at);
                statuses.UnionWith(outcomes.Select(outcome => outcome.Status));
                groups += act is LedgerAct.Linked && outcomes[0] is { IsApplied: true, Replayed: false } ? 1 : 0;
            }

            decided += desk.Book.Transfers.Count;
            applied += desk.RowsOf(LedgerStatus.Applied);
            kinds.UnionWith(
                desk.Book.Transfers.Where(row => row.Status == LedgerStatus.Applied).Select(row => row.Command.Kind));
        }

        Assert.Empty(Enum.GetValues<LedgerStatus>().Except(statuses));
        Assert.Empty(Enum.GetValues<TransferKind>().Except(kinds));
        Assert.InRange(applied, decided / 5, decided);
        Assert.InRange(groups, 100, int.MaxValue);
    }

    private static void Check(Action<TrafficStream> law)
    {
        var streams =
            from seed in Gen.Choose(1, int.MaxValue - 1)
            from length in Gen.Choose(1, StepsMax)
            select new TrafficStream(seed, length);
        Prop.ForAll(Arb.From(streams, Shorter), law).Check(Config.QuickThrowOnFailure.WithMaxTest(Streams));
    }

    /// <summary>The same stream, cut off earlier.</summary>
    private static IEnumerable<TrafficStream> Shorter(TrafficStream stream) =>
        from length in new[] { stream.Length / 2, stream.Length * 3 / 4, stream.Length - 1 }.Distinct()
        where length > 0 && length < stream.Length
        select stream with { Length = length };

    /// <summary>Three people with euros, one with yen, one account that may owe and one that is nearly full.</summary>
    private static BookDesk Desk(out TrafficAccount[] accounts)
    {
        var desk = new BookDesk(s_assets);
        accounts =
        [
            new(desk.Person(1, s_eur, 500), s_eur), new(desk.Person(2, s_eur, 100), s_eur),
            new(desk.Person(3, s_eur, 0), s_eur), new(desk.Person(4, s_jpy, 500), s_jpy),
            new(desk.System("sandbox", s_eur, 0), s_eur), new(desk.System("full", s_eur, long.MaxValue - 300), s_eur),
        ];
        return desk;
    }

    /// <summary>A stream by the number it is made from.</summary>
    private sealed record TrafficStream(int Seed, int Length)
    {
        /// <summary>Time passes, and sometimes steps back.</summary>
        public IEnumerable<(LedgerAct Act, DateTimeOffset At)> Steps(TrafficAccount[] accounts)
        {
            var dice = new Dice((ulong)Seed);
            var traffic = new LedgerTraffic(dice, accounts, dice.NextId);
            var second = 0;
            for (var step = 0; step < Length; step++)
            {
                second = dice.Chance(4) ? Math.Max(0, second - dice.Next(100)) : second + dice.Next(9);
                yield return (traffic.Next(), s_start.AddSeconds(second));
            }
        }
    }
}

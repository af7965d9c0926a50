using System.Globalization;
using System.Security.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// The pure core with several batches in the air: each follows those before it, decides on accounts remembered from
/// them, and is committed only where its accounts are still what it decided on. Batches fall together, another node
/// commits in between, the clock steps back. A failure names its seed; the environment variable CHATPAY_SEED runs that
/// one alone.
/// </summary>
public sealed class LedgerPipelineTests
{
    private const int Known = 150;
    private const int Fresh = 150;

    [Fact]
    public void Batches_in_the_air_agree_with_the_naive_model_whatever_falls()
    {
        if (Environment.GetEnvironmentVariable("CHATPAY_SEED") is { Length: > 0 } alone)
        {
            new Pipeline(ulong.Parse(alone, CultureInfo.InvariantCulture)).Run();
            return;
        }

        var (followed, fallen, overtaken, contradictions) = (0, 0, 0, 0);
        for (var run = 1; run <= Known + Fresh; run++)
        {
            var seed = run <= Known ? run : RandomNumberGenerator.GetInt32(Known + 1, int.MaxValue);
            var pipeline = new Pipeline((ulong)seed);
            pipeline.Run();
            followed += pipeline.Followed;
            fallen += pipeline.Fallen;
            overtaken += pipeline.Overtaken;
            contradictions += pipeline.Contradictions;
        }

        // Otherwise it would say little.
        Assert.True(
            followed > 10_000 && fallen > 2_000 && overtaken > 1_000,
            $"{followed} followed, {fallen} fell, {overtaken} were overtaken, {contradictions} contradicted themselves.");
    }

    private sealed class Pipeline
    {
        private const int Acts = 160;
        private const int FlightsMax = 4;

        private static readonly AssetCode s_eur = AssetCode.Parse("EUR");
        private static readonly AssetCode s_jpy = AssetCode.Parse("JPY");

        private readonly ulong _seed;
        private readonly Dice _dice;
        private readonly SimulatedStore _store;
        private readonly Dictionary<LedgerAccountId, LedgerAccount> _opening;
        private readonly Dictionary<LedgerAccountId, LedgerAccount> _cache = [];
        private readonly List<Flight> _air = [];
        private readonly LedgerTraffic _traffic;

        public Pipeline(ulong seed)
        {
            (_seed, _dice) = (seed, new Dice(seed));
            _store = new SimulatedStore(
                [new(s_eur, 2, AssetKind.Currency), new(s_jpy, 0, AssetKind.Currency)],
                new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
            LedgerAccount[] accounts =
            [
                Person(s_eur, 500), Person(s_eur, 300), Person(s_eur, 100), Person(s_eur, 0), Person(s_jpy, 500),
                LedgerAccount.Open(LedgerOwner.OfSystem("sandbox"), s_eur),
            ];
            _opening = accounts.ToDictionary(account => account.Id);
            foreach (var account in accounts)
            {
                _store.Accounts.Add(account.Id, account);
            }

            _traffic = new LedgerTraffic(
                _dice, [.. accounts.Select(account => new TrafficAccount(account.Id, account.Asset))], _dice.NextId,
                rivals: 12);
        }

        /// <summary>Batches decided on others in the air.</summary>
        public int Followed { get; private set; }

        /// <summary>Batches that fell with another.</summary>
        public int Fallen { get; private set; }

        /// <summary>Batches whose accounts or ids another node was quicker with.</summary>
        public int Overtaken { get; private set; }

        /// <summary>Batches whose rows, read at different times, could not be decided on.</summary>
        public int Contradictions { get; private set; }

        public void Run()
        {
            try
            {
                for (var act = 0; act < Acts; act++)
                {
                    Step();
                }

                while (_air.Count > 0)
                {
                    Land();
                }

                var model = new NaiveLedger(s_eur, s_jpy);
                foreach (var account in _opening.Values)
                {
                    model.Open(account.Id, account.Asset, account.Guarded, account.Balance.Value);
                }

                foreach (var (act, now, outcomes) in _store.Journal)
                {
                    Assert.Equal(model.Decide(act, now), outcomes);
                }

                SimulationAudit.Check(_store, _opening);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"The pipeline of seed {_seed} failed: {failure.Message}", failure);
            }
        }

        private static LedgerAccount Person(AssetCode asset, long balanceMinor) =>
            LedgerAccount.Open(LedgerOwner.OfSystem($"{asset} {balanceMinor}"), asset) with
            {
                Guarded = true,
                Balance = new AmountMinor(balanceMinor),
            };

        private void Step()
        {
            _store.Now += TimeSpan.FromSeconds(_dice.Chance(5) ? -_dice.Next(100) : _dice.Next(6));
            switch (_dice.Next(100))
            {
                case < 60 when _air.Count < FlightsMax:
                    TakeOff([.. Enumerable.Range(0, 1 + _dice.Next(3)).Select(_ => _traffic.Next())]);
                    break;
                case < 6:
                    Fall();
                    break;
                case < 72:
                    Commit(Decide([_traffic.Next()], []));
                    break;
                default:
                    Land();
                    break;
            }
        }

        private void TakeOff(LedgerAct[] acts)
        {
            // What is in the air now may have landed by the time that the rows are read.
            Flight[] earlier = [.. _air];
            if (_dice.Chance(20) && !Land())
            {
                // They fell, and this one would have fallen with them and been decided again like this.
                earlier = [];
            }

            Followed += earlier.Length > 0 ? 1 : 0;
            var flight = Decide(acts, earlier, _cache);
            foreach (var account in flight.Book.Unchanged.Concat(flight.Book.Changed.Select(step => step.Now)))
            {
                _cache[account.Id] = account;
            }

            _air.Add(flight);
        }

        private Flight Decide(
            LedgerAct[] acts, Flight[] earlier, Dictionary<LedgerAccountId, LedgerAccount>? cache = null)
        {
            var book = _store.Load(acts);
            if (cache is not null)
            {
                foreach (var account in book.Unchanged.ToArray())
                {
                    if (cache.TryGetValue(account.Id, out var remembered) && _dice.Chance(80))
                    {
                        book.Load(account.Id, remembered);
                    }
                }
            }

            foreach (var flight in earlier)
            {
                book.Follow(flight.Book);
            }

            var now = _store.Now;
            try
            {
                return new Flight(acts, book, [.. acts.Select(act => (act, now, (act switch
                {
                    LedgerAct.Single single => [book.Decide(single.Command, now)],
                    LedgerAct.Linked linked => book.DecideGroup(linked.Group, now),
                    LedgerAct.Change change => [book.Decide(change.What, now)],
                    _ => throw new InvalidOperationException("No such act."),
                }).Select(NaiveOutcome.Of).ToArray()))]);
            }
            catch (InvalidOperationException) when (cache is not null)
            {
                // An account as remembered and another node's hold of it may contradict each other.
                Contradictions++;
                return new Flight(acts, book, null);
            }
        }

        /// <returns>Whether nothing fell.</returns>
        private bool Land()
        {
            if (_air.Count == 0)
            {
                return true;
            }

            var (_, book, decided) = _air[0];
            if (decided is null || !Stands(book) || !_store.TryCommit(book, decided))
            {
                Overtaken++;
                Fall();
                return false;
            }

            _air.RemoveAt(0);
            return true;
        }

        /// <summary>What the last statement of a batch asks of the accounts.</summary>
        private bool Stands(LedgerBook book) =>
            book.Changed.Select(step => step.Before).Concat(book.Unchanged).All(account =>
                (account.Version, account.State)
                    == (_store.Accounts[account.Id].Version, _store.Accounts[account.Id].State));

        /// <summary>The oldest fails and all others with it; each is decided again on what is committed.</summary>
        private void Fall()
        {
            Fallen += Math.Max(0, _air.Count - 1);
            Flight[] fallen = [.. _air];
            _air.Clear();
            foreach (var account in fallen.SelectMany(flight =>
                flight.Book.Unchanged.Concat(flight.Book.Changed.Select(step => step.Now))))
            {
                _cache.Remove(account.Id);
            }

            foreach (var flight in fallen)
            {
                Commit(Decide(flight.Acts, []));
            }
        }

        private void Commit(Flight flight) => Assert.True(_store.TryCommit(flight.Book, flight.Decided!));

        /// <param name="Decided">Null where it failed before it was decided.</param>
        private sealed record Flight(
            LedgerAct[] Acts, LedgerBook Book, (LedgerAct Act, DateTimeOffset Now, NaiveOutcome[] Outcomes)[]? Decided);
    }
}

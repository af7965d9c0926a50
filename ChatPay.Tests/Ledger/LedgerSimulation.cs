using ChatPay.Core.Ledger;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>What went wrong on purpose, to see that it did.</summary>
internal sealed class SimulationFaults
{
    public int CrashedBeforeCommit { get; set; }

    public int CrashedAfterCommit { get; set; }

    public int LostRequests { get; set; }

    public int LostReplies { get; set; }

    public int Duplicates { get; set; }

    public int Collisions { get; set; }

    public int WaitedForLocks { get; set; }

    public int StepsBack { get; set; }

    public int Replays { get; set; }
}

/// <summary>
/// The pure core among crashes: nodes gather batches, lock, load, decide, commit and answer in steps of their own;
/// clients ask until they are answered, with the same ids, any node. One dice decides what happens next, so that a seed
/// is a history.
/// </summary>
internal sealed class LedgerSimulation
{
    private const int Clients = 8;
    private const int Nodes = 4;
    private const int ActsPerClient = 30;
    private const int BatchMax = 3;
    private const int SlowCommitPercent = 60;
    private const int StepsMax = 60_000;

    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");
    private static readonly AssetCode s_jpy = AssetCode.Parse("JPY");
    private static readonly Asset[] s_assets = [new(s_eur, 2, AssetKind.Currency), new(s_jpy, 0, AssetKind.Currency)];

    private readonly Dice _dice;
    private readonly SimulatedStore _store;
    private readonly Dictionary<LedgerAccountId, LedgerAccount> _opening;
    private readonly Client[] _clients;
    private readonly Node[] _nodes;
    private readonly List<Request> _requests = [];
    private readonly List<Reply> _replies = [];
    private bool _calm;

    public LedgerSimulation(ulong seed)
    {
        _dice = new Dice(seed);
        _store = new SimulatedStore(s_assets, new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        LedgerAccount[] accounts =
        [
            Person(s_eur, 500), Person(s_eur, 400), Person(s_eur, 300), Person(s_eur, 200), Person(s_eur, 100),
            Person(s_eur, 50), Person(s_eur, 20), Person(s_eur, 0), Person(s_jpy, 500), Person(s_jpy, 50),
            LedgerAccount.Open(LedgerOwner.OfSystem("sandbox"), s_eur),
        ];
        _opening = accounts.ToDictionary(account => account.Id);
        foreach (var account in accounts)
        {
            _store.Accounts.Add(account.Id, account);
        }

        var traffic = new LedgerTraffic(
            _dice, [.. accounts.Select(account => new TrafficAccount(account.Id, account.Asset))], _dice.NextId,
            rivals: 15);
        _clients = [.. Enumerable.Range(0, Clients).Select(_ => new Client())];
        for (var act = 0; act < Clients * ActsPerClient; act++)
        {
            _clients[act % Clients].Acts.Add(traffic.Next());
        }

        _nodes = [.. Enumerable.Range(0, Nodes).Select(_ => new Node())];
    }

    public SimulationFaults Faults { get; } = new();

    public void Run()
    {
        for (var step = 0; _clients.Any(client => !client.IsDone) || _requests.Count > 0 || _nodes.Any(node => node.IsBusy)
            || _replies.Count > 0; step++)
        {
            // In the second half nothing fails any more: then everybody must get an answer.
            _calm = step > StepsMax / 2;
            Assert.True(step < StepsMax, "Somebody is never answered.");
            Step();
        }

        CheckAnswers();
        CheckModel();
        SimulationAudit.Check(_store, _opening);
    }

    private static LedgerAccount Person(AssetCode asset, long balanceMinor) =>
        LedgerAccount.Open(LedgerOwner.OfSystem($"{asset} {balanceMinor}"), asset) with
        {
            Guarded = true,
            Balance = new AmountMinor(balanceMinor),
        };

    private void Step()
    {
        switch (_dice.Next(100))
        {
            case < 20:
                Ask(_dice.Pick(_clients));
                break;
            case < 45:
                Deliver();
                break;
            case < 78:
                Work(_dice.Pick(_nodes));
                break;
            case < 92:
                Answer();
                break;
            case < 94 when !_calm:
                Crash(_dice.Pick(_nodes));
                break;
            default:
                Tick();
                break;
        }
    }

    private void Ask(Client client)
    {
        // A client waits a while before it asks again, and then it asks with the same ids.
        if (!client.IsDone && (!client.IsWaiting || _dice.Chance(15)))
        {
            client.IsWaiting = true;
            _requests.Add(new Request(client, client.Outcomes.Count));
        }
    }

    /// <summary>Any request on its way may arrive next, not at all, or twice.</summary>
    private void Deliver()
    {
        if (_requests.Count == 0)
        {
            return;
        }

        var at = _dice.Next(_requests.Count);
        var request = _requests[at];
        if (_calm || !_dice.Chance(10))
        {
            _dice.Pick(_nodes).Inbox.Add(request);
        }
        else
        {
            Faults.LostRequests++;
        }

        if (!_calm && _dice.Chance(10))
        {
            Faults.Duplicates++;
            return;
        }

        _requests.RemoveAt(at);
    }

    private void Work(Node node)
    {
        switch (node.Stage)
        {
            case Stage.Idle when node.Inbox.Count > 0:
                node.Batch = [.. node.Inbox.Take(1 + _dice.Next(BatchMax))];
                node.Inbox.RemoveRange(0, node.Batch.Count);
                node.Stage = Stage.Waiting;
                break;
            case Stage.Waiting when !_store.TryLock(node, node.Batch.Select(request => request.Act)):
                Faults.WaitedForLocks++;
                break;
            case Stage.Waiting:
                Decide(node);
                node.Stage = Stage.Decided;
                break;
            case Stage.Decided when _dice.Chance(SlowCommitPercent):
                break;
            case Stage.Decided:
                var committed = _store.TryCommit(node.Book!, node.Decided);
                _store.Unlock(node);
                Faults.Collisions += committed ? 0 : 1;
                node.Stage = committed ? Stage.Committed : Stage.Waiting;
                break;
            case Stage.Committed:
                foreach (var (request, decided) in node.Batch.Zip(node.Decided))
                {
                    _replies.Add(new Reply(request, decided.Outcomes));
                }

                node.Clear();
                break;
        }
    }

    private void Decide(Node node)
    {
        var (book, now) = (_store.Load(node.Batch.Select(request => request.Act)), _store.Now);
        node.Book = book;
        node.Decided = [.. node.Batch.Select(request =>
        {
            LedgerOutcome[] outcomes = request.Act switch
            {
                LedgerAct.Single single => [book.Decide(single.Command, now)],
                LedgerAct.Linked linked => [.. book.DecideGroup(linked.Group, now)],
                LedgerAct.Change change => [book.Decide(change.What, now)],
                _ => throw new InvalidOperationException("No such act."),
            };
            Faults.Replays += outcomes[0].Replayed ? 1 : 0;
            return (request.Act, now, outcomes.Select(NaiveOutcome.Of).ToArray());
        })];
    }

    private void Answer()
    {
        if (_replies.Count == 0)
        {
            return;
        }

        var at = _dice.Next(_replies.Count);
        var (request, outcomes) = _replies[at];
        _replies.RemoveAt(at);
        if (!_calm && _dice.Chance(15))
        {
            Faults.LostReplies++;
            return;
        }

        var client = request.Client;
        if (request.Index == client.Outcomes.Count)
        {
            client.Outcomes.Add(outcomes);
            client.IsWaiting = false;
        }
        else
        {
            Assert.Equal(client.Outcomes[request.Index], outcomes);
        }
    }

    /// <summary>
    /// What the node had in memory is gone, its locks with it. If it was about to commit, the commit may have happened
    /// all the same: only the answer is missing.
    /// </summary>
    private void Crash(Node node)
    {
        if (node.Stage == Stage.Decided && _dice.Chance(50) && _store.TryCommit(node.Book!, node.Decided))
        {
            node.Stage = Stage.Committed;
        }

        Faults.CrashedAfterCommit += node.Stage == Stage.Committed ? 1 : 0;
        Faults.CrashedBeforeCommit += node.Stage is Stage.Waiting or Stage.Decided ? 1 : 0;
        _store.Unlock(node);
        node.Inbox.Clear();
        node.Clear();
    }

    private void Tick()
    {
        var back = _dice.Chance(8);
        Faults.StepsBack += back ? 1 : 0;
        _store.Now += TimeSpan.FromSeconds(back ? -_dice.Next(100) : _dice.Next(6));
    }

    /// <summary>Every answer is what is stored; an id of which something else is stored was answered with a conflict.</summary>
    private void CheckAnswers()
    {
        foreach (var (act, outcomes) in _clients.SelectMany(client => client.Acts.Zip(client.Outcomes)))
        {
            var conflict = new NaiveOutcome(LedgerStatus.IdempotencyConflict, 0);
            switch (act)
            {
                case LedgerAct.Single single:
                    Assert.Equal([Stored(single.Command) ?? conflict], outcomes);
                    break;
                case LedgerAct.Linked linked:
                    var stored = linked.Group.Members.Select(Stored).ToArray();
                    Assert.Equal(
                        stored.Select(outcome => stored.Contains(null) ? conflict : outcome!.Value), outcomes);
                    break;
                case LedgerAct.Change change:
                    var row = _store.Changes[change.What.Id];
                    Assert.Equal(
                        [row.Change == change.What ? new NaiveOutcome(row.Status, 0) : conflict], outcomes);
                    break;
            }
        }
    }

    /// <summary>The stored outcome of exactly this command, or null.</summary>
    private NaiveOutcome? Stored(LedgerCommand command) => _store.Find(command.Id) is not { } row || row.Command != command
        ? null
        : new NaiveOutcome(row.Status, row.Status == LedgerStatus.Applied ? row.Amount.Value : 0);

    /// <summary>Everything that was committed, in that order, told to the naive model.</summary>
    private void CheckModel()
    {
        var model = new NaiveLedger(s_eur, s_jpy);
        foreach (var account in _opening.Values)
        {
            model.Open(account.Id, account.Asset, account.Guarded, account.Balance.Value);
        }

        foreach (var (act, now, outcomes) in _store.Journal)
        {
            Assert.Equal(model.Decide(act, now), outcomes);
        }

        Assert.All(_store.Accounts.Values, account =>
            Assert.Equal(model.Balance(account.Id), (account.Balance.Value, account.Held.Value)));
    }

    private enum Stage
    {
        Idle,
        Waiting,
        Decided,
        Committed,
    }

    private sealed class Client
    {
        public List<LedgerAct> Acts { get; } = [];

        /// <summary>Of the acts answered so far, in order: one act waits at a time.</summary>
        public List<NaiveOutcome[]> Outcomes { get; } = [];

        public bool IsWaiting { get; set; }

        public bool IsDone => Outcomes.Count == Acts.Count;
    }

    private sealed class Node
    {
        public List<Request> Inbox { get; } = [];

        public Stage Stage { get; set; }

        public IReadOnlyList<Request> Batch { get; set; } = [];

        public LedgerBook? Book { get; set; }

        public IReadOnlyList<(LedgerAct Act, DateTimeOffset Now, NaiveOutcome[] Outcomes)> Decided { get; set; } = [];

        public bool IsBusy => Stage != Stage.Idle || Inbox.Count > 0;

        public void Clear() => (Stage, Batch, Book, Decided) = (Stage.Idle, [], null, []);
    }

    private sealed record Request(Client Client, int Index)
    {
        public LedgerAct Act => Client.Acts[Index];
    }

    private sealed record Reply(Request Request, NaiveOutcome[] Outcomes);
}

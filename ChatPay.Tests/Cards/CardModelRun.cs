using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>What happened in runs of the model test, to see that it did.</summary>
internal sealed class CardModelFaults
{
    public Dictionary<ErrorCode, int> Refusals { get; } = [];

    public HashSet<(CardForm Form, CardState State)> Ends { get; } = [];

    public int Bursts { get; set; }

    public int Done { get; set; }

    public int Replays { get; set; }

    public int Conflicts { get; set; }

    public int Kills { get; set; }

    public int NodesLost { get; set; }

    public int AtTheInstant { get; set; }

    public int Passed { get; set; }
}

/// <summary>
/// One run: people act on cards of every kind through two nodes, alone or several at once, while the clock, which stands still
/// but for the run's own steps, meets the cards' ends. After each step every answer is one that the naive model gives in the
/// order of the conversation's log.
/// </summary>
internal sealed class CardModelRun(MoneyFixture money, TestServer second, Func<Task<TestServer>> anew, ulong seed)
{
    private const int People = 4;
    private const int AsksMax = 200;

    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    private readonly Dice _dice = new(seed);
    private readonly NaiveCards _model = new();
    private readonly List<(CardAct Act, Outcome Outcome)> _kept = [];
    private WalletHolder[] _people = [];
    private CardModelTraffic _traffic = null!;
    private DateTimeOffset _now;
    private long _seq;

    public CardModelFaults Faults { get; } = new();

    public TestServer Second { get; private set; } = second;

    public async Task RunAsync(int steps)
    {
        _people = await Task.WhenAll(Enumerable.Range(0, People).Select(_ => money.PersonAsync()));
        var conversation = await money.ConversationAsync(_people);
        _now = await money.StopClockAsync();
        foreach (var person in _people)
        {
            _model.Balances.Add(person.Account, 10_000);
        }

        _traffic = new CardModelTraffic(_dice, money, _model, _people, conversation);
        for (var step = 0; step < steps; step++)
        {
            await StepAsync();
        }

        // Everything ends in the end, sometimes only after an outage that is longer than the holds of delayed transfers last.
        await AdvanceAsync(TimeSpan.FromDays(_dice.Chance(50) ? 20 : 45));
        await StepAsync([], sweeps: 2);
        await AdvanceAsync(TimeSpan.FromDays(400));
        await StepAsync([], sweeps: 2);
        Assert.All(_model.Cards.Values, card => Assert.False(card.IsOpen));
        await new CardHistoryAudit(money, _model, _people, conversation).CheckAsync();
        Faults.Ends.UnionWith(_model.Cards.Values.Select(card => (FormOf(card), card.State)));
    }

    private async Task StepAsync()
    {
        switch (_dice.Next(100))
        {
            case < 60:
                await StepAsync([_traffic.Next()]);
                break;
            case < 80:
                Faults.Bursts++;
                await StepAsync(_traffic.Burst(), sweeps: _dice.Next(3), fault: _dice.Next(8));
                break;
            case < 86:
                await ReplayAsync();
                break;
            case < 92:
                await AdvanceAsync(TimeSpan.FromSeconds(_dice.Next(40)));
                break;
            case < 97 when NextEnd() is { } end:
                // One microsecond, which is the database's grain, before the end of a card, at it or after it.
                await AdvanceAsync(end - _now + TimeSpan.FromMicroseconds(_dice.Next(3) - 1));
                await StepAsync(_traffic.Burst(), sweeps: _dice.Next(2), fault: 7);
                break;
            default:
                await AdvanceAsync(s_day * (1 + _dice.Next(9)));
                await StepAsync([], sweeps: 1);
                break;
        }
    }

    /// <summary>Acts at once, each on a node of its own choice, some of them on both; and what time does meanwhile.</summary>
    private async Task StepAsync(IReadOnlyList<CardAct> acts, int sweeps = 0, int fault = 7)
    {
        var from = _now;
        var asking = acts.SelectMany(act => Enumerable.Range(0, 1 + (_dice.Chance(15) ? 1 : 0)).Select(copy => (act, copy)))
            .Select(one => (one.act, Answer: AskAsync(one.act, _dice.Chance(50)))).ToArray();
        var sweeping = Enumerable.Range(0, sweeps).Select(turn => SweepAsync(turn % 2 == 0)).ToArray();
        if (acts.Count > 1 && fault < 2)
        {
            await KillAsync();
        }
        else if (acts.Count > 1 && fault == 2 && Faults.NodesLost == 0)
        {
            Faults.NodesLost++;
            await Second.DisposeAsync();
            Second = await anew();
        }
        else if (acts.Count > 1 && fault == 3 && NextEnd() is { } end && end - _now < TimeSpan.FromMinutes(5))
        {
            Faults.AtTheInstant++;
            await AdvanceAsync(end - _now);
        }

        var answers = await Task.WhenAll(asking.Select(one => one.Answer));
        await Task.WhenAll(sweeping);
        await CheckAsync([.. asking.Zip(answers, (one, answer) => (one.act, answer))], from);
    }

    /// <summary>
    /// What was done, in the log's order, is what the model says each time; what was refused is what it says at some point of
    /// that order.
    /// </summary>
    private async Task CheckAsync(IReadOnlyList<(CardAct Act, Outcome Outcome)> answers, DateTimeOffset from)
    {
        foreach (var twice in answers.GroupBy(answer => answer.Act.Request.IdempotencyKey))
        {
            // What uses up no key may be answered otherwise when it comes again; the card may have ended in between.
            var said = twice.Select(answer => answer.Outcome).Select(outcome => (outcome.Error, outcome.Reply?.Seq)).Distinct();
            Assert.True(said.Count(one => IsKept(one.Error)) <= 1 && said.Count(one => !IsKept(one.Error)) <= 1);
        }

        var once = answers.OrderBy(answer => !IsKept(answer.Outcome.Error))
            .DistinctBy(answer => answer.Act.Request.IdempotencyKey).ToArray();
        var refused = once.Where(answer => answer.Outcome.Error is not null).ToList();
        var done = once.Where(answer => answer.Outcome.Reply is not null)
            .Select(answer => (answer.Outcome.Reply!.Seq, answer.Outcome.Reply.Card.Version, Answer: answer))
            .OrderBy(one => one.Seq).ThenBy(one => one.Version).ToList();
        var told = await ReadLogAsync();
        var inVain = await ReadDrawsInVainAsync(once);
        Drop(refused, inVain, from);
        foreach (var logged in told)
        {
            if (logged.Account is null)
            {
                Assert.True(_model.TryPass(
                    logged.Card!.Id, logged.Card.Progress?.RemindedAt == logged.At && CardTransitions.IsOpen(logged.Card.State),
                    logged.At));
                Faults.Passed++;
            }

            foreach (var (_, _, (act, outcome)) in done.Where(one => one.Seq == logged.Seq))
            {
                Assert.Null(_model.Predict(act, logged.At));
                _model.Do(act, outcome.Reply!.Card, logged.At);
                AssertSame(_model.Cards[act.Request.Card], outcome.Reply.Card);
                Drop(refused, inVain, from);
            }

            done.RemoveAll(one => one.Seq == logged.Seq);
            AssertSame(_model.Cards[logged.Card!.Id], logged.Card);
            Drop(refused, inVain, from);
        }

        Assert.Empty(done);
        NoteDrawsInVain(inVain);
        Assert.True(refused.Count == 0, string.Join('\n', refused.Select(one =>
            $"{one.Act.Request.Action} got {one.Outcome.Error}, and {_model.Predict(one.Act, _now)?.ToString() ?? "no error"}"
            + " was expected.")));
        foreach (var (act, outcome) in once)
        {
            Faults.Done += outcome.Error is null ? 1 : 0;
            if (outcome.Error is { } code)
            {
                Faults.Refusals[code] = Faults.Refusals.GetValueOrDefault(code) + 1;
            }

            if (IsKept(outcome.Error))
            {
                _kept.Add((act, outcome));
            }
        }
    }

    /// <summary>
    /// Whether it is said for good; a post that was refused before the money, a missing signature and a wait use up no key.
    /// </summary>
    private static bool IsKept(ErrorCode? error) =>
        error is not (ErrorCode.AuthorisationMissing or ErrorCode.TooManyRequests);

    /// <summary>When a mandate was last drawn on without funds, by the database, of those of whom that is told now.</summary>
    private async Task<Dictionary<CardId, DateTimeOffset>> ReadDrawsInVainAsync(
        IEnumerable<(CardAct Act, Outcome Outcome)> answers)
    {
        var inVain = new Dictionary<CardId, DateTimeOffset>();
        foreach (var (act, outcome) in answers)
        {
            if (act.Request.Action == CardActionKind.Draw && outcome.Error == ErrorCode.InsufficientFunds)
            {
                await using var connection = await money.DataSource.OpenConnectionAsync();
                var last = await connection.QuerySingleAsync<DateTime>(
                    "select max(created_at) from card_action where card_id = @card and status = @code",
                    new { card = act.Request.Card.Value, code = (int)ErrorCode.InsufficientFunds });
                inVain[act.Request.Card] = new DateTimeOffset(last, TimeSpan.Zero);
            }
        }

        return inVain;
    }

    /// <summary>From then on nothing is drawn on such a mandate for an hour.</summary>
    private void NoteDrawsInVain(Dictionary<CardId, DateTimeOffset> inVain)
    {
        foreach (var (card, at) in inVain)
        {
            _model.Cards[card].InVain = at;
        }
    }

    /// <summary>
    /// Takes off what is rightly refused as things are now. A draw without funds is in no log: whether another one came before it
    /// or after it, and before or after whatever else is told, nobody can say.
    /// </summary>
    private void Drop(
        List<(CardAct Act, Outcome Outcome)> refused, Dictionary<CardId, DateTimeOffset> inVain, DateTimeOffset from)
    {
        Drop(refused, from);
        var before = inVain.Keys.ToDictionary(static card => card, card => _model.Cards[card].InVain);
        NoteDrawsInVain(inVain);
        Drop(refused, from);
        NoteDrawsInVain(before);
    }

    private void Drop(List<(CardAct Act, Outcome Outcome)> refused, DateTimeOffset from) => refused.RemoveAll(one =>
        _model.Predict(one.Act, from) == one.Outcome.Error || _model.Predict(one.Act, _now) == one.Outcome.Error);

    private static void AssertSame(NaiveCard card, CardView view)
    {
        Assert.Equal((card.State, card.Version, card.ExpiresAt), (view.State, view.Version, view.ExpiresAt));
        Assert.Equal(card.IsOpen, view.ClosedAt is null);
        Assert.Equal(card.RefundedMinor, view.Progress?.RefundedMinor ?? 0);
        if (card.Post.Kind is CardKind.Split or CardKind.Packet)
        {
            Assert.Equal((card.Answers.Count, card.PaidMinor), (view.Progress!.Answered, view.Progress.PaidMinor));
        }
    }

    /// <summary>A key that was used gets the same answer for ever, and another request under it a conflict.</summary>
    private async Task ReplayAsync()
    {
        if (_kept.Count == 0)
        {
            return;
        }

        var (act, outcome) = _dice.Pick(_kept);
        var again = await AskAsync(act, _dice.Chance(50));
        Assert.Equal((outcome.Error, outcome.Reply?.Seq), (again.Error, again.Reply?.Seq));
        Assert.Equal(outcome.Reply?.Card.Version, again.Reply?.Card.Version);
        Faults.Replays++;
        if (act.Request.Post is null)
        {
            var other = act with { Request = act.Request with { Version = act.Request.Version + 1 } };
            Assert.Equal(ErrorCode.IdempotencyConflict, (await AskAsync(other, _dice.Chance(50))).Error);
            Faults.Conflicts++;
        }

        await CheckAsync([], _now);
    }

    /// <summary>
    /// A client that gets no answer, or one that is none yet, asks again with the same key, on the node that is there.
    /// </summary>
    private async Task<Outcome> AskAsync(CardAct act, bool onFirst)
    {
        for (var turn = 0; turn < AsksMax; turn++)
        {
            try
            {
                var cards = onFirst ? money.Cards : Second.Services.GetRequiredService<CardService>();
                var result = await Task.Run(() => cards.ActAsync(act.Actor.Caller, act.Request, CancellationToken.None));
                if (result.Error is not { Retryable: true } || result.Error.Code == ErrorCode.TooManyRequests)
                {
                    return result.IsOk ? new Outcome(null, result.Value) : new Outcome(result.Error!.Code, null);
                }
            }
            catch (Exception lost) when (lost is NpgsqlException or ObjectDisposedException or OperationCanceledException)
            {
                onFirst = true;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), CancellationToken.None);
        }

        throw new InvalidOperationException($"{act.Request.Action} is never answered.");
    }

    private async Task SweepAsync(bool onFirst)
    {
        for (var turn = 0; turn < AsksMax; turn++)
        {
            try
            {
                var sweeper = onFirst ? money.Sweeper : Second.Services.GetRequiredService<CardSweeper>();
                await sweeper.SweepAsync(CancellationToken.None);
                await sweeper.RemindAsync(CancellationToken.None);
                return;
            }
            catch (Exception lost) when (lost is NpgsqlException or ObjectDisposedException or OperationCanceledException)
            {
                onFirst = true;
            }
        }
    }

    private async Task KillAsync()
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        Faults.Kills += await connection.QuerySingleAsync<int>("""
            select count(*) filter (where pg_terminate_backend(pid))::integer from pg_stat_activity
            where datname = current_database() and application_name = 'chatpay' and state <> 'idle'
            """);
    }

    private async Task AdvanceAsync(TimeSpan by)
    {
        if (by > TimeSpan.Zero)
        {
            await money.AdvanceAsync(by);
            _now += by;
        }
    }

    private DateTimeOffset? NextEnd() => _model.Cards.Values
        .Where(card => card.IsOpen && card.ExpiresAt > _now)
        .Min(card => (DateTimeOffset?)card.ExpiresAt);

    private async Task<IReadOnlyList<Event>> ReadLogAsync()
    {
        var events = await CardHistoryAudit.ReadLogAsync(money, _traffic.Conversation, _seq);
        Assert.Equal(Enumerable.Range(0, events.Count).Select(place => _seq + 1 + place), events.Select(logged => logged.Seq));
        _seq += events.Count;
        return events;
    }

    private static CardForm FormOf(NaiveCard card) => CardSigner.TermsOf(card.Id, card.Post).Form;

    internal sealed record Outcome(ErrorCode? Error, CardActReply? Reply);
}

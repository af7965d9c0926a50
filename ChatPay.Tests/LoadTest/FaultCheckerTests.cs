using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Faults;
using Xunit;

namespace ChatPay.Tests.LoadTest;

/// <summary>
/// The checker of the fault run: it finds nothing in a history that is well, and each thing that can be wrong with one.
/// </summary>
public sealed class FaultCheckerTests
{
    private static readonly ConversationId s_room = new(Id(1));
    private static readonly DeviceId s_ada = new(Id(2));
    private static readonly DeviceId s_ben = new(Id(3));
    private static readonly CardId s_card = new(Id(4));
    private static readonly AccountId s_adaAccount = new(Id(12));
    private static readonly AccountId s_benAccount = new(Id(13));

    /// <summary>A commit, two messages, a card and its end.</summary>
    private static readonly LogEntry[] s_log =
    [
        new(1, EventKind.Commit, s_ada, null),
        Message(2, s_ada, 20),
        Message(3, s_ben, 30),
        new(4, EventKind.Card, s_ada, new(Id(40)), new(s_card, CardState.Held, 1), Epoch: 1),
        new(5, EventKind.CardChanged, s_ben, null, new(s_card, CardState.Accepted, 2), Epoch: 1),
    ];

    /// <summary>Ben is put out, and taken in again by another commit, with a message before, between and after.</summary>
    private static readonly LogEntry[] s_turnover =
    [
        new(1, EventKind.Commit, s_ada, null),
        Message(2, s_ben, 30),
        new(3, EventKind.Members, s_ada, null, Epoch: 1, Members: new("", $"{s_benAccount}")),
        Message(4, s_ada, 40),
        new(5, EventKind.Commit, s_ada, new(Id(50)), Epoch: 1, Members: new($"{s_benAccount}", "")),
        Message(6, s_ben, 60, epoch: 2),
    ];

    [Fact]
    public void A_history_that_is_well_has_no_violations() => Assert.Empty(Checker.Check(Well()));

    [Fact]
    public void A_card_that_waits_is_no_violation() => Assert.Empty(Checker.Check(
        With(s_log[..4]) with { Cards = CardRow(CardState.Held, 1), CardsAcknowledged = [] }));

    [Fact]
    public void What_was_committed_and_never_acknowledged_is_no_violation() => Assert.Empty(Checker.Check(
        Well() with { Acknowledged = Acknowledged(20, 30) }));

    [Fact]
    public void What_was_tried_and_never_committed_is_no_violation() => Assert.Empty(Checker.Check(
        Well() with { Attempted = Attempted(20, 30, 40, 77) }));

    [Fact]
    public void An_acknowledged_message_that_is_lost_is_found() => Finds(
        Rules.AcknowledgedOnce, Well() with
        {
            Attempted = Attempted(20, 30, 40, 77),
            Acknowledged = Well().Acknowledged.Append(new(Name(s_ada, 77), 6)).ToDictionary(),
        });

    [Fact]
    public void An_acknowledged_message_that_is_doubled_is_found() => Finds(
        Rules.AcknowledgedOnce, With([.. s_log, Message(6, s_ada, 20)]));

    [Fact]
    public void A_message_that_stands_elsewhere_than_was_said_is_found() => Finds(
        Rules.AcknowledgedOnce, With([s_log[0], Message(2, s_ben, 30), Message(3, s_ada, 20), .. s_log[3..]]));

    [Fact]
    public void An_unacknowledged_message_that_is_doubled_is_found() => Finds(
        Rules.UnacknowledgedAtMostOnce,
        With([.. s_log, Message(6, s_ada, 77), Message(7, s_ada, 77)]) with { Attempted = Attempted(20, 30, 40, 77) });

    [Fact]
    public void A_message_that_nobody_sent_is_found() => Finds(
        Rules.NothingMadeUp, With([.. s_log, Message(6, s_ada, 77)]));

    [Fact]
    public void A_device_that_lacks_the_end_is_found() => Finds(Rules.EveryDevice, WithDevice(s_log[..4]));

    [Fact]
    public void A_device_with_a_gap_is_found() => Finds(Rules.SeqOrder, WithDevice([.. s_log[..2], .. s_log[3..]]));

    [Fact]
    public void A_device_that_was_handed_something_twice_is_found() => Finds(
        Rules.SeqOrder, WithDevice([.. s_log[..3], s_log[2], .. s_log[3..]]));

    [Fact]
    public void A_device_with_two_events_the_other_way_round_is_found() => Finds(
        Rules.SeqOrder, WithDevice([s_log[0], s_log[2], s_log[1], .. s_log[3..]]));

    [Fact]
    public void A_device_with_another_message_in_a_place_is_found() => Finds(
        Rules.EveryDevice, WithDevice([s_log[0], Message(2, s_ada, 99), .. s_log[2..]]));

    [Fact]
    public void A_device_that_sees_a_card_in_another_state_is_found() => Finds(
        Rules.EveryDevice,
        WithDevice([.. s_log[..4], s_log[4] with { Card = new(s_card, CardState.Declined, 2) }]));

    [Fact]
    public void A_device_without_a_whole_conversation_is_found() => Finds(Rules.EveryDevice, WithDevice([]));

    [Fact]
    public void A_gap_in_the_database_is_found() => Finds(Rules.SeqOrder, With([.. s_log[..2], .. s_log[3..]]));

    [Fact]
    public void A_card_in_two_terminal_states_is_found() => Finds(
        Rules.CardsEndOnce,
        With([.. s_log, new(6, EventKind.CardChanged, s_ada, null, new(s_card, CardState.Cancelled, 3))]) with
        {
            Cards = CardRow(CardState.Cancelled, 3),
        });

    [Fact]
    public void A_card_that_leaves_a_terminal_state_is_found() => Finds(
        Rules.CardsEndOnce,
        With([.. s_log, new(6, EventKind.CardChanged, s_ada, null, new(s_card, CardState.Held, 3))]) with
        {
            Cards = CardRow(CardState.Held, 3),
        });

    [Fact]
    public void A_card_that_skips_a_version_is_found() => Finds(
        Rules.CardsEndOnce,
        With([.. s_log[..4], new(5, EventKind.CardChanged, s_ben, null, new(s_card, CardState.Accepted, 3))]) with
        {
            Cards = CardRow(CardState.Accepted, 3),
        });

    [Fact]
    public void A_card_whose_row_says_otherwise_is_found() => Finds(
        Rules.CardsAgree, Well() with { Cards = CardRow(CardState.Declined, 2) });

    [Fact]
    public void A_card_that_no_log_shows_is_found() => Finds(
        Rules.CardsAgree, Well() with
        {
            Cards = Well().Cards.Append(new(new(Id(5)), new(new(Id(5)), CardState.Held, 1))).ToDictionary(),
        });

    [Fact]
    public void An_acknowledged_card_action_that_is_lost_is_found() => Finds(
        Rules.CardsAgree, Well() with { CardsAcknowledged = [(s_room, 5, new(s_card, CardState.Declined, 2))] });

    [Fact]
    public void A_cursor_that_goes_back_is_found_and_another_history_is_not()
    {
        var watch = new CursorWatch();
        Assert.Empty(watch.Observe(Id(8), [new(s_room, 5)]));
        Assert.Empty(watch.Observe(Id(8), [new(s_room, 6)]));
        Assert.Single(watch.Observe(Id(8), [new(s_room, 4)]));
        Assert.Empty(watch.Observe(Id(9), [new(s_room, 1)]));
        Assert.Single(watch.Observe(Id(9), []));
    }

    [Fact]
    public void The_same_seed_gives_the_same_faults_and_every_kind_comes_in_every_round()
    {
        var kinds = FaultKinds.All;
        var order = FaultSchedule.Of(7, kinds).Take(kinds.Count * 3).ToArray();
        Assert.Equal(order, FaultSchedule.Of(7, kinds).Take(order.Length));
        Assert.NotEqual(order, FaultSchedule.Of(8, kinds).Take(order.Length));
        Assert.All(order.Chunk(kinds.Count), round => Assert.Equal(kinds.Order(), round.Order()));
        Assert.All(kinds, kind => Assert.Equal(kind, FaultKinds.Parse(FaultKinds.NameOf(kind))));
    }

    [Fact]
    public void A_turnover_that_is_well_has_no_violations()
    {
        Assert.Empty(Checker.Check(Turnover(s_turnover)));

        // After another history a device is handed nothing of what was before it came in.
        Assert.Empty(Checker.Check(Turnover(s_turnover, [.. s_turnover[4..]]) with { BegunAnew = Set(s_ben) }));
        Assert.Empty(Checker.Check(Turnover(s_turnover[..4], []) with { BegunAnew = Set(s_ben), CommitsAcknowledged = [] }));
    }

    [Fact]
    public void Something_that_is_handed_to_somebody_who_is_out_is_found() => Finds(
        Rules.Outside, Turnover(s_turnover, s_turnover));

    [Fact]
    public void A_word_of_somebody_who_is_out_is_found() => Finds(
        Rules.Outside, Turnover([.. s_turnover[..3], Message(4, s_ben, 40), .. s_turnover[4..]]));

    [Fact]
    public void What_somebody_lacks_from_before_or_after_an_absence_is_found()
    {
        LogEntry[] due = [.. s_turnover[..3], .. s_turnover[4..]];
        Finds(Rules.EveryDevice, Turnover(s_turnover, due[..^1]));
        Finds(Rules.SeqOrder, Turnover(s_turnover, [.. due[..2], .. due[3..]]));
        Finds(Rules.SeqOrder, Turnover(s_turnover, [.. due[..3], .. due[4..]]));
        Finds(Rules.SeqOrder, Turnover(s_turnover, due[3..]));
        Finds(Rules.EveryDevice, Turnover(s_turnover, []));
    }

    [Fact]
    public void Two_commits_that_end_one_epoch_are_found() => Finds(
        Rules.Epochs, Turnover([.. s_turnover, new(7, EventKind.Commit, s_ada, new(Id(70)), Epoch: 1)]));

    [Fact]
    public void A_message_of_an_epoch_that_is_over_is_found() => Finds(
        Rules.Epochs, Turnover([.. s_turnover, Message(7, s_ada, 70, epoch: 1)]));

    [Fact]
    public void An_acknowledged_commit_that_is_lost_or_ended_another_epoch_is_found()
    {
        Finds(Rules.Epochs, Turnover(s_turnover) with { CommitsAcknowledged = [(s_room, 4, 1)] });
        Finds(Rules.Epochs, Turnover(s_turnover) with { CommitsAcknowledged = [(s_room, 5, 2)] });
        Finds(Rules.Epochs, Turnover(s_turnover) with { CommitsAcknowledged = [(s_room, 9, 2)] });
    }

    private static void Finds(string rule, History history) =>
        Assert.Contains(Checker.Check(history), violation => violation.Rule == rule);

    private static History Well() => With(s_log);

    /// <summary>The database and both devices have that log.</summary>
    private static History With(IReadOnlyList<LogEntry> log) => new()
    {
        Attempted = Attempted(20, 30, 40),
        Acknowledged = Acknowledged(20, 30, 40),
        CardsAcknowledged =
        [
            (s_room, 4, new(s_card, CardState.Held, 1)), (s_room, 5, new(s_card, CardState.Accepted, 2)),
        ],
        CommitsAcknowledged = [],
        Accounts = new Dictionary<DeviceId, AccountId> { [s_ada] = s_adaAccount, [s_ben] = s_benAccount },
        Founders = new Dictionary<ConversationId, IReadOnlySet<AccountId>>
        {
            [s_room] = new HashSet<AccountId> { s_adaAccount, s_benAccount },
        },
        BegunAnew = Set(),
        Database = new Dictionary<ConversationId, IReadOnlyList<LogEntry>> { [s_room] = log },
        Cards = CardRow(CardState.Accepted, 2),
        Devices = new Dictionary<DeviceId, IReadOnlyDictionary<ConversationId, IReadOnlyList<LogEntry>>>
        {
            [s_ada] = LogsOf(log),
            [s_ben] = LogsOf(log),
        },
    };

    /// <summary>One device has another log than the database.</summary>
    private static History WithDevice(IReadOnlyList<LogEntry> log) => Well() with
    {
        Devices = new Dictionary<DeviceId, IReadOnlyDictionary<ConversationId, IReadOnlyList<LogEntry>>>
        {
            [s_ada] = LogsOf(s_log),
            [s_ben] = LogsOf(log),
        },
    };

    /// <summary>Without cards. Ada has been handed all of it, and Ben that, or what he is due.</summary>
    private static History Turnover(IReadOnlyList<LogEntry> log, IReadOnlyList<LogEntry>? ben = null)
    {
        var spans = MemberSpan.Of(log, s_benAccount, founder: true);
        var due = log.Where(entry => spans.Any(span => span.Holds(entry.Seq))).ToArray();
        return With(log) with
        {
            Attempted = log.Where(entry => entry.ClientId is not null)
                .Select(entry => new MessageName(s_room, entry.Device!.Value, entry.ClientId!.Value)).ToHashSet(),
            Acknowledged = Acknowledged(),
            CardsAcknowledged = [],
            CommitsAcknowledged = [(s_room, 5, 1)],
            Cards = new Dictionary<CardId, CardEntry>(),
            Devices = new Dictionary<DeviceId, IReadOnlyDictionary<ConversationId, IReadOnlyList<LogEntry>>>
            {
                [s_ada] = LogsOf(log),
                [s_ben] = LogsOf(ben ?? due),
            },
        };
    }

    private static HashSet<DeviceId> Set(params DeviceId[] devices) => [.. devices];

    private static Dictionary<ConversationId, IReadOnlyList<LogEntry>> LogsOf(IReadOnlyList<LogEntry> log) =>
        new() { [s_room] = log };

    private static Dictionary<CardId, CardEntry> CardRow(CardState state, int version) =>
        new() { [s_card] = new(s_card, state, version) };

    private static LogEntry Message(long seq, DeviceId device, byte number, long epoch = 1) =>
        new(seq, EventKind.Message, device, new(Id(number)), Epoch: epoch);

    private static MessageName Name(DeviceId device, byte number) => new(s_room, device, new(Id(number)));

    private static DeviceId SenderOf(byte number) => number == 30 ? s_ben : s_ada;

    private static HashSet<MessageName> Attempted(params byte[] numbers) =>
        [.. numbers.Select(number => Name(SenderOf(number), number))];

    private static Dictionary<MessageName, long> Acknowledged(params byte[] numbers) =>
        numbers.ToDictionary(number => Name(SenderOf(number), number), number => (long)(number / 10));

    private static Guid Id(byte number) => new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number);
}

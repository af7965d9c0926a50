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

    /// <summary>A commit, two messages, a card and its end.</summary>
    private static readonly LogEntry[] s_log =
    [
        new(1, EventKind.Commit, s_ada, null),
        Message(2, s_ada, 20),
        Message(3, s_ben, 30),
        new(4, EventKind.Card, s_ada, new(Id(40)), new(s_card, CardState.Held, 1)),
        new(5, EventKind.CardChanged, s_ben, null, new(s_card, CardState.Accepted, 2)),
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

    private static Dictionary<ConversationId, IReadOnlyList<LogEntry>> LogsOf(IReadOnlyList<LogEntry> log) =>
        new() { [s_room] = log };

    private static Dictionary<CardId, CardEntry> CardRow(CardState state, int version) =>
        new() { [s_card] = new(s_card, state, version) };

    private static LogEntry Message(long seq, DeviceId device, byte number) =>
        new(seq, EventKind.Message, device, new(Id(number)));

    private static MessageName Name(DeviceId device, byte number) => new(s_room, device, new(Id(number)));

    private static DeviceId SenderOf(byte number) => number == 30 ? s_ben : s_ada;

    private static HashSet<MessageName> Attempted(params byte[] numbers) =>
        [.. numbers.Select(number => Name(SenderOf(number), number))];

    private static Dictionary<MessageName, long> Acknowledged(params byte[] numbers) =>
        numbers.ToDictionary(number => Name(SenderOf(number), number), number => (long)(number / 10));

    private static Guid Id(byte number) => new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number);
}

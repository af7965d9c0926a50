using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Linked groups by example: together or not at all.</summary>
public sealed class LedgerGroupTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");

    private readonly BookDesk _desk = new([new(s_eur, 2, AssetKind.Currency)]);
    private readonly LedgerAccountId _alice;
    private readonly LedgerAccountId _bob;
    private readonly LedgerAccountId _carol;

    public LedgerGroupTests()
    {
        _alice = _desk.Person(1, s_eur, 1_000);
        _bob = _desk.Person(2, s_eur, 0);
        _carol = _desk.Person(3, s_eur, 0);
    }

    [Fact]
    public void A_hold_is_captured_by_several_payees_in_the_group_that_opens_it()
    {
        var outcomes = Decide(
            1,
            LedgerCommand.Hold(Id(1), _alice, Money.Of(700, s_eur), 60),
            LedgerCommand.Capture(Id(2), Id(1), _alice, _bob, Money.Of(300, s_eur)),
            LedgerCommand.CaptureAll(Id(3), Id(1), _alice, _carol, s_eur));
        Assert.Equal([700L, 300L, 400L], outcomes.Select(outcome => outcome.Moved.Value));
        Assert.Equal(((300L, 0L), (300L, 0L), (400L, 0L)), Balances());
        Assert.Equal(HoldState.Captured, Assert.Single(_desk.Book.NewHolds).State);
    }

    [Fact]
    public void A_member_spends_what_an_earlier_one_brought()
    {
        var outcomes = Decide(1, Pay(1, _alice, _bob, 600), Pay(2, _bob, _carol, 600));
        Assert.All(outcomes, outcome => Assert.True(outcome.IsApplied));
        Assert.Equal(((400L, 0L), (0L, 0L), (600L, 0L)), Balances());
    }

    [Fact]
    public void A_member_does_not_spend_what_a_later_one_would_bring() => Assert.Equal(
        [LedgerStatus.InsufficientFunds, LedgerStatus.LinkedFailed],
        Statuses(1, Pay(1, _bob, _carol, 600), Pay(2, _alice, _bob, 600)));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_member_that_fails_says_why_and_the_others_that_they_are_blameless(int culprit)
    {
        _desk.Decide(LedgerCommand.Hold(Id(90), _alice, Money.Of(100, s_eur), 60), s_noon);
        var before = Balances();
        List<LedgerCommand> members =
        [
            Pay(1, _alice, _bob, 50), LedgerCommand.Capture(Id(2), Id(90), _alice, _carol, Money.Of(40, s_eur)),
            LedgerCommand.Refund(Id(3), Id(1), _bob, _alice, Money.Of(20, s_eur)),
        ];
        members.Insert(culprit, Pay(9, _alice, _carol, 5_000));

        var expected = Enumerable.Repeat(LedgerStatus.LinkedFailed, 4).ToArray();
        expected[culprit] = LedgerStatus.InsufficientFunds;
        Assert.Equal(expected, Statuses(1, [.. members]));
        Assert.Equal(before, Balances());
        Assert.Equal(100, Assert.Single(_desk.Book.NewHolds).Remaining.Value);
        Assert.Empty(_desk.Book.Refunded);
        Assert.Single(_desk.Book.Entries);
        Assert.Equal(5, _desk.Book.Transfers.Count);

        // What comes after it in the same batch finds everything as it was.
        Assert.Equal(LedgerStatus.Applied, _desk.Decide(Pay(20, _alice, _bob, 900), s_noon).Status);
        Assert.Equal(LedgerStatus.RefundUnknown, _desk.Decide(
            LedgerCommand.Refund(Id(21), Id(1), _bob, _alice, Money.Of(20, s_eur)), s_noon).Status);
    }

    [Fact]
    public void A_hold_of_a_failed_group_never_was()
    {
        Statuses(1, LedgerCommand.Hold(Id(1), _alice, Money.Of(700, s_eur), 60), Pay(2, _alice, _bob, 301));
        Assert.Empty(_desk.Book.NewHolds);
        Assert.Equal(LedgerStatus.HoldUnknown, _desk.Decide(
            LedgerCommand.CaptureAll(Id(3), Id(1), _alice, _bob, s_eur), s_noon).Status);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(5_000)]
    public void A_known_group_gets_its_stored_outcomes(long amountMinor)
    {
        LedgerCommand[] members = [Pay(1, _alice, _bob, amountMinor), Pay(2, _bob, _carol, 1)];
        var first = Decide(1, members);
        _desk.Fund(_alice, 10_000);
        Assert.Equal(first.Select(outcome => outcome with { Replayed = true }), Decide(1, members));
        Assert.Equal(2, _desk.Book.Transfers.Count);
    }

    [Fact]
    public void Anything_between_wholly_known_and_wholly_new_conflicts_and_records_nothing()
    {
        _desk.Decide(Pay(8, _alice, _bob, 1), s_noon);
        Decide(1, Pay(1, _alice, _bob, 10), Pay(2, _alice, _bob, 20));
        var rows = _desk.Book.Transfers.Count;
        (string What, int Group, LedgerCommand[] Members)[] attempts =
        [
            ("one member less", 1, [Pay(1, _alice, _bob, 10)]),
            ("one member more", 1, [Pay(1, _alice, _bob, 10), Pay(2, _alice, _bob, 20), Pay(3, _alice, _bob, 1)]),
            ("another order", 1, [Pay(2, _alice, _bob, 20), Pay(1, _alice, _bob, 10)]),
            ("another amount", 1, [Pay(1, _alice, _bob, 10), Pay(2, _alice, _bob, 21)]),
            ("other members", 1, [Pay(4, _alice, _bob, 10), Pay(5, _alice, _bob, 20)]),
            ("another group", 2, [Pay(1, _alice, _bob, 10), Pay(2, _alice, _bob, 20)]),
            ("a member that stood alone", 3, [Pay(6, _alice, _bob, 1), Pay(8, _alice, _bob, 1)]),
        ];
        foreach (var (what, group, members) in attempts)
        {
            var statuses = Statuses(group, members);
            Assert.True(statuses.All(status => status == LedgerStatus.IdempotencyConflict), what);
        }

        Assert.Equal(rows, _desk.Book.Transfers.Count);
        Assert.Equal(LedgerStatus.IdempotencyConflict, _desk.Decide(Pay(1, _alice, _bob, 10), s_noon).Status);
        Assert.Equal(((969L, 0L), (31L, 0L), (0L, 0L)), Balances());
    }

    [Fact]
    public void A_group_has_a_bounded_number_of_members_each_with_its_own_id()
    {
        LedgerCommand[] Members(int count) =>
            [.. Enumerable.Range(1, count).Select(number => Pay(number, _alice, _bob, 1))];

        Assert.Equal(Limits.LedgerGroupMax, Decide(1, Members(Limits.LedgerGroupMax)).Count);
        Assert.Throws<ArgumentException>(() => Group(2, Members(Limits.LedgerGroupMax + 1)));
        Assert.Throws<ArgumentException>(() => Group(2));
        Assert.Throws<ArgumentException>(() => Group(2, Pay(1, _alice, _bob, 1), Pay(1, _alice, _bob, 2)));
        Assert.Throws<ArgumentException>(() => Group(2, Group(3, Pay(1, _alice, _bob, 1)).Members[0]));
    }

    [Fact]
    public void A_member_is_not_decided_alone() => Assert.Throws<InvalidOperationException>(
        () => _desk.Decide(Group(1, Pay(1, _alice, _bob, 1)).Members[0], s_noon));

    private static TransferId Id(int number) => BookDesk.Id(number);

    private static LedgerGroup Group(int id, params LedgerCommand[] members) =>
        new(new LedgerGroupId(BookDesk.Id(1_000 + id).Value), members);

    private static LedgerCommand Pay(int id, LedgerAccountId debit, LedgerAccountId credit, long amountMinor) =>
        LedgerCommand.Transfer(Id(id), debit, credit, Money.Of(amountMinor, s_eur));

    private IReadOnlyList<LedgerOutcome> Decide(int group, params LedgerCommand[] members) =>
        _desk.Decide(Group(group, members), s_noon);

    private IEnumerable<LedgerStatus> Statuses(int group, params LedgerCommand[] members) =>
        Decide(group, members).Select(outcome => outcome.Status);

    private ((long, long) Alice, (long, long) Bob, (long, long) Carol) Balances() =>
        (_desk.Balance(_alice), _desk.Balance(_bob), _desk.Balance(_carol));
}

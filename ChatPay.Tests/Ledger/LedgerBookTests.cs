using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The rules by example, each status in its place.</summary>
public sealed class LedgerBookTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AssetCode Eur = AssetCode.Parse("EUR");
    private static readonly AssetCode Jpy = AssetCode.Parse("JPY");

    private readonly BookDesk _desk = new([new(Eur, 2, AssetKind.Currency), new(Jpy, 0, AssetKind.Currency)]);

    private LedgerAccountId Alice => _desk.Person(1, Eur, 1_000);

    private LedgerAccountId Bob => _desk.Person(2, Eur, 0);

    private LedgerAccountId BobsYen => _desk.Person(2, Jpy, 0);

    [Fact]
    public void A_transfer_posts_both_sides()
    {
        Assert.Equal(LedgerStatus.Applied, Pay(1, 400).Status);

        Assert.Equal((600, 0), _desk.Balance(Alice));
        Assert.Equal((400, 0), _desk.Balance(Bob));
        var entries = _desk.Book.Entries.TakeLast(2).ToArray();
        Assert.Equal([-400L, 400L], entries.Select(entry => entry.Posted.Value));
        Assert.Equal([600L, 400L], entries.Select(entry => entry.BalanceAfter.Value));
    }

    [Fact]
    public void The_same_id_and_payload_get_the_stored_outcome_and_move_nothing()
    {
        Pay(1, 400);
        Assert.Equal(new LedgerOutcome(LedgerStatus.Applied, new AmountMinor(400), Replayed: true), Pay(1, 400));
        Assert.Equal((600, 0), _desk.Balance(Alice));
    }

    [Fact]
    public void The_same_id_with_another_payload_conflicts()
    {
        Pay(1, 400);
        Assert.Equal(LedgerStatus.IdempotencyConflict, Pay(1, 401).Status);
        Assert.Equal((600, 0), _desk.Balance(Alice));
    }

    [Fact]
    public void A_rejected_id_stays_rejected_when_the_money_arrives()
    {
        Assert.Equal(LedgerStatus.InsufficientFunds, Pay(1, 1_001).Status);
        _desk.Fund(Alice, 500);
        Assert.Equal(new LedgerOutcome(LedgerStatus.InsufficientFunds, Replayed: true), Pay(1, 1_001));
        Assert.Equal(LedgerStatus.Applied, Pay(2, 1_001).Status);
    }

    [Theory]
    [InlineData(0, LedgerStatus.AmountNotPositive)]
    [InlineData(-1, LedgerStatus.AmountNotPositive)]
    [InlineData(long.MinValue, LedgerStatus.AmountNotPositive)]
    [InlineData(Limits.AmountMaxMinor + 1, LedgerStatus.AmountOverflow)]
    [InlineData(long.MaxValue, LedgerStatus.AmountOverflow)]
    [InlineData(Limits.AmountMaxMinor, LedgerStatus.InsufficientFunds)]
    [InlineData(1_001, LedgerStatus.InsufficientFunds)]
    [InlineData(1_000, LedgerStatus.Applied)]
    public void An_amount_is_positive_bounded_and_there(long amountMinor, LedgerStatus expected)
    {
        Assert.Equal(expected, Pay(1, amountMinor).Status);
        Assert.Equal(expected == LedgerStatus.Applied ? 1 : 0, _desk.RowsOf(LedgerStatus.Applied));
    }

    [Fact]
    public void Paying_oneself_is_refused_before_the_account_is_looked_for()
    {
        var unknown = _desk.Unknown(7);
        var status = _desk.Decide(LedgerCommand.Transfer(Id(1), unknown, unknown, Money.Of(1, Eur)), Noon).Status;
        Assert.Equal(LedgerStatus.SelfTransfer, status);
    }

    [Fact]
    public void Unknown_accounts_are_refused_on_either_side()
    {
        var unknown = _desk.Unknown(7);
        Assert.Equal(
            LedgerStatus.AccountUnknown,
            _desk.Decide(LedgerCommand.Transfer(Id(1), Alice, unknown, Money.Of(1, Eur)), Noon).Status);
        Assert.Equal(
            LedgerStatus.AccountUnknown,
            _desk.Decide(LedgerCommand.Transfer(Id(2), unknown, Alice, Money.Of(1, Eur)), Noon).Status);
    }

    [Fact]
    public void Assets_never_mix()
    {
        Assert.Equal(
            LedgerStatus.AssetMismatch,
            _desk.Decide(LedgerCommand.Transfer(Id(1), Alice, BobsYen, Money.Of(1, Eur)), Noon).Status);
        Assert.Equal(
            LedgerStatus.AssetMismatch,
            _desk.Decide(LedgerCommand.Transfer(Id(2), Alice, Bob, Money.Of(1, Jpy)), Noon).Status);
        Assert.Equal(
            LedgerStatus.AssetUnknown,
            _desk.Decide(LedgerCommand.Transfer(Id(3), Alice, Bob, Money.Of(1, AssetCode.Parse("XAU"))), Noon).Status);
    }

    [Fact]
    public void A_later_credit_does_not_fund_an_earlier_debit()
    {
        Assert.Equal(LedgerStatus.InsufficientFunds, _desk.Decide(Transfer(1, Bob, Alice, 1), Noon).Status);
        Assert.Equal(LedgerStatus.Applied, _desk.Decide(Transfer(2, Alice, Bob, 1), Noon).Status);
    }

    [Fact]
    public void A_balance_that_would_overflow_is_refused()
    {
        var full = _desk.Person(9, Eur, long.MaxValue);
        Assert.Equal(LedgerStatus.AmountOverflow, _desk.Decide(Transfer(1, Alice, full, 1), Noon).Status);

        var deep = _desk.System("deep", Eur, -long.MaxValue);
        Assert.Equal(LedgerStatus.AmountOverflow, _desk.Decide(Transfer(2, deep, Bob, 2), Noon).Status);
        Assert.Equal((1_000, 0), _desk.Balance(Alice));
        Assert.Equal((0, 0), _desk.Balance(Bob));
    }

    [Fact]
    public void An_unguarded_account_may_owe()
    {
        var sandbox = _desk.System("sandbox", Eur, 0);
        Assert.Equal(LedgerStatus.Applied, _desk.Decide(Transfer(1, sandbox, Bob, 50), Noon).Status);
        Assert.Equal((-50, 0), _desk.Balance(sandbox));
    }

    [Fact]
    public void Held_money_is_owned_but_cannot_be_spent()
    {
        Assert.Equal(LedgerStatus.Applied, Hold(1, 700).Status);
        Assert.Equal((1_000, 700), _desk.Balance(Alice));
        Assert.Equal(LedgerStatus.InsufficientFunds, Pay(2, 301).Status);
        Assert.Equal(LedgerStatus.InsufficientFunds, Hold(3, 301).Status);
        Assert.Equal(LedgerStatus.Applied, Pay(4, 300).Status);
        Assert.Equal((700, 700), _desk.Balance(Alice));
    }

    [Fact]
    public void Captures_pay_out_in_parts_and_never_more_than_the_hold()
    {
        Hold(1, 700);
        Assert.Equal(LedgerStatus.Applied, Capture(2, 1, 300, Noon).Status);
        Assert.Equal((700, 400), _desk.Balance(Alice));
        Assert.Equal(LedgerStatus.HoldExceeded, Capture(3, 1, 401, Noon).Status);
        Assert.Equal(LedgerStatus.Applied, Capture(4, 1, 400, Noon).Status);
        Assert.Equal((300, 0), _desk.Balance(Alice));
        Assert.Equal((700, 0), _desk.Balance(Bob));
        Assert.Equal(LedgerStatus.HoldClosed, Capture(5, 1, 1, Noon).Status);
        Assert.Equal(HoldState.Captured, Assert.Single(_desk.Book.NewHolds).State);
    }

    [Fact]
    public void A_release_returns_what_remains()
    {
        Hold(1, 700);
        Capture(2, 1, 300, Noon);
        Assert.Equal(LedgerStatus.Applied, Release(3, 1).Status);
        Assert.Equal((700, 0), _desk.Balance(Alice));
        Assert.Equal(400, _desk.Book.Transfers[^1].Amount.Value);
        Assert.Equal(LedgerStatus.HoldClosed, Release(4, 1).Status);
        Assert.Equal(LedgerStatus.HoldClosed, Capture(5, 1, 1, Noon).Status);
    }

    [Fact]
    public void Time_decides_between_capture_and_expiry()
    {
        Hold(1, 700);
        var end = Noon.AddSeconds(60);
        Assert.Equal(LedgerStatus.HoldNotExpired, Expire(2, 1, end.AddTicks(-1)).Status);
        Assert.Equal(LedgerStatus.HoldExpired, Capture(3, 1, 700, end).Status);
        Assert.Equal(LedgerStatus.Applied, Expire(4, 1, end).Status);
        Assert.Equal((1_000, 0), _desk.Balance(Alice));
        Assert.Equal(LedgerStatus.HoldClosed, Expire(5, 1, end).Status);
    }

    [Fact]
    public void A_hold_is_unknown_to_every_account_but_its_own()
    {
        Hold(1, 700);
        _desk.Person(3, Eur, 1_000);
        var carol = _desk.Person(3, Eur, 1_000);
        Assert.Equal(
            LedgerStatus.HoldUnknown,
            _desk.Decide(LedgerCommand.Capture(Id(2), Id(1), carol, Bob, Money.Of(1, Eur)), Noon).Status);
        Assert.Equal(LedgerStatus.HoldUnknown, Capture(3, 99, 1, Noon).Status);
    }

    [Fact]
    public void A_rejected_command_leaves_its_row_and_nothing_else()
    {
        _ = (Alice, Bob);
        var before = _desk.Book.Entries.Count;
        Hold(1, 1_001);
        Assert.Equal(before, _desk.Book.Entries.Count);
        Assert.Empty(_desk.Book.NewHolds);
        Assert.Equal((1_000, 0), _desk.Balance(Alice));
        Assert.Equal(LedgerStatus.InsufficientFunds, Assert.Single(_desk.Book.Transfers).Status);
    }

    [Fact]
    public void Forgetting_to_load_is_a_bug_and_not_an_unknown_account()
    {
        var book = new LedgerBook([new(Eur, 2, AssetKind.Currency)]);
        var command = Transfer(1, Alice, Bob, 1);
        Assert.Throws<InvalidOperationException>(() => book.Decide(command, Noon));
        book.Load(Id(1), transfer: null);
        Assert.Throws<InvalidOperationException>(() => book.Decide(command, Noon));
    }

    [Fact]
    public void Opening_twice_opens_once()
    {
        var owner = LedgerOwner.Of(new AccountId(Guid.Parse("00000000-0000-0000-0000-000000000042")));
        var book = new LedgerBook([new(Eur, 2, AssetKind.Currency)]);
        book.Load(LedgerAccount.Open(owner, Eur).Id, account: null);
        Assert.False(book.Open(owner, Eur).Replayed);
        Assert.True(book.Open(owner, Eur).Replayed);
        Assert.Single(book.Opened);
    }

    [Fact]
    public void Every_rejection_has_a_number_of_the_catalogue_and_a_sentence()
    {
        foreach (var status in Enum.GetValues<LedgerStatus>().Where(status => status != LedgerStatus.Applied))
        {
            var error = new LedgerOutcome(status).ToError();
            Assert.True(Enum.IsDefined(error.Code));
            Assert.NotEmpty(error.Message);
        }
    }

    private static TransferId Id(int number) => BookDesk.Id(number);

    private static LedgerCommand Transfer(int id, LedgerAccountId debit, LedgerAccountId credit, long amountMinor) =>
        LedgerCommand.Transfer(Id(id), debit, credit, Money.Of(amountMinor, Eur));

    private LedgerOutcome Pay(int id, long amountMinor) => _desk.Decide(Transfer(id, Alice, Bob, amountMinor), Noon);

    private LedgerOutcome Hold(int id, long amountMinor) =>
        _desk.Decide(LedgerCommand.Hold(Id(id), Alice, Money.Of(amountMinor, Eur), 60), Noon);

    private LedgerOutcome Capture(int id, int hold, long amountMinor, DateTimeOffset now) =>
        _desk.Decide(LedgerCommand.Capture(Id(id), Id(hold), Alice, Bob, Money.Of(amountMinor, Eur)), now);

    private LedgerOutcome Release(int id, int hold) =>
        _desk.Decide(LedgerCommand.Release(Id(id), Id(hold), Alice, Eur), Noon);

    private LedgerOutcome Expire(int id, int hold, DateTimeOffset now) =>
        _desk.Decide(LedgerCommand.Expire(Id(id), Id(hold), Alice, Eur), now);
}

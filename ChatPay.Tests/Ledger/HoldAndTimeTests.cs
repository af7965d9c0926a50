using ChatPay.Core.Ledger;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Holds in every state and at every side of their end, balancing transfers, and clocks that step back.</summary>
public sealed class HoldAndTimeTests
{
    private const int LifetimeSeconds = 60;

    private static readonly DateTimeOffset s_noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_end = s_noon.AddSeconds(LifetimeSeconds);
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");

    private readonly BookDesk _desk = new([new(s_eur, 2, AssetKind.Currency)]);
    private readonly LedgerAccountId _alice;
    private readonly LedgerAccountId _bob;

    public HoldAndTimeTests()
    {
        _alice = _desk.Person(1, s_eur, 1_000);
        _bob = _desk.Person(2, s_eur, 0);
    }

    /// <summary>An open hold of 100: each kind just before its end, and at it.</summary>
    [Theory]
    [InlineData(TransferKind.Capture, LedgerStatus.Applied, LedgerStatus.HoldExpired)]
    [InlineData(TransferKind.CaptureAll, LedgerStatus.Applied, LedgerStatus.HoldExpired)]
    [InlineData(TransferKind.Release, LedgerStatus.Applied, LedgerStatus.Applied)]
    [InlineData(TransferKind.Expire, LedgerStatus.HoldNotExpired, LedgerStatus.Applied)]
    public void The_end_of_a_hold_decides_between_capture_and_expiry(
        TransferKind kind, LedgerStatus before, LedgerStatus atTheEnd)
    {
        Hold(1);
        Hold(2);
        Assert.Equal(before, OnHold(kind, 3, 1, s_end.AddTicks(-1)));
        Assert.Equal(atTheEnd, OnHold(kind, 4, 2, s_end));
    }

    /// <summary>Nothing acts on a hold that is over, however it came to be, and the first reason wins.</summary>
    [Theory]
    [InlineData(TransferKind.Capture)]
    [InlineData(TransferKind.CaptureAll)]
    [InlineData(TransferKind.Release)]
    [InlineData(TransferKind.Expire)]
    public void A_hold_ends_once(TransferKind ends)
    {
        Hold(1);
        Assert.Equal(LedgerStatus.Applied, OnHold(ends, 2, 1, ends == TransferKind.Expire ? s_end : s_noon));
        var id = 3;
        foreach (var kind in new[]
        {
            TransferKind.Capture, TransferKind.CaptureAll, TransferKind.Release, TransferKind.Expire,
        })
        {
            Assert.Equal(LedgerStatus.HoldClosed, OnHold(kind, id++, 1, s_noon));
            Assert.Equal(LedgerStatus.HoldClosed, OnHold(kind, id++, 1, s_end));
        }
    }

    [Theory]
    [InlineData(TransferKind.CaptureAll, TransferKind.Release, TransferKind.Expire, TransferKind.Release)]
    [InlineData(TransferKind.CaptureAll, TransferKind.Expire, TransferKind.Release, TransferKind.Expire)]
    [InlineData(TransferKind.Release, TransferKind.CaptureAll, TransferKind.Expire, TransferKind.Release)]
    [InlineData(TransferKind.Release, TransferKind.Expire, TransferKind.CaptureAll, TransferKind.Release)]
    [InlineData(TransferKind.Expire, TransferKind.CaptureAll, TransferKind.Release, TransferKind.Expire)]
    [InlineData(TransferKind.Expire, TransferKind.Release, TransferKind.CaptureAll, TransferKind.Expire)]
    public void Capture_release_and_expiry_at_the_same_instant_end_a_hold_once(
        TransferKind first, TransferKind second, TransferKind third, TransferKind winner)
    {
        Hold(1);
        TransferKind[] kinds = [first, second, third];
        var applied = kinds.Where((kind, place) => OnHold(kind, 2 + place, 1, s_end) == LedgerStatus.Applied);
        Assert.Equal([winner], applied.ToArray());
        Assert.Equal((1_000, 0), _desk.Balance(_alice));
    }

    [Fact]
    public void Capturing_all_moves_what_earlier_captures_left()
    {
        Hold(1);
        _desk.Decide(LedgerCommand.Capture(Id(2), Id(1), _alice, _bob, Money.Of(30, s_eur)), s_noon);
        Assert.Equal(70, _desk.Decide(LedgerCommand.CaptureAll(Id(3), Id(1), _alice, _bob, s_eur), s_noon).Moved.Value);
        Assert.Equal(HoldState.Captured, Assert.Single(_desk.Book.NewHolds).State);
        Assert.Equal((100, 0), _desk.Balance(_bob));
    }

    /// <summary>What is asked of 1,000 of which 400 are held; what moves.</summary>
    [Theory]
    [InlineData(599, 599)]
    [InlineData(600, 600)]
    [InlineData(601, 600)]
    [InlineData(1_000_000, 600)]
    public void A_balancing_transfer_moves_what_is_there(long askedMinor, long movedMinor)
    {
        _desk.Decide(LedgerCommand.Hold(Id(1), _alice, Money.Of(400, s_eur), 60), s_noon);
        var command = LedgerCommand.Balancing(Id(2), _alice, _bob, Money.Of(askedMinor, s_eur));
        Assert.Equal(movedMinor, _desk.Decide(command, s_noon).Moved.Value);
        Assert.Equal(movedMinor, _desk.Decide(command, s_noon).Moved.Value);
        Assert.Equal((askedMinor, movedMinor), (_desk.Book.Transfers[^1].AskedMinor, _desk.Book.Transfers[^1].Amount.Value));
        Assert.Equal((1_000 - movedMinor, 400), _desk.Balance(_alice));
    }

    [Fact]
    public void A_balancing_transfer_of_nothing_is_refused_and_an_unguarded_account_gives_all_that_is_asked()
    {
        var empty = LedgerCommand.Balancing(Id(1), _bob, _alice, Money.Of(1, s_eur));
        Assert.Equal(LedgerStatus.InsufficientFunds, _desk.Decide(empty, s_noon).Status);
        var sandbox = _desk.System("sandbox", s_eur, 5);
        var owing = LedgerCommand.Balancing(Id(2), sandbox, _bob, Money.Of(50, s_eur));
        Assert.Equal(50, _desk.Decide(owing, s_noon).Moved.Value);
        Assert.Equal((-45, 0), _desk.Balance(sandbox));
    }

    [Fact]
    public void A_clock_that_steps_back_does_not_reorder_a_statement()
    {
        Pay(1, s_noon);
        Pay(2, s_noon.AddHours(-1));
        Pay(3, s_noon.AddMinutes(1));
        DateTimeOffset[] expected = [s_noon, s_noon, s_noon.AddMinutes(1)];
        Assert.Equal(expected, _desk.Book.Entries.Where(entry => entry.Account == _alice).Select(entry => entry.At));
        Assert.Equal(expected, _desk.Book.Transfers.Select(row => row.At));
    }

    [Fact]
    public void The_credit_account_holds_the_time_up_too()
    {
        var carol = _desk.Person(3, s_eur, 100);
        Pay(1, s_noon);
        _desk.Decide(LedgerCommand.Transfer(Id(2), carol, _bob, Money.Of(1, s_eur)), s_noon.AddHours(-1));
        Assert.Equal(s_noon, _desk.Book.Entries[^1].At);
    }

    [Fact]
    public void A_hold_that_expired_is_not_captured_when_the_clock_steps_back()
    {
        Hold(1);
        Pay(2, s_end);
        Assert.Equal(LedgerStatus.HoldExpired, OnHold(TransferKind.Capture, 3, 1, s_noon));
        Assert.Equal(LedgerStatus.Applied, OnHold(TransferKind.Expire, 4, 1, s_noon));
    }

    [Fact]
    public void A_hold_runs_from_its_own_entry_on()
    {
        Pay(1, s_noon.AddHours(1));
        Hold(2);
        Assert.Equal(s_end.AddHours(1), Assert.Single(_desk.Book.NewHolds).ExpiresAt);
    }

    private static TransferId Id(int number) => BookDesk.Id(number);

    private void Pay(int id, DateTimeOffset now) => Assert.True(
        _desk.Decide(LedgerCommand.Transfer(Id(id), _alice, _bob, Money.Of(1, s_eur)), now).IsApplied);

    private void Hold(int id) => Assert.True(_desk.Decide(
        LedgerCommand.Hold(Id(id), _alice, Money.Of(100, s_eur), LifetimeSeconds), s_noon).IsApplied);

    private LedgerStatus OnHold(TransferKind kind, int id, int hold, DateTimeOffset now) => _desk.Decide(
        kind switch
        {
            TransferKind.Capture => LedgerCommand.Capture(Id(id), Id(hold), _alice, _bob, Money.Of(100, s_eur)),
            TransferKind.CaptureAll => LedgerCommand.CaptureAll(Id(id), Id(hold), _alice, _bob, s_eur),
            TransferKind.Release => LedgerCommand.Release(Id(id), Id(hold), _alice, s_eur),
            TransferKind.Expire => LedgerCommand.Expire(Id(id), Id(hold), _alice, s_eur),
            _ => throw new InvalidOperationException($"{kind} acts on no hold."),
        },
        now).Status;
}

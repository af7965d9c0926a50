using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Giving back what was paid, in parts, by whoever, and never more than that.</summary>
public sealed class RefundTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");

    private readonly BookDesk _desk = new([new(s_eur, 2, AssetKind.Currency)]);
    private readonly LedgerAccountId _buyer;
    private readonly LedgerAccountId _shop;
    private readonly LedgerAccountId _other;

    public RefundTests()
    {
        _buyer = _desk.Person(1, s_eur, 1_000);
        _shop = _desk.Person(2, s_eur, 0);
        _other = _desk.Person(3, s_eur, 1_000);
    }

    /// <summary>What each kind of movement, and what never moved, answers to a refund of 40.</summary>
    [Theory]
    [InlineData(TransferKind.Transfer, LedgerStatus.Applied)]
    [InlineData(TransferKind.Balancing, LedgerStatus.Applied)]
    [InlineData(TransferKind.Capture, LedgerStatus.Applied)]
    [InlineData(TransferKind.CaptureAll, LedgerStatus.Applied)]
    [InlineData(TransferKind.Hold, LedgerStatus.RefundUnknown)]
    [InlineData(TransferKind.Release, LedgerStatus.RefundUnknown)]
    [InlineData(TransferKind.Expire, LedgerStatus.RefundUnknown)]
    public void Money_that_reached_somebody_can_be_refunded(TransferKind kind, LedgerStatus expected)
    {
        var money = Money.Of(100, s_eur);
        Decide(LedgerCommand.Transfer(Id(90), _other, _shop, money));
        Decide(LedgerCommand.Hold(Id(91), _buyer, money, 60));
        var outcome = _desk.Decide(
            kind switch
            {
                TransferKind.Transfer => LedgerCommand.Transfer(Id(1), _buyer, _shop, money),
                TransferKind.Balancing => LedgerCommand.Balancing(Id(1), _buyer, _shop, money),
                TransferKind.Capture => LedgerCommand.Capture(Id(1), Id(91), _buyer, _shop, money),
                TransferKind.CaptureAll => LedgerCommand.CaptureAll(Id(1), Id(91), _buyer, _shop, s_eur),
                TransferKind.Hold => LedgerCommand.Hold(Id(1), _buyer, money, 60),
                TransferKind.Release => LedgerCommand.Release(Id(1), Id(91), _buyer, s_eur),
                TransferKind.Expire => LedgerCommand.Expire(Id(1), Id(91), _buyer, s_eur),
                TransferKind.Refund => throw new InvalidOperationException("See the test of its own."),
            },
            kind == TransferKind.Expire ? s_noon.AddHours(1) : s_noon);
        Assert.True(outcome.IsApplied);
        Assert.Equal(expected, Refund(2, 1, 40).Status);
    }

    [Fact]
    public void A_refund_cannot_be_refunded_nor_can_a_rejection_or_a_payment_between_others()
    {
        Pay(1, 500);
        Refund(2, 1, 100);
        Assert.Equal(LedgerStatus.RefundUnknown, Refund(3, 2, 1).Status);
        Assert.Equal(LedgerStatus.RefundUnknown, Decide(
            LedgerCommand.Refund(Id(4), Id(2), _buyer, _shop, Money.Of(1, s_eur))).Status);
        Assert.Equal(LedgerStatus.InsufficientFunds, Pay(5, 5_000).Status);
        Assert.Equal(LedgerStatus.RefundUnknown, Refund(6, 5, 1).Status);
        Assert.Equal(LedgerStatus.RefundUnknown, Decide(
            LedgerCommand.Refund(Id(7), Id(1), _shop, _other, Money.Of(1, s_eur))).Status);
        Assert.Equal(LedgerStatus.RefundUnknown, Decide(
            LedgerCommand.Refund(Id(8), Id(1), _other, _buyer, Money.Of(1, s_eur))).Status);
        Assert.Equal(LedgerStatus.RefundUnknown, Refund(9, 77, 1).Status);
    }

    /// <summary>A row per refund: what was asked, how it ends, what the buyer has then.</summary>
    [Fact]
    public void Refunds_add_up_to_at_most_what_was_paid()
    {
        Pay(1, 500);
        (int Id, long AmountMinor, LedgerStatus Status, long BuyerMinor)[] table =
        [
            (2, 200, LedgerStatus.Applied, 700),
            (3, 301, LedgerStatus.RefundExceeded, 700),
            (4, 299, LedgerStatus.Applied, 999),
            (2, 200, LedgerStatus.Applied, 999),
            (3, 301, LedgerStatus.RefundExceeded, 999),
            (5, 2, LedgerStatus.RefundExceeded, 999),
            (6, 1, LedgerStatus.Applied, 1_000),
            (7, 1, LedgerStatus.RefundExceeded, 1_000),
        ];
        foreach (var (id, amountMinor, status, buyerMinor) in table)
        {
            Assert.Equal(status, Refund(id, 1, amountMinor).Status);
            Assert.Equal((buyerMinor, 0), _desk.Balance(_buyer));
        }

        Assert.Equal((500, 500), Assert.Single(_desk.Book.Refunded) is var state
            ? (state.Captured.Value, state.Refunded.Value)
            : default);
    }

    [Fact]
    public void A_refund_and_a_reversal_by_another_actor_share_one_limit()
    {
        Pay(1, 500);
        var (shop, judge) = (new AccountId(Id(1).Value), new AccountId(Id(2).Value));
        var refund = LedgerCommand.Refund(Id(2), Id(1), _shop, _buyer, Money.Of(300, s_eur), new(shop));
        var reversal = LedgerCommand.Refund(Id(3), Id(1), _shop, _buyer, Money.Of(300, s_eur), new(judge));
        Assert.Equal(LedgerStatus.Applied, Decide(refund).Status);
        Assert.Equal(LedgerStatus.RefundExceeded, Decide(reversal).Status);
        Assert.Equal((800, 0), _desk.Balance(_buyer));
    }

    [Fact]
    public void A_refund_takes_what_is_there_and_not_what_is_held()
    {
        Pay(1, 500);
        Decide(LedgerCommand.Hold(Id(2), _shop, Money.Of(300, s_eur), 60));
        Assert.Equal(LedgerStatus.InsufficientFunds, Refund(3, 1, 201).Status);
        Assert.Equal(LedgerStatus.Applied, Refund(4, 1, 200).Status);
    }

    [Fact]
    public void A_balancing_transfer_is_refunded_up_to_what_it_moved_and_not_what_it_was_asked()
    {
        Decide(LedgerCommand.Balancing(Id(1), _buyer, _shop, Money.Of(5_000, s_eur)));
        Assert.Equal(LedgerStatus.RefundExceeded, Refund(2, 1, 1_001).Status);
        Assert.Equal(LedgerStatus.Applied, Refund(3, 1, 1_000).Status);
    }

    [Fact]
    public void What_was_refunded_before_this_batch_counts()
    {
        var book = new LedgerBook([new(s_eur, 2, AssetKind.Currency)]);
        book.Load(_buyer, _desk.Book.Find(_buyer));
        book.Load(_shop, _desk.Book.Find(_other)!.Value with { Id = _shop });
        book.Load(Id(2), transfer: null);
        book.Load(Id(3), transfer: null);
        book.LoadRefundable(Id(1), new LedgerRefunded(Id(1), _shop, _buyer, new(500), new(400)));
        Assert.Equal(LedgerStatus.RefundExceeded, book.Decide(Command(2, 1, 101), s_noon).Status);
        Assert.Empty(book.Refunded);
        Assert.Equal(LedgerStatus.Applied, book.Decide(Command(3, 1, 100), s_noon).Status);
        Assert.Equal(500, Assert.Single(book.Refunded).Refunded.Value);
    }

    private static TransferId Id(int number) => BookDesk.Id(number);

    private LedgerOutcome Decide(LedgerCommand command) => _desk.Decide(command, s_noon);

    private LedgerOutcome Pay(int id, long amountMinor) =>
        Decide(LedgerCommand.Transfer(Id(id), _buyer, _shop, Money.Of(amountMinor, s_eur)));

    private LedgerOutcome Refund(int id, int original, long amountMinor) => Decide(Command(id, original, amountMinor));

    private LedgerCommand Command(int id, int original, long amountMinor) =>
        LedgerCommand.Refund(Id(id), Id(original), _shop, _buyer, Money.Of(amountMinor, s_eur));
}

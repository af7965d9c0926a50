using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Frozen and closed accounts: what leaves, what arrives, and how they come to be so.</summary>
public sealed class AccountStateTests
{
    private const LedgerAccountState Open = LedgerAccountState.Open;
    private const LedgerAccountState Frozen = LedgerAccountState.Frozen;
    private const LedgerAccountState Closed = LedgerAccountState.Closed;

    private static readonly DateTimeOffset s_noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");
    private static readonly LedgerAccountId s_alice = LedgerAccountId.OfSystem("alice", s_eur);
    private static readonly LedgerAccountId s_bob = LedgerAccountId.OfSystem("bob", s_eur);

    /// <summary>Per kind: the outcome with the debit account frozen, and with the credit account frozen.</summary>
    [Theory]
    [InlineData(TransferKind.Transfer, LedgerStatus.AccountFrozen, LedgerStatus.Applied)]
    [InlineData(TransferKind.Hold, LedgerStatus.AccountFrozen, LedgerStatus.Applied)]
    [InlineData(TransferKind.Capture, LedgerStatus.AccountFrozen, LedgerStatus.Applied)]
    [InlineData(TransferKind.Release, LedgerStatus.Applied, LedgerStatus.Applied)]
    [InlineData(TransferKind.Expire, LedgerStatus.Applied, LedgerStatus.Applied)]
    [InlineData(TransferKind.Refund, LedgerStatus.AccountFrozen, LedgerStatus.Applied)]
    [InlineData(TransferKind.Balancing, LedgerStatus.AccountFrozen, LedgerStatus.Applied)]
    [InlineData(TransferKind.CaptureAll, LedgerStatus.AccountFrozen, LedgerStatus.Applied)]
    public void From_a_frozen_account_nothing_leaves_but_credits_arrive_and_held_money_returns(
        TransferKind kind, LedgerStatus debitFrozen, LedgerStatus creditFrozen)
    {
        Assert.Equal(debitFrozen, Decide(kind, Frozen, Open));
        Assert.Equal(creditFrozen, Decide(kind, Open, Frozen));
    }

    [Theory]
    [InlineData(TransferKind.Transfer)]
    [InlineData(TransferKind.Hold)]
    [InlineData(TransferKind.Capture)]
    [InlineData(TransferKind.Release)]
    [InlineData(TransferKind.Expire)]
    [InlineData(TransferKind.Refund)]
    [InlineData(TransferKind.Balancing)]
    [InlineData(TransferKind.CaptureAll)]
    public void A_closed_account_is_on_neither_side(TransferKind kind)
    {
        Assert.Equal(LedgerStatus.AccountClosed, Decide(kind, Closed, Open));
        Assert.Equal(kind.HasCredit() ? LedgerStatus.AccountClosed : LedgerStatus.Applied, Decide(kind, Open, Closed));
    }

    /// <summary>State, money on the account, change; outcome and state after it.</summary>
    [Theory]
    [InlineData(Open, 0, AccountChangeKind.Freeze, LedgerStatus.Applied, Frozen)]
    [InlineData(Open, 5, AccountChangeKind.Freeze, LedgerStatus.Applied, Frozen)]
    [InlineData(Open, 0, AccountChangeKind.Unfreeze, LedgerStatus.Applied, Open)]
    [InlineData(Open, 0, AccountChangeKind.Close, LedgerStatus.Applied, Closed)]
    [InlineData(Open, 5, AccountChangeKind.Close, LedgerStatus.AccountNotEmpty, Open)]
    [InlineData(Open, -5, AccountChangeKind.Close, LedgerStatus.AccountNotEmpty, Open)]
    [InlineData(Frozen, 5, AccountChangeKind.Freeze, LedgerStatus.Applied, Frozen)]
    [InlineData(Frozen, 5, AccountChangeKind.Unfreeze, LedgerStatus.Applied, Open)]
    [InlineData(Frozen, 0, AccountChangeKind.Close, LedgerStatus.Applied, Closed)]
    [InlineData(Frozen, 5, AccountChangeKind.Close, LedgerStatus.AccountNotEmpty, Frozen)]
    [InlineData(Closed, 0, AccountChangeKind.Freeze, LedgerStatus.AccountClosed, Closed)]
    [InlineData(Closed, 0, AccountChangeKind.Unfreeze, LedgerStatus.AccountClosed, Closed)]
    [InlineData(Closed, 0, AccountChangeKind.Close, LedgerStatus.Applied, Closed)]
    public void A_change_leads_from_state_to_state(
        LedgerAccountState before, long balanceMinor, AccountChangeKind kind, LedgerStatus status,
        LedgerAccountState after)
    {
        var book = Book();
        book.Load(s_alice, Account("alice", before) with { Balance = new(balanceMinor), Guarded = false });
        var change = Change(1, kind);
        book.Load(change.Id, change: null);
        Assert.Equal(new LedgerOutcome(status), book.Decide(change, s_noon));
        Assert.Equal(new LedgerOutcome(status, Replayed: true), book.Decide(change, s_noon.AddDays(1)));
        Assert.Equal(after, book.Find(s_alice)!.Value.State);
        Assert.Equal(status, Assert.Single(book.AccountChanges).Status);
        Assert.Equal(before == after ? 0 : 1, book.Changed.Count());
    }

    [Fact]
    public void An_account_that_holds_money_is_not_empty()
    {
        var book = Book();
        book.Load(s_alice, Account("alice", Open) with { Guarded = false, Held = new(5) });
        var change = Change(1, AccountChangeKind.Close);
        book.Load(change.Id, change: null);
        Assert.Equal(LedgerStatus.AccountNotEmpty, book.Decide(change, s_noon).Status);
    }

    [Fact]
    public void An_unknown_account_is_recorded_as_such_and_the_id_is_used_up()
    {
        var book = Book();
        book.Load(s_alice, account: null);
        var change = Change(1, AccountChangeKind.Freeze);
        book.Load(change.Id, change: null);
        Assert.Equal(LedgerStatus.AccountUnknown, book.Decide(change, s_noon).Status);
        Assert.Equal(
            LedgerStatus.IdempotencyConflict, book.Decide(Change(1, AccountChangeKind.Close), s_noon).Status);
        Assert.Single(book.AccountChanges);
    }

    [Fact]
    public void A_change_has_a_reason_of_bounded_length()
    {
        var id = new AccountChangeId(BookDesk.Id(1).Value);
        foreach (var reason in new[] { "", " ", new string('x', Limits.LedgerReasonMaxChars + 1) })
        {
            Assert.Throws<ArgumentException>(() => AccountChange.Freeze(id, s_alice, reason));
        }

        var longest = AccountChange.Freeze(id, s_alice, new string('é', Limits.LedgerReasonMaxChars));
        Assert.NotEqual(longest.HashPayload(), AccountChange.Freeze(id, s_alice, "é").HashPayload());
    }

    [Fact]
    public void A_closed_account_does_not_open_again()
    {
        var owner = LedgerOwner.OfSystem("alice");
        var book = Book();
        book.Load(s_alice, Account("alice", Closed));
        Assert.Equal(LedgerStatus.AccountClosed, book.Open(owner, s_eur).Status);
        Assert.Empty(book.Opened);
    }

    /// <summary>A command of the kind that would be applied if both accounts were open.</summary>
    private static LedgerStatus Decide(TransferKind kind, LedgerAccountState debit, LedgerAccountState credit)
    {
        var (id, target, money) = (BookDesk.Id(1), BookDesk.Id(2), Money.Of(10, s_eur));
        var book = Book();
        book.Load(s_alice, Account("alice", debit) with { Balance = new(500), Held = new(100) });
        book.Load(s_bob, Account("bob", credit));
        book.Load(id, transfer: null);
        book.LoadHold(target, new LedgerHold(
            target, s_alice, new(100), HoldState.Open, kind == TransferKind.Expire ? s_noon : s_noon.AddHours(1)));
        book.LoadRefundable(target, new LedgerRefunded(target, s_alice, s_bob, new(100), default));
        return book.Decide(
            kind switch
            {
                TransferKind.Transfer => LedgerCommand.Transfer(id, s_alice, s_bob, money),
                TransferKind.Hold => LedgerCommand.Hold(id, s_alice, money, 60),
                TransferKind.Capture => LedgerCommand.Capture(id, target, s_alice, s_bob, money),
                TransferKind.Release => LedgerCommand.Release(id, target, s_alice, s_eur),
                TransferKind.Expire => LedgerCommand.Expire(id, target, s_alice, s_eur),
                TransferKind.Refund => LedgerCommand.Refund(id, target, s_alice, s_bob, money),
                TransferKind.Balancing => LedgerCommand.Balancing(id, s_alice, s_bob, money),
                TransferKind.CaptureAll => LedgerCommand.CaptureAll(id, target, s_alice, s_bob, s_eur),
            },
            s_noon).Status;
    }

    private static LedgerBook Book() => new([new(s_eur, 2, AssetKind.Currency)]);

    private static LedgerAccount Account(string name, LedgerAccountState state) =>
        LedgerAccount.Open(LedgerOwner.OfSystem(name), s_eur) with { Guarded = true, State = state };

    private static AccountChange Change(int id, AccountChangeKind kind) =>
        AccountChange.Of(kind, new AccountChangeId(BookDesk.Id(id).Value), s_alice, "A test says so.");
}

using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Cards of people whose accounts are frozen or closed: refused where money would leave, and still open.</summary>
public sealed class CardFrozenTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    [Fact]
    public async Task A_transfer_of_a_frozen_payer_is_not_accepted_and_stays_open()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 1_000);
        await ChangeAsync(alice, AccountChangeKind.Freeze);

        var accept = new CardActRequest(card.Id, card.Version, CardActionKind.Accept, money.NewId());
        Assert.Equal(ErrorCode.AccountFrozen, (await money.ActAsync(bob, accept)).Error?.Code);
        var another = await money.ActAsync(
            alice, MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 1));
        Assert.Equal(ErrorCode.AccountFrozen, another.Error?.Code);
        Assert.Equal((10_000, 1_000), await money.BalanceAsync(alice));

        // The refusal belongs to its key; thawed, the card is accepted with a new one.
        await ChangeAsync(alice, AccountChangeKind.Unfreeze);
        Assert.Equal(ErrorCode.AccountFrozen, (await money.ActAsync(bob, accept)).Error?.Code);
        Assert.Equal(CardState.Accepted, (await money.ActAsync(bob, card, CardActionKind.Accept)).Value.Card.State);
        await money.AssertCleanAsync();
    }

    [Theory]
    [InlineData(CardActionKind.Decline)]
    [InlineData(CardActionKind.Cancel)]
    public async Task Held_money_of_a_frozen_payer_returns(CardActionKind action)
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 1_000);
        await ChangeAsync(alice, AccountChangeKind.Freeze);
        Assert.True((await money.ActAsync(action == CardActionKind.Cancel ? alice : bob, card, action)).IsOk);
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_card_of_a_frozen_payer_expires()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(
            CardKind.Transfer, conversation, alice, bob, 1_000, lifetimeSeconds: Limits.CardLifetimeMinSeconds);
        await ChangeAsync(alice, AccountChangeKind.Freeze);
        await money.AdvanceAsync(TimeSpan.FromSeconds(Limits.CardLifetimeMinSeconds));
        await money.Sweeper.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(CardState.Expired, (await money.Cards.ReadAsync(
            bob.Caller, card.Id, TestContext.Current.CancellationToken)).Value.State);
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_frozen_payee_is_paid_and_a_frozen_payer_does_not_pay_a_request()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var first = await money.PostAsync(CardKind.Request, conversation, alice, bob, 500);
        var second = await money.PostAsync(CardKind.Request, conversation, alice, bob, 600);
        await ChangeAsync(alice, AccountChangeKind.Freeze);
        Assert.Equal(CardState.Paid, (await money.ActAsync(bob, first, CardActionKind.Pay)).Value.Card.State);
        await ChangeAsync(bob, AccountChangeKind.Freeze);
        Assert.Equal(
            ErrorCode.AccountFrozen, (await money.ActAsync(bob, second, CardActionKind.Pay)).Error?.Code);
        await ChangeAsync(bob, AccountChangeKind.Unfreeze);
        Assert.Equal(CardState.Paid, (await money.ActAsync(bob, second, CardActionKind.Pay)).Value.Card.State);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Nobody_pays_into_a_closed_account()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 1_000);
        await money.ActAsync(bob, await money.PostAsync(CardKind.Request, conversation, alice, bob, 10_000),
            CardActionKind.Pay);
        await ChangeAsync(bob, AccountChangeKind.Close);
        Assert.Equal(
            ErrorCode.AccountClosed, (await money.ActAsync(bob, card, CardActionKind.Accept)).Error?.Code);
        Assert.True((await money.ActAsync(alice, card, CardActionKind.Cancel)).IsOk);
        Assert.Equal((20_000, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_delayed_transfer_of_a_frozen_payer_arrives_once_thawed_and_else_returns_when_its_hold_is_over()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var thawed = await DelayedAsync(alice, bob, conversation, 100);
        var never = await DelayedAsync(alice, bob, conversation, 7);
        await ChangeAsync(alice, AccountChangeKind.Freeze);
        await money.AdvanceAsync(TimeSpan.FromSeconds(60));
        await money.Sweeper.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal((10_000, 107), await money.BalanceAsync(alice));

        // A wait that is meant troubles no operator.
        Assert.DoesNotContain("An overdue card did not expire", money.Server.Log, StringComparison.Ordinal);
        await ChangeAsync(alice, AccountChangeKind.Unfreeze);
        await money.Sweeper.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(CardState.Accepted, await StateAsync(bob, thawed));
        Assert.Equal(CardState.Accepted, await StateAsync(bob, never));

        var stuck = await DelayedAsync(alice, bob, conversation, 50);
        await ChangeAsync(alice, AccountChangeKind.Freeze);
        await money.AdvanceAsync(TimeSpan.FromDays(31));
        await money.Sweeper.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(CardState.Expired, await StateAsync(bob, stuck));
        Assert.Equal((9_893, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_delayed_transfer_to_an_account_that_was_closed_returns()
    {
        var alice = await money.PersonAsync();
        var bob = await money.PersonAsync(withWallets: false);
        var conversation = await money.ConversationAsync(alice, bob);
        await money.Wallets.AccountOpenedAsync(bob.Account, TestContext.Current.CancellationToken);
        var away = await money.PostAsync(CardKind.Transfer, conversation, bob, alice, 10_000);
        await money.ActAsync(alice, away, CardActionKind.Accept);
        var card = await DelayedAsync(alice, bob, conversation, 100);
        await ChangeAsync(bob, AccountChangeKind.Close);
        await money.AdvanceAsync(TimeSpan.FromSeconds(60));
        await money.Sweeper.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(CardState.Expired, await StateAsync(alice, card));
        Assert.Equal((20_000, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Cards_that_cannot_end_yet_keep_no_other_from_ending()
    {
        await using var server = await TestServer.StartAsync(
            money.ConnectionString,
            new Dictionary<string, string?>(MoneyFixture.Settings, StringComparer.Ordinal) { ["Cards:SweepBatch"] = "2" });
        var sweeper = server.Services.GetRequiredService<CardSweeper>();
        var (alice, bob, conversation) = await money.PairAsync();
        CardView[] stuck =
        [
            await DelayedAsync(alice, bob, conversation, 1), await DelayedAsync(alice, bob, conversation, 1),
            await DelayedAsync(alice, bob, conversation, 1),
        ];
        var behind = await DelayedAsync(bob, alice, conversation, 100);
        await ChangeAsync(alice, AccountChangeKind.Freeze);
        await money.AdvanceAsync(TimeSpan.FromSeconds(60));
        await sweeper.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(CardState.Accepted, await StateAsync(bob, behind));
        Assert.All(
            await Task.WhenAll(stuck.Select(card => StateAsync(alice, card))), state => Assert.Equal(CardState.Held, state));
        await ChangeAsync(alice, AccountChangeKind.Unfreeze);
        await sweeper.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(((10_097L, 0L), (9_903L, 0L)), (await money.BalanceAsync(alice), await money.BalanceAsync(bob)));
        await money.AssertCleanAsync();
    }

    private async Task<CardView> DelayedAsync(
        WalletHolder payer, WalletHolder payee, ConversationId conversation, long amountMinor) =>
        (await money.ActAsync(payer, MoneyFixture.Card(
            CardKind.Transfer, conversation, payer, payee, amountMinor, lifetimeSeconds: 60,
            plan: new(CardDelivery.Delayed)))).Value.Card;

    private async Task<CardState> StateAsync(WalletHolder reader, CardView card) =>
        (await money.Cards.ReadAsync(reader.Caller, card.Id, TestContext.Current.CancellationToken)).Value.State;

    private async Task ChangeAsync(WalletHolder person, AccountChangeKind kind)
    {
        var change = AccountChange.Of(
            kind, new AccountChangeId(money.NewId()),
            LedgerAccountId.Of(person.Account, AssetCode.Parse("EUR")), "A test says so.");
        var decided = await money.Server.Services.GetRequiredService<GroupCommitter>().SubmitAsync(
            new ChangeAccountCommand(change), TestContext.Current.CancellationToken);
        Assert.True(decided.Value.Outcome.IsApplied);
    }
}

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

/// <summary>Delayed transfers whose money cannot arrive: nothing is stuck for ever, and nobody waits behind them.</summary>
public sealed class CardArrivalTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private static readonly CardPlan s_delayed = new(CardDelivery.Delayed);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Money_for_an_account_that_was_closed_meanwhile_returns()
    {
        var (alice, bob, conversation) = await PairAsync();
        var card = await SendAsync(alice, bob, conversation, 100);
        await money.ActAsync(
            bob, await money.PostAsync(CardKind.Request, conversation, alice, bob, 10_000), CardActionKind.Pay);
        await ChangeAsync(bob, AccountChangeKind.Close);
        await money.AdvanceAsync(TimeSpan.FromHours(2));
        await money.Sweeper.SweepAsync(Cancellation);
        Assert.Equal(CardState.Cancelled, await StateAsync(alice, card));
        Assert.Equal((20_000, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task After_an_outage_that_was_longer_than_the_hold_lasts_it_returns()
    {
        var (alice, bob, conversation) = await PairAsync();
        var card = await SendAsync(alice, bob, conversation, 100);
        await money.AdvanceAsync(TimeSpan.FromDays(31));
        await money.Sweeper.SweepAsync(Cancellation);
        Assert.Equal(CardState.Cancelled, await StateAsync(alice, card));
        Assert.Equal(((10_000L, 0L), (10_000L, 0L)), (await money.BalanceAsync(alice), await money.BalanceAsync(bob)));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Money_of_a_frozen_account_waits_and_arrives_when_it_is_thawed()
    {
        var (alice, bob, conversation) = await PairAsync();
        var card = await SendAsync(alice, bob, conversation, 100);
        await ChangeAsync(alice, AccountChangeKind.Freeze);
        await money.AdvanceAsync(TimeSpan.FromHours(2));
        await money.Sweeper.SweepAsync(Cancellation);
        Assert.Equal(CardState.Held, await StateAsync(alice, card));
        Assert.Equal((10_000, 100), await money.BalanceAsync(alice));
        await ChangeAsync(alice, AccountChangeKind.Unfreeze);
        await money.Sweeper.SweepAsync(Cancellation);
        Assert.Equal(CardState.Accepted, await StateAsync(alice, card));
        Assert.Equal((10_100, 0), await money.BalanceAsync(bob));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Cards_that_cannot_end_yet_keep_no_other_from_ending()
    {
        await using var server = await TestServer.StartAsync(
            money.ConnectionString,
            new Dictionary<string, string?>(MoneyFixture.Settings, StringComparer.Ordinal) { ["Cards:SweepBatch"] = "2" });
        var (alice, bob, conversation) = await PairAsync();
        CardView[] stuck =
        [
            await SendAsync(alice, bob, conversation, 1), await SendAsync(alice, bob, conversation, 1),
            await SendAsync(alice, bob, conversation, 1),
        ];
        var behind = await SendAsync(bob, alice, conversation, 100);
        await ChangeAsync(alice, AccountChangeKind.Freeze);
        await money.AdvanceAsync(TimeSpan.FromHours(2));
        await server.Services.GetRequiredService<CardSweeper>().SweepAsync(Cancellation);
        Assert.Equal(CardState.Accepted, await StateAsync(bob, behind));
        Assert.All(await Task.WhenAll(stuck.Select(card => StateAsync(alice, card))), state =>
            Assert.Equal(CardState.Held, state));
        await ChangeAsync(alice, AccountChangeKind.Unfreeze);
        await server.Services.GetRequiredService<CardSweeper>().SweepAsync(Cancellation);
        Assert.Equal(((10_097L, 0L), (9_903L, 0L)), (await money.BalanceAsync(alice), await money.BalanceAsync(bob)));
        await money.AssertCleanAsync();
    }

    private async Task<CardView> SendAsync(
        WalletHolder payer, WalletHolder payee, ConversationId conversation, long amountMinor)
    {
        var posted = await money.ActAsync(payer, MoneyFixture.Card(
            CardKind.Transfer, conversation, payer, payee, amountMinor, lifetimeSeconds: 7200, plan: s_delayed));
        Assert.Null(posted.Error);
        return posted.Value.Card;
    }

    private async Task<CardState> StateAsync(WalletHolder reader, CardView card) =>
        (await money.Cards.ReadAsync(reader.Caller, card.Id, Cancellation)).Value.State;

    private async Task<(WalletHolder Alice, WalletHolder Bob, ConversationId Conversation)> PairAsync()
    {
        var (alice, bob) = (await money.PersonAsync(), await money.PersonAsync());
        return (alice, bob, await money.ConversationAsync(alice, bob));
    }

    private async Task ChangeAsync(WalletHolder person, AccountChangeKind kind)
    {
        var change = AccountChange.Of(
            kind, new AccountChangeId(money.NewId()),
            LedgerAccountId.Of(person.Account, AssetCode.Parse("EUR")), "A test says so.");
        var decided = await money.Server.Services.GetRequiredService<GroupCommitter>().SubmitAsync(
            new ChangeAccountCommand(change), Cancellation);
        Assert.True(decided.Value.Outcome.IsApplied);
    }
}

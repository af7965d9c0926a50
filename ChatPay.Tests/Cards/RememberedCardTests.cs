using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>
/// A node decides transfers and requests on what it remembers of card and conversation. Here the other node changes them behind
/// its back.
/// </summary>
public sealed class RememberedCardTests(MoneyFixture money) : IClassFixture<MoneyFixture>, IAsyncLifetime
{
    private TestServer? _second;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private CardService Other => _second!.Services.GetRequiredService<CardService>();

    private KnownCards Known => money.Server.Services.GetRequiredService<KnownCards>();

    public async ValueTask InitializeAsync() =>
        _second = await TestServer.StartAsync(money.ConnectionString, MoneyFixture.Settings);

    public async ValueTask DisposeAsync() => await _second!.DisposeAsync();

    [Fact]
    public async Task What_the_other_node_has_taken_back_is_not_accepted_and_is_remembered_so()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);
        Assert.True((await ElsewhereAsync(alice, card, CardActionKind.Cancel)).IsOk);
        Assert.Equal(CardState.Held, Known.Find(card.Id)?.State);

        Assert.Equal(ErrorCode.CardTerminal, (await money.ActAsync(bob, card, CardActionKind.Accept)).Error?.Code);
        Assert.Equal(CardState.Cancelled, Known.Find(card.Id)?.State);
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    /// <summary>What is known of the conversation is up to date; only the card is not.</summary>
    [Fact]
    public async Task A_refusal_is_about_the_card_as_it_is()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);
        Assert.True((await ElsewhereAsync(bob, card, CardActionKind.Accept)).IsOk);
        await money.PostAsync(CardKind.Request, conversation, alice, bob, 1);

        Assert.Equal(ErrorCode.CardTerminal, (await money.ActAsync(bob, card, CardActionKind.Accept)).Error?.Code);
        Assert.Equal((10_100, 0), await money.BalanceAsync(bob));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Who_was_put_out_by_the_other_node_is_paid_nothing()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);
        await using (var connection = await money.DataSource.OpenConnectionAsync(Cancellation))
        {
            await connection.ExecuteAsync(
                """
                with moved as (update conversation set head = head + 1 where id = @id returning head)
                update member set left_seq = head from moved where conversation_id = @id and account_id = @account
                """,
                new { id = conversation.Value, account = bob.Account.Value });
        }

        Assert.Equal(ErrorCode.NotMember, (await money.ActAsync(bob, card, CardActionKind.Accept)).Error?.Code);
        var another = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100);
        Assert.Equal(ErrorCode.CardPartyNotMember, (await money.ActAsync(alice, another)).Error?.Code);
        Assert.Equal((10_000, 100), await money.BalanceAsync(alice));
    }

    [Fact]
    public async Task A_cards_id_and_an_actions_key_that_the_other_node_has_used_are_found()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);
        var taken = MoneyFixture.Card(CardKind.Transfer, await money.ConversationAsync(alice, bob), alice, bob, 100);
        Assert.True((await Other.ActAsync(alice.Caller, money.Sign(alice, taken), Cancellation)).IsOk);
        var again = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100);
        var body = TestMls.PrivateMessage(conversation, 0, new AuthenticatedData(
            again.Post!.ClientId, new CardBinding(taken.Card, again.Post.DetailCommit)));
        again = again with { Card = taken.Card, Post = again.Post with { Body = body } };
        Assert.Equal(ErrorCode.CardExists, (await money.ActAsync(alice, again)).Error?.Code);

        // What the other node has answered under a key is answered here as well; under it nothing else is done.
        var accept = new CardActRequest(card.Id, card.Version, CardActionKind.Accept, money.NewId());
        var accepted = await Other.ActAsync(bob.Caller, accept, Cancellation);
        var next = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);
        Assert.Equal(accepted.Value.Seq, (await money.ActAsync(bob, accept)).Value.Seq);
        Assert.Equal(
            ErrorCode.IdempotencyConflict, (await money.ActAsync(bob, accept with { Card = next.Id })).Error?.Code);
        Assert.Equal(CardState.Held, (await money.Cards.ReadAsync(bob.Caller, next.Id, Cancellation)).Value.State);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_refusal_under_a_key_that_the_other_node_has_used_is_its_answer_of_then()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var request = await money.PostAsync(CardKind.Request, conversation, alice, bob, 100);
        var pay = money.Sign(bob, new CardActRequest(request.Id, 1, CardActionKind.Pay, money.NewId()), request);
        var decline = new CardActRequest(request.Id, 1, CardActionKind.Decline, pay.IdempotencyKey);
        var declined = await Other.ActAsync(bob.Caller, decline, Cancellation);
        Assert.True(declined.IsOk);

        // A signature that is out of date keeps nothing under its key: what stands there has to be looked for.
        var late = bob.Signer.Sign(
            pay with { Authorisation = null }, CardSigner.TermsOf(request), request.DetailCommit, TimeSpan.FromHours(-1), 100);
        Assert.Equal(ErrorCode.IdempotencyConflict, (await money.Cards.ActAsync(bob.Caller, late, Cancellation)).Error?.Code);
        Assert.Equal((10_000, 0), await money.BalanceAsync(bob));
    }

    private Task<Result<CardActReply>> ElsewhereAsync(WalletHolder actor, CardView card, CardActionKind action) =>
        Other.ActAsync(
            actor.Caller, money.Sign(actor, new CardActRequest(card.Id, card.Version, action, money.NewId()), card),
            Cancellation);
}

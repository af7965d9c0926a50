using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Bad input gets its number, and nothing changes.</summary>
public sealed class CardErrorTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    /// <summary>What is wrong with a post, by name, and the number it gets.</summary>
    private static readonly Dictionary<string, (ErrorCode Code, Func<CardPost, CardPost> Spoil)> s_posts =
        new(StringComparer.Ordinal)
        {
            ["zero"] = (ErrorCode.AmountNotPositive, post => post with { AmountMinor = 0 }),
            ["negative"] = (ErrorCode.AmountNotPositive, post => post with { AmountMinor = -1 }),
            ["overflowing"] = (ErrorCode.AmountOverflow, post => post with { AmountMinor = long.MaxValue }),
            ["beyond the bound"] =
                (ErrorCode.AmountOverflow, post => post with { AmountMinor = Limits.AmountMaxMinor + 1 }),
            ["unknown asset"] = (ErrorCode.AssetUnknown, post => post with { Asset = "XAU" }),
            ["no asset code"] = (ErrorCode.AssetUnknown, post => post with { Asset = "e u r" }),
            ["oneself"] = (ErrorCode.SelfTransfer, post => post with { Payee = post.Payer }),
            ["another's money"] =
                (ErrorCode.CardNotYours, post => post with { Payer = post.Payee, Payee = post.Payer }),
            ["too short a life"] = (ErrorCode.CardLifetimeInvalid, post => post with { LifetimeSeconds = 59 }),
            ["too long a life"] =
                (ErrorCode.CardLifetimeInvalid, post => post with { LifetimeSeconds = int.MaxValue }),
            ["a short commitment"] =
                (ErrorCode.DetailCommitMismatch, post => post with { DetailCommit = new byte[31] }),
            ["another commitment"] =
                (ErrorCode.DetailCommitMismatch, post => post with { DetailCommit = new byte[32] }),
            ["another client id"] =
                (ErrorCode.DetailCommitMismatch, post => post with { ClientId = new(post.Payer.Value) }),
            ["no card in the message"] = (ErrorCode.DetailCommitMismatch, post => post with
            {
                Body = TestMls.PrivateMessage(post.Conversation, 0, new AuthenticatedData(post.ClientId)),
            }),
            ["another card's message"] = (ErrorCode.DetailCommitMismatch, post => post with
            {
                Body = TestMls.PrivateMessage(post.Conversation, 0, new AuthenticatedData(
                    post.ClientId, new CardBinding(new CardId(post.Payer.Value), post.DetailCommit))),
            }),
            ["a stale epoch"] = (ErrorCode.StaleEpoch, post => post with { Epoch = 1 }),
            ["another epoch's message"] = (ErrorCode.MessageMalformed, post => post with
            {
                Body = TestMls.PrivateMessage(post.Conversation, 1, new AuthenticatedData(post.ClientId)),
            }),
            ["no message"] = (ErrorCode.MessageMalformed, post => post with { Body = [1, 2, 3] }),
            ["a huge message"] =
                (ErrorCode.BodyTooLarge, post => post with { Body = new byte[Limits.MessageBodyBytes + 1] }),
            ["an unknown conversation"] =
                (ErrorCode.ConversationUnknown, post => post with { Conversation = new(post.Payer.Value) }),
            ["not enough"] = (ErrorCode.InsufficientFunds, post => post),
        };

    public static TheoryData<string> BadPosts() => [.. s_posts.Keys];

    [Theory]
    [MemberData(nameof(BadPosts))]
    public async Task A_bad_post_is_refused_by_number_and_changes_nothing(string what)
    {
        var (code, spoil) = s_posts[what];
        var (alice, bob, conversation) = await money.PairAsync();
        var good = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, what == "not enough" ? 10_001 : 100);
        var before = await money.StateAsync();

        var result = await money.ActAsync(alice, good with { Post = spoil(good.Post!) });
        Assert.Equal(code, result.Error?.Code);
        Assert.Equal(before, await money.StateAsync());
    }

    [Fact]
    public async Task A_post_among_strangers_is_refused()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var carol = await money.PersonAsync();
        await AssertRefusedAsync(
            carol, MoneyFixture.Card(CardKind.Transfer, conversation, carol, bob, 1), ErrorCode.ConversationUnknown);
        await AssertRefusedAsync(
            alice, MoneyFixture.Card(CardKind.Transfer, conversation, alice, carol, 1), ErrorCode.CardPartyNotMember);

        await LeaveAsync(conversation, bob);
        await AssertRefusedAsync(
            alice, MoneyFixture.Card(CardKind.Request, conversation, alice, bob, 1), ErrorCode.CardPartyNotMember);
        await AssertRefusedAsync(
            bob, MoneyFixture.Card(CardKind.Request, conversation, bob, alice, 1), ErrorCode.NotMember);
    }

    [Fact]
    public async Task A_card_id_and_a_client_message_id_stand_for_one_thing()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var first = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 1);
        await money.ActAsync(alice, first);

        var other = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 1);
        await AssertRefusedAsync(alice, first with { IdempotencyKey = money.NewId() }, ErrorCode.ClientIdReused);
        await AssertRefusedAsync(
            alice,
            other with
            {
                Card = first.Card,
                Post = other.Post! with
                {
                    Body = TestMls.PrivateMessage(conversation, 0, new AuthenticatedData(
                        other.Post.ClientId, new CardBinding(first.Card, other.Post.DetailCommit))),
                },
            },
            ErrorCode.CardExists);
    }

    [Fact]
    public async Task Requests_that_are_no_actions_are_refused()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var post = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 1);
        await AssertRefusedAsync(alice, post with { Post = null }, ErrorCode.InvalidArgument);
        await AssertRefusedAsync(alice, post with { Action = CardActionKind.Accept }, ErrorCode.InvalidArgument);
        await AssertRefusedAsync(alice, post with { Version = 1 }, ErrorCode.InvalidArgument);
        await AssertRefusedAsync(alice, post with { IdempotencyKey = Guid.Empty }, ErrorCode.InvalidArgument);
        await AssertRefusedAsync(alice, post with { Card = default }, ErrorCode.InvalidArgument);
    }

    [Fact]
    public async Task Acting_out_of_turn_is_refused_and_changes_nothing()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var carol = await money.PersonAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);

        await AssertRefusedAsync(alice, card, CardActionKind.Accept, ErrorCode.CardNotYours);
        await AssertRefusedAsync(bob, card, CardActionKind.Cancel, ErrorCode.CardNotYours);
        await AssertRefusedAsync(bob, card, CardActionKind.Pay, ErrorCode.CardActionUnknown);
        await AssertRefusedAsync(bob, card with { Version = 2 }, CardActionKind.Accept, ErrorCode.CardVersionStale);
        await AssertRefusedAsync(bob, card with { Version = 0 }, CardActionKind.Accept, ErrorCode.CardVersionStale);
        await AssertRefusedAsync(carol, card, CardActionKind.Accept, ErrorCode.CardUnknown);
        await AssertRefusedAsync(
            bob, card with { Id = new CardId(money.NewId()) }, CardActionKind.Accept, ErrorCode.CardUnknown);

        await money.ActAsync(bob, card, CardActionKind.Accept);
        await AssertRefusedAsync(bob, card, CardActionKind.Accept, ErrorCode.CardTerminal);
        await AssertRefusedAsync(alice, card, CardActionKind.Cancel, ErrorCode.CardTerminal);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Another_member_of_the_group_sees_a_card_but_cannot_act_on_it()
    {
        var (alice, bob, carol) = (await money.PersonAsync(), await money.PersonAsync(), await money.PersonAsync());
        var conversation = await money.ConversationAsync(alice, bob, carol);
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);
        await AssertRefusedAsync(carol, card, CardActionKind.Accept, ErrorCode.CardNotYours);
        await AssertRefusedAsync(carol, card, CardActionKind.Cancel, ErrorCode.CardNotYours);
        Assert.True((await money.Cards.ReadAsync(carol.Caller, card.Id, TestContext.Current.CancellationToken)).IsOk);
    }

    [Fact]
    public async Task Who_has_left_neither_sees_nor_takes_and_the_money_comes_back()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100, lifetimeSeconds: 60);
        await LeaveAsync(conversation, bob);
        await AssertRefusedAsync(bob, card, CardActionKind.Accept, ErrorCode.NotMember);
        var seen = await money.Cards.ReadAsync(bob.Caller, card.Id, TestContext.Current.CancellationToken);
        Assert.Equal(ErrorCode.NotMember, seen.Error?.Code);
        Assert.True((await money.ActAsync(alice, card, CardActionKind.Cancel)).IsOk);
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
    }

    [Fact]
    public async Task A_terminal_answer_carries_the_card()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);
        await money.ActAsync(bob, card, CardActionKind.Accept);
        var error = (await money.ActAsync(alice, card, CardActionKind.Cancel)).Error!;
        Assert.Equal(CardState.Accepted, Assert.IsType<CardView>(error.Details!["card"]).State);
    }

    private Task AssertRefusedAsync(WalletHolder actor, CardView card, CardActionKind action, ErrorCode code) =>
        AssertRefusedAsync(actor, new CardActRequest(card.Id, card.Version, action, money.NewId()), code);

    private async Task AssertRefusedAsync(WalletHolder actor, CardActRequest request, ErrorCode code)
    {
        var before = await money.StateAsync();
        Assert.Equal(code, (await money.ActAsync(actor, request)).Error?.Code);
        Assert.Equal(before, await money.StateAsync());
    }

    private async Task LeaveAsync(ConversationId conversation, WalletHolder person)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        await connection.ExecuteAsync(
            """
            with moved as (update conversation set head = head + 1 where id = @id returning head)
            update member set left_seq = head from moved where conversation_id = @id and account_id = @account
            """,
            new { id = conversation.Value, account = person.Account.Value });
    }
}

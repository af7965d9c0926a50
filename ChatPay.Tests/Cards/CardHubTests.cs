using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Paying through the public door: signed up over HTTP, acting over the hub, seen by both sides.</summary>
public sealed class CardHubTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_signs_up_has_play_money_and_is_told_so()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        var me = await ada.Client.MeAsync(Cancellation);
        Assert.True(me.Sandbox);
        Assert.Equal([new AssetView("EUR", 2)], me.Assets);
        var wallet = await ada.Client.WalletAsync(Cancellation);
        Assert.Equal([new WalletBalance("EUR", 2, 100_000, 0)], wallet.Balances);
    }

    [Fact]
    public async Task Both_sides_see_a_transfer_and_its_acceptance_and_their_wallets_move()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var post = Post(CardKind.Transfer, group, ada, ben, 1234);
        var posted = await ada.CardActAsync(post, Cancellation);
        Assert.Equal((CardState.Held, 2L), (posted.Card.State, posted.Seq));

        var shown = await ben.Events.FirstAsync(e => e.Kind == EventKind.Card);
        Assert.Equal((posted.Seq, (AccountId?)ada.Id, post.Post!.ClientId), (shown.Seq, shown.Account, shown.ClientId));
        Assert.Equal(post.Post.Body, shown.Body);
        Assert.Equal((1234L, CardState.Held), (shown.Card!.AmountMinor, shown.Card.State));
        Assert.Equal(post.Post.DetailCommit, shown.Card.DetailCommit);
        Assert.Equal(1234, (await ada.Wallet.FirstAsync(balance => balance.HeldMinor > 0)).HeldMinor);

        var accepted = await ben.CardActAsync(TestCards.Act(shown.Card, CardActionKind.Accept), Cancellation);
        var told = await ada.Events.FirstAsync(e => e.Kind == EventKind.CardChanged);
        Assert.Equal((accepted.Seq, CardState.Accepted, 2), (told.Seq, told.Card!.State, told.Card.Version));
        Assert.Null(told.Body);
        Assert.Equal(101_234, (await ben.Wallet.FirstAsync(balance => balance.BalanceMinor > 100_000)).BalanceMinor);
        await ada.Wallet.FirstAsync(balance => balance is { BalanceMinor: 98_766, HeldMinor: 0 });

        var statement = await ben.Client.StatementAsync("EUR", null, Cancellation);
        Assert.Equal("capture funding", string.Join(' ', statement.Entries.Select(entry => entry.Kind)));
        Assert.Equal(
            (ada.Client.Account, (CardId?)shown.Card.Id, (ConversationId?)group.Id),
            (statement.Entries[0].Counterparty, statement.Entries[0].Card, statement.Entries[0].Conversation));
        Assert.Equal(CardState.Accepted, (await ada.Client.CardAsync(shown.Card.Id, Cancellation)).State);
    }

    [Fact]
    public async Task A_request_is_paid_in_a_group_and_the_third_member_watches()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cy = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben, cy);
        var asked = await ada.CardActAsync(Post(CardKind.Request, group, ada, ben, 500), Cancellation);

        var foreign = await Person.ErrorOf(
            cy.PayAsync(asked.Card, Cancellation));
        Assert.Equal((int)ErrorCode.CardNotYours, foreign.Code);

        await ben.PayAsync(asked.Card, Cancellation);
        var seen = await cy.Events.FirstAsync(e => e.Kind == EventKind.CardChanged);
        Assert.Equal(CardState.Paid, seen.Card!.State);
        Assert.Equal(100_500, (await ada.Client.WalletAsync(Cancellation)).Balances[0].BalanceMinor);
    }

    [Fact]
    public async Task Errors_are_numbered_and_named_and_carry_what_helps()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);

        var poor = await Person.ErrorOf(
            ada.CardActAsync(Post(CardKind.Transfer, group, ada, ben, 100_001), Cancellation));
        Assert.Equal(
            ((int)ErrorCode.InsufficientFunds, "insufficient_funds", false), (poor.Code, poor.Name, poor.Retryable));

        var posted = await ada.CardActAsync(Post(CardKind.Transfer, group, ada, ben, 5), Cancellation);
        await ada.CardActAsync(TestCards.Act(posted.Card, CardActionKind.Cancel), Cancellation);
        var late = await Person.ErrorOf(
            ben.CardActAsync(TestCards.Act(posted.Card, CardActionKind.Accept), Cancellation));
        Assert.Equal((int)ErrorCode.CardTerminal, late.Code);
        var card = Assert.IsType<JsonElement>(late.Details!["card"]);
        Assert.Equal("cancelled", card.GetProperty("state").GetString());
        Assert.Equal(100_000, (await ada.Client.WalletAsync(Cancellation)).Balances[0].BalanceMinor);
    }

    [Fact]
    public async Task A_post_in_a_stale_epoch_gets_the_winning_commit_and_may_be_encrypted_anew()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var stale = Post(CardKind.Transfer, group, ada, ben, 5);
        var commit = group.NewCommit(ben);
        await ben.Hub.SubmitCommitAsync(commit, Cancellation);
        group.Apply([], []);

        var error = await Person.ErrorOf(ada.CardActAsync(stale, Cancellation));
        Assert.Equal((int)ErrorCode.StaleEpoch, error.Code);
        Assert.Equal(Convert.ToBase64String(commit.Commit), error.Details!["commit"].ToString());

        var anew = Post(CardKind.Transfer, group, ada, ben, 5) with { IdempotencyKey = stale.IdempotencyKey };
        Assert.Equal(CardState.Held, (await ada.CardActAsync(anew, Cancellation)).Card.State);
    }

    [Fact]
    public async Task A_retry_on_a_new_connection_gets_the_answer_that_was_lost()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var post = Post(CardKind.Transfer, group, ada, ben, 5);
        var first = await ada.CardActAsync(post, Cancellation);
        await ada.ConnectAsync();
        var again = await ada.CardActAsync(post, Cancellation);
        Assert.Equal((first.Seq, first.At, first.Card.Id), (again.Seq, again.At, again.Card.Id));
        Assert.Equal(2, (await ada.Client.ConversationAsync(group.Id, Cancellation)).Head);
    }

    [Fact]
    public async Task Strangers_and_the_unnamed_see_nothing()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var eve = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var posted = await ada.CardActAsync(Post(CardKind.Transfer, group, ada, ben, 5), Cancellation);

        var read = await Person.ErrorOf(eve.Client.CardAsync(posted.Card.Id, Cancellation));
        Assert.Equal((int)ErrorCode.CardUnknown, read.Code);
        var act = await Person.ErrorOf(
            eve.CardActAsync(TestCards.Act(posted.Card, CardActionKind.Accept), Cancellation));
        Assert.Equal((int)ErrorCode.CardUnknown, act.Code);

        using var anonymous = server.CreateClient();
        foreach (var path in new[] { "/v1/wallet", "/v1/wallet/EUR/statement", $"/v1/cards/{posted.Card.Id}" })
        {
            using var answer = await anonymous.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("/v1/wallet/XAU/statement", "asset_unknown")]
    [InlineData("/v1/wallet/EUR/statement?limit=0", "invalid_argument")]
    [InlineData("/v1/wallet/EUR/statement?limit=many", "malformed_request")]
    [InlineData("/v1/cards/0190a000-0000-7000-8000-000000000001", "card_unknown")]
    public async Task Bad_reads_are_problems_with_a_name(string path, string name)
    {
        await using var ada = await Person.JoinAsync(server.Address);
        using var client = server.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ada.Client.Token);
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(name, problem.RootElement.GetProperty("name").GetString());
    }

    private static CardActRequest Post(CardKind kind, TestGroup group, Person author, Person other, long amountMinor) =>
        TestCards.Post(kind, group.Id, group.Epoch, author.Id, other.Id, amountMinor);
}

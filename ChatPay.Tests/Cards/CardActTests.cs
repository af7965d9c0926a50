using ChatPay.Core.Protocol;
using ChatPay.Tests.Ledger;
using Dapper;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Cards, money and log together, on the real PostgreSQL.</summary>
public sealed class CardActTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    [Fact]
    public async Task A_transfer_is_held_until_it_is_accepted()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 1234);
        Assert.Equal((CardState.Held, 1), (card.State, card.Version));
        Assert.Equal((10_000, 1_234), await money.BalanceAsync(alice));
        Assert.Equal((10_000, 0), await money.BalanceAsync(bob));

        var accepted = await money.ActAsync(bob, card, CardActionKind.Accept);
        Assert.Equal((CardState.Accepted, 2), (accepted.Value.Card.State, accepted.Value.Card.Version));
        Assert.Equal(2, accepted.Value.Seq);
        Assert.Equal((8_766, 0), await money.BalanceAsync(alice));
        Assert.Equal((11_234, 0), await money.BalanceAsync(bob));
        await money.AssertCleanAsync();
    }

    [Theory]
    [InlineData(CardActionKind.Decline, CardState.Declined)]
    [InlineData(CardActionKind.Cancel, CardState.Cancelled)]
    public async Task A_transfer_that_is_not_taken_returns(CardActionKind action, CardState state)
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 10_000);
        var closed = await money.ActAsync(action == CardActionKind.Cancel ? alice : bob, card, action);
        Assert.Equal(state, closed.Value.Card.State);
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
        Assert.Equal((10_000, 0), await money.BalanceAsync(bob));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_request_moves_money_only_when_it_is_paid()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Request, conversation, alice, bob, 500);
        Assert.Equal((10_000, 0), await money.BalanceAsync(bob));

        var paid = await money.ActAsync(bob, card, CardActionKind.Pay);
        Assert.Equal(CardState.Paid, paid.Value.Card.State);
        Assert.Equal((10_500, 0), await money.BalanceAsync(alice));
        Assert.Equal((9_500, 0), await money.BalanceAsync(bob));
        await money.AssertCleanAsync();
    }

    [Theory]
    [InlineData("JPY", 999, 1_000)]
    [InlineData("KWD", 1, 1_000_000)]
    public async Task Other_assets_have_their_own_decimals_and_wallets(string asset, long amountMinor, long before)
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, amountMinor, asset);
        Assert.True((await money.ActAsync(bob, card, CardActionKind.Accept)).IsOk);
        Assert.Equal((before - amountMinor, 0), await money.BalanceAsync(alice, asset));
        Assert.Equal((before + amountMinor, 0), await money.BalanceAsync(bob, asset));
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Time_closes_cards_and_returns_what_they_hold()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var transfer = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 400, lifetimeSeconds: 60);
        var request = await money.PostAsync(CardKind.Request, conversation, alice, bob, 400, lifetimeSeconds: 60);
        await money.Sweeper.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal((10_000, 400), await money.BalanceAsync(alice));

        await money.AdvanceAsync(TimeSpan.FromSeconds(61));

        // Before anybody has swept: the clock of the acting transaction decides.
        var late = await money.ActAsync(bob, transfer, CardActionKind.Accept);
        Assert.Equal(ErrorCode.CardExpired, late.Error?.Code);
        Assert.Equal(ErrorCode.CardExpired, (await money.ActAsync(bob, request, CardActionKind.Pay)).Error?.Code);

        await money.Sweeper.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
        foreach (var card in new[] { transfer, request })
        {
            var seen = await money.Cards.ReadAsync(bob.Caller, card.Id, TestContext.Current.CancellationToken);
            Assert.Equal((CardState.Expired, 2), (seen.Value.State, seen.Value.Version));
        }

        Assert.Equal(ErrorCode.CardTerminal, (await money.ActAsync(bob, transfer, CardActionKind.Accept)).Error?.Code);
        await money.AssertCleanAsync();
    }

    /// <summary>
    /// The hold begins where the payer's time had been, so it ends after its card; a sweep in between decides nothing.
    /// </summary>
    [Fact]
    public async Task A_card_posted_after_the_clock_stepped_back_returns_its_money_once_its_hold_is_over()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        await money.AdvanceAsync(TimeSpan.FromSeconds(100));
        await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 1);
        await money.AdvanceAsync(TimeSpan.FromSeconds(-100));
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 400, lifetimeSeconds: 60);

        await money.AdvanceAsync(TimeSpan.FromSeconds(61));
        Assert.Equal(0, await money.Sweeper.SweepAsync(TestContext.Current.CancellationToken));
        Assert.Equal(ErrorCode.CardExpired, (await money.ActAsync(bob, card, CardActionKind.Accept)).Error?.Code);
        Assert.Equal((10_000, 401), await money.BalanceAsync(alice));

        await money.AdvanceAsync(TimeSpan.FromSeconds(100));
        Assert.Equal(1, await money.Sweeper.SweepAsync(TestContext.Current.CancellationToken));
        Assert.Equal((10_000, 1), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Each_change_is_an_event_of_the_log_with_the_card_as_of_then()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 5);
        await money.ActAsync(bob, card, CardActionKind.Accept);

        await using var connection = await money.DataSource.OpenConnectionAsync();
        var events = (await connection.QueryAsync<(long, short, Guid, Guid, string, bool)>(
            """
            select seq, kind, account_id, card_id, data::jsonb ->> 'state', body is not null
            from event where conversation_id = @id order by seq
            """,
            new { id = conversation.Value })).AsList();
        Assert.Equal(
            [
                (1, (short)EventKind.Card, alice.Account.Value, card.Id.Value, "held", true),
                (2, (short)EventKind.CardChanged, bob.Account.Value, card.Id.Value, "accepted", false),
            ],
            events);
    }

    [Fact]
    public async Task The_same_key_gets_the_stored_outcome_and_another_payload_a_conflict()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var post = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100);
        var first = await money.ActAsync(alice, post);
        var before = await money.StateAsync();

        var again = await money.ActAsync(alice, post);
        Assert.Equal((first.Value.Seq, first.Value.At), (again.Value.Seq, again.Value.At));
        Assert.Equal(CardState.Held, again.Value.Card.State);

        var other = post with { Post = post.Post! with { AmountMinor = 101 } };
        Assert.Equal(ErrorCode.IdempotencyConflict, (await money.ActAsync(alice, other)).Error?.Code);
        Assert.Equal(before, await money.StateAsync());

        // The reply of then, though the card has moved on since.
        await money.ActAsync(bob, first.Value.Card, CardActionKind.Accept);
        Assert.Equal(CardState.Held, (await money.ActAsync(alice, post)).Value.Card.State);
    }

    [Fact]
    public async Task A_rejection_is_final_for_its_key_and_a_new_key_tries_again()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var request = await money.PostAsync(CardKind.Request, conversation, alice, bob, 10_001);
        var pay = money.Sign(bob, new CardActRequest(request.Id, 1, CardActionKind.Pay, money.NewId()), request);
        Assert.Equal(ErrorCode.InsufficientFunds, (await money.ActAsync(bob, pay)).Error?.Code);

        var gift = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 1);
        await money.ActAsync(bob, gift, CardActionKind.Accept);
        Assert.Equal(ErrorCode.InsufficientFunds, (await money.ActAsync(bob, pay)).Error?.Code);
        Assert.True((await money.ActAsync(bob, request, CardActionKind.Pay)).IsOk);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_stale_epoch_does_not_use_up_the_key()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var post = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100);
        var stale = post with { Post = post.Post! with { Epoch = 3 } };
        Assert.Equal(ErrorCode.StaleEpoch, (await money.ActAsync(alice, stale)).Error?.Code);
        Assert.True((await money.ActAsync(alice, post)).IsOk);
    }

    [Fact]
    public async Task A_missing_wallet_is_opened_on_the_way()
    {
        var (alice, _, _) = await money.PairAsync();
        var newcomer = await money.PersonAsync(withWallets: false);
        var conversation = await money.ConversationAsync(alice, newcomer);
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, newcomer, 70);
        Assert.True((await money.ActAsync(newcomer, card, CardActionKind.Accept)).IsOk);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Open_cards_of_one_author_are_bounded()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        for (var count = 0; count < 200; count++)
        {
            await money.PostAsync(CardKind.Request, conversation, alice, bob, 1);
        }

        var refused = await money.ActAsync(alice, MoneyFixture.Card(CardKind.Request, conversation, alice, bob, 1));
        Assert.Equal(ErrorCode.TooManyOpenCards, refused.Error?.Code);
        Assert.True((await money.ActAsync(bob, MoneyFixture.Card(CardKind.Request, conversation, bob, alice, 1))).IsOk);
    }
}

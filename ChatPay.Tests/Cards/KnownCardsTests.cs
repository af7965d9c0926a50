using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Tests.Ledger;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>What a node remembers of cards, so that it need not ask for each action.</summary>
public sealed class KnownCardsTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private KnownCards Known => money.Server.Services.GetRequiredService<KnownCards>();

    [Fact]
    public async Task A_card_is_known_once_it_is_committed_and_not_where_it_is_refused()
    {
        var (anna, ben) = (await money.PersonAsync(), await money.PersonAsync());
        var conversation = await money.ConversationAsync(anna, ben);
        var card = await money.PostAsync(CardKind.Transfer, conversation, anna, ben, 100);
        Assert.Equal(CardState.Held, Known.Find(card.Id)?.State);

        var request = MoneyFixture.Card(CardKind.Transfer, conversation, anna, ben, 1_000_000);
        Assert.Equal(ErrorCode.InsufficientFunds, (await money.ActAsync(anna, request)).Error?.Code);
        Assert.Null(Known.Find(request.Card));
    }

    [Fact]
    public async Task A_card_that_another_node_posted_is_read_once()
    {
        var (anna, ben) = (await money.PersonAsync(), await money.PersonAsync());
        var card = await money.PostAsync(
            CardKind.Transfer, await money.ConversationAsync(anna, ben), anna, ben, 100);
        Known.Clear();

        Assert.Equal(CardState.Accepted, (await money.ActAsync(ben, card, CardActionKind.Accept)).Value.Card.State);
        Assert.NotNull(Known.Find(card.Id));
        await money.AssertCleanAsync();
    }

    /// <summary>
    /// A refund names the transfer that settled the card, which what was remembered from its post does not know: where another
    /// node has settled it.
    /// </summary>
    [Fact]
    public async Task A_refund_does_not_go_by_what_was_remembered()
    {
        var (anna, ben) = (await money.PersonAsync(), await money.PersonAsync());
        var posted = await money.PostAsync(
            CardKind.Transfer, await money.ConversationAsync(anna, ben), anna, ben, 100);
        var before = Known.Find(posted.Id)!;
        var accepted = (await money.ActAsync(ben, posted, CardActionKind.Accept)).Value.Card;
        Known.Forget(posted.Id);
        Known.Put(before);

        var refund = new CardActRequest(
            accepted.Id, accepted.Version, CardActionKind.Refund, money.NewId(), AmountMinor: 40);
        var refunded = await money.ActAsync(ben, money.Sign(ben, refund, accepted));

        Assert.Equal(40, refunded.Value.Card.Progress?.RefundedMinor);
        await money.AssertCleanAsync();
    }

    /// <summary>As after a backup was restored under a server that runs.</summary>
    [Fact]
    public async Task What_the_cards_row_contradicts_is_forgotten_and_nothing_happens_by_it()
    {
        var (anna, ben, carl) = (await money.PersonAsync(), await money.PersonAsync(), await money.PersonAsync());
        var card = await money.PostAsync(
            CardKind.Transfer, await money.ConversationAsync(anna, ben), anna, ben, 100);
        var real = Known.Find(card.Id)!;
        Known.Forget(card.Id);
        Known.Put(real with { Version = 0, Terms = real.Terms with { Payee = carl.Account } });

        var before = await money.StateAsync();
        Assert.Equal(ErrorCode.Overloaded, (await money.ActAsync(ben, card, CardActionKind.Accept)).Error?.Code);
        Assert.Equal(before, await money.StateAsync());

        Assert.Equal(CardState.Accepted, (await money.ActAsync(ben, card, CardActionKind.Accept)).Value.Card.State);
        Assert.Equal((10_100, 0), await money.BalanceAsync(ben));
        Assert.Equal((10_000, 0), await money.BalanceAsync(carl));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Nothing_is_known_of_a_database_that_was_lost()
    {
        var (anna, ben) = (await money.PersonAsync(), await money.PersonAsync());
        var card = await money.PostAsync(
            CardKind.Transfer, await money.ConversationAsync(anna, ben), anna, ben, 100);
        var known = new KnownCards(TimeProvider.System);
        known.Put(Known.Find(card.Id)!);

        new CardRowsFactory(known).DatabaseLost();

        Assert.Null(known.Find(card.Id));
    }

    [Fact]
    public void A_packets_shares_are_computed_once_for_all_that_it_becomes()
    {
        var terms = new CardTerms(
            CardKind.Packet, new(money.NewId()), new(money.NewId()), new(money.NewId()), CardTerms.Nobody,
            Money.Of(1000, AssetCode.Parse("EUR")), 3600, new CardPlan(Packet: PacketMode.Random, Count: 10));
        var card = new Card(
            terms, new byte[32], CardState.Open, 1, null, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, null)
        {
            Seed = new byte[PacketShares.SeedSize],
        };
        var shares = card.PacketShares();
        Assert.Same(shares, (card with { Version = 2, State = CardState.Exhausted }).PacketShares());
        Assert.Equal(1000, shares.Sum());

        var other = card with { Terms = terms with { Plan = new CardPlan(Packet: PacketMode.Fixed, Count: 4) } };
        Assert.Equal([250, 250, 250, 250], other.PacketShares());
        var reseeded = new byte[PacketShares.SeedSize];
        reseeded[0] = 1;
        Assert.NotEqual(shares, (card with { Seed = reseeded }).PacketShares());
        Assert.Equal(card, card with { Version = 1 });
    }
}

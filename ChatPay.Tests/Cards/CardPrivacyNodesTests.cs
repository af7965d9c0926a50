using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Cluster;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>
/// What a third is told does not depend on the node: by a hint of the other node, or by its own look at the log.
/// </summary>
public sealed class CardPrivacyNodesTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task On_another_node_a_third_learns_no_more(bool byHints)
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var nodes = byHints
            ? await TwoNodes.OverRedisAsync(database.ConnectionString, redis)
            : await TwoNodes.StartAsync(database.ConnectionString, "", headCheckMs: 100);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        await using var cy = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.GroupAsync(ada, ben, cy);
        await cy.Heads.FirstAsync(view => view.Id == group.Id);
        var posted = await ada.CardActAsync(
            TestCards.Post(CardKind.Transfer, group.Id, group.Epoch, ada.Id, ben.Id, 765), Cancellation);
        var taken = await ada.CardActAsync(TestCards.Act(posted.Card, CardActionKind.Cancel), Cancellation);
        foreach (var reply in new[] { posted, taken })
        {
            var seen = await cy.Events.FirstAsync(logged => logged.Seq == reply.Seq);
            Assert.Equal((true, 0L, CardTerms.Nobody), (seen.Card!.Hidden, seen.Card.AmountMinor, seen.Card.Payee));
            Assert.Equal((reply.Card.State, reply.Card.Version), (seen.Card.State, seen.Card.Version));
            Assert.Equal(seen.Kind == EventKind.Card ? ada.Id : null, seen.Account);
            var concerned = await ben.Events.FirstAsync(logged => logged.Seq == reply.Seq);
            Assert.Equal((null, 765L), (concerned.Card!.Hidden, concerned.Card.AmountMinor));
        }
    }

    [Fact]
    public async Task Whoever_may_not_see_a_card_sees_no_parts_of_it()
    {
        await using var server = await TestServer.StartAsync(database.ConnectionString);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cy = await Person.JoinAsync(server.Address);
        await using var stranger = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben, cy);
        var cards = server.Services.GetRequiredService<CardService>();
        Task<Result<CardPartsPage>> PartsAsync(Person person, CardView card, int? after = null, int limit = 10) =>
            cards.ReadPartsAsync(new Caller(person.Id, person.Device), card.Id, after, limit, Cancellation);
        async Task<CardView> PacketAsync(AccountId? payee, int count)
        {
            var card = (await ada.CardActAsync(
                TestCards.Post(
                    CardKind.Packet, group.Id, group.Epoch, ada.Id, payee ?? CardTerms.Nobody, 50,
                    plan: new(Packet: PacketMode.Fixed, Count: count)),
                Cancellation)).Card;
            return (await ben.CardActAsync(TestCards.Act(card, CardActionKind.Claim), Cancellation)).Card;
        }

        var between = await PacketAsync(ben.Id, 1);
        Assert.Equal(ben.Id, Assert.Single((await PartsAsync(ada, between)).Value.Parts).Account);
        Assert.Empty((await PartsAsync(cy, between)).Value.Parts);
        Assert.Equal(ErrorCode.CardUnknown, (await PartsAsync(stranger, between)).Error?.Code);

        // Of what is everybody's, page by page.
        var open = await PacketAsync(null, 2);
        await cy.CardActAsync(TestCards.Act(open, CardActionKind.Claim), Cancellation);
        var first = (await PartsAsync(cy, open, limit: 1)).Value;
        var second = (await PartsAsync(cy, open, first.After, limit: 1)).Value;
        Assert.Equal([ben.Id, cy.Id], first.Parts.Concat(second.Parts).Select(part => part.Account));
        Assert.Empty((await PartsAsync(cy, open, second.After)).Value.Parts);
        Assert.Equal(ErrorCode.CardUnknown, (await PartsAsync(stranger, open)).Error?.Code);
        foreach (var (after, limit) in new (int?, int)[] { (-1, 10), (0, 0), (0, Limits.CardPartsPage + 1) })
        {
            Assert.Equal(ErrorCode.InvalidArgument, (await PartsAsync(cy, open, after, limit)).Error?.Code);
        }
    }
}

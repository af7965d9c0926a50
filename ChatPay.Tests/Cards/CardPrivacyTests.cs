using System.Text.Json;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>
/// What each member of a group receives of a card, field by field: as it happens, by reading the log, and by asking.
/// </summary>
public sealed class CardPrivacyTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    /// <summary>What everybody may know of any card.</summary>
    private static readonly string[] s_public =
    [
        "author", "closedAt", "conversation", "createdAt", "expiresAt", "hidden", "id", "kind", "lifetimeSeconds", "state",
        "version",
    ];

    private static readonly JsonSerializerOptions s_json = ProtocolJson.Create();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(CardKind.Transfer)]
    [InlineData(CardKind.Request)]
    [InlineData(CardKind.Mandate)]
    [InlineData(CardKind.Packet)]
    public async Task Of_what_is_between_two_the_third_learns_that_it_exists_and_where_it_stands(CardKind kind)
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cy = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben, cy);
        CardPlan? plan = kind switch
        {
            CardKind.Mandate => new(Period: MandatePeriod.Month),
            CardKind.Packet => new(Packet: PacketMode.Fixed, Count: 1),
            _ => null,
        };
        var post = TestCards.Post(kind, group.Id, group.Epoch, ada.Id, ben.Id, 765, plan: plan);
        var posted = await ada.CardActAsync(post, Cancellation);
        CardActionKind answer = kind switch
        {
            CardKind.Transfer => CardActionKind.Accept,
            CardKind.Packet => CardActionKind.Claim,
            _ => CardActionKind.Decline,
        };
        var changed = await ben.CardActAsync(TestCards.Act(posted.Card, answer), Cancellation);

        foreach (var (person, isConcerned) in new[] { (ada, true), (ben, true), (cy, false) })
        {
            Event[] pushed =
            [
                await person.Events.FirstAsync(e => e.Seq == posted.Seq),
                await person.Events.FirstAsync(e => e.Seq == changed.Seq),
            ];
            var synced = (await person.Hub.SyncAsync(new([new(group.Id, posted.Seq - 1)]), Cancellation)).Pages[0].Events;
            var asked = await person.Client.CardAsync(post.Card, Cancellation);
            foreach (var events in new[] { pushed, [.. synced] })
            {
                Assert.Equal((EventKind.Card, (AccountId?)ada.Id), (events[0].Kind, events[0].Account));
                Assert.Equal(isConcerned ? ben.Id : null, events[1].Account);
                Assert.Equal(isConcerned ? ben.Device : null, events[1].Device);
                AssertSees(events[0].Card!, isConcerned);
                AssertSees(events[1].Card!, isConcerned);
                Assert.Equal(changed.Card.State, events[1].Card!.State);
            }

            AssertSees(asked, isConcerned);
            Assert.Equal(changed.Card.Version, asked.Version);
            if (!isConcerned)
            {
                var refused = await Person.ErrorOf(person.CardActAsync(TestCards.Act(posted.Card, answer), Cancellation));
                Assert.Equal("card_not_yours", refused.Name);
                AssertSees(((JsonElement)refused.Details!["card"]).Deserialize<CardView>(s_json)!, isConcerned);
            }
        }
    }

    [Fact]
    public async Task Splits_and_open_packets_are_everybodys()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cy = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben, cy);
        var split = await ada.CardActAsync(
            TestCards.Post(
                CardKind.Split, group.Id, group.Epoch, ada.Id, CardTerms.Nobody, 90,
                plan: new(Shares: [new(ben.Id, 90)], OwnMinor: 10)),
            Cancellation);
        var paid = await ben.PayAsync(split.Card, Cancellation);
        var packet = await ada.CardActAsync(
            TestCards.Post(
                CardKind.Packet, group.Id, group.Epoch, ada.Id, CardTerms.Nobody, 90,
                plan: new(Packet: PacketMode.Random, Count: 2)),
            Cancellation);
        var claimed = await ben.CardActAsync(TestCards.Act(packet.Card, CardActionKind.Claim), Cancellation);
        foreach (var reply in new[] { paid, claimed })
        {
            var seen = await cy.Events.FirstAsync(e => e.Seq == reply.Seq);
            Assert.Equal((AccountId?)ben.Id, seen.Account);
            Assert.Equal(90, seen.Card!.AmountMinor);
            Assert.Equal(ben.Id, Assert.Single(seen.Card.Progress!.Parts!).Account);
            Assert.Null(seen.Card.Progress.Seed);
        }
    }

    private static void AssertSees(CardView card, bool isConcerned)
    {
        if (isConcerned)
        {
            Assert.Equal((765L, "EUR", null), (card.AmountMinor, card.Asset, card.Hidden));
            return;
        }

        // What is there of the other members is empty, and a member that comes later is not there unless somebody says so here.
        Assert.True(card.Hidden);
        Assert.Equal((CardTerms.Nobody, CardTerms.Nobody, 0L, ""), (card.Payer, card.Payee, card.AmountMinor, card.Asset));
        Assert.Empty(card.DetailCommit);
        using var json = JsonSerializer.SerializeToDocument(card, s_json);
        string[] empty = ["amountMinor", "asset", "detailCommit", "payee", "payer"];
        Assert.Empty(json.RootElement.EnumerateObject().Select(member => member.Name).Except([.. s_public, .. empty]));
    }
}

using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>
/// The very instant at which a card ends, on a database whose clock stands still: until one microsecond before, which is its
/// grain, everything is as ever, and from then on nothing is.
/// </summary>
public sealed class CardInstantTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private static readonly TimeSpan s_grain = TimeSpan.FromMicroseconds(1);
    private static readonly CardPlan s_packet = new(Packet: PacketMode.Fixed, Count: 4);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_share_is_taken_until_the_instant_and_not_at_it()
    {
        var (alice, people, card) = await PacketAsync();
        await ToAsync(card.ExpiresAt - s_grain);
        await money.Sweeper.SweepAsync(Cancellation);
        Assert.True((await ClaimAsync(money.Cards, people[0], card)).IsOk);
        await ToAsync(card.ExpiresAt);

        // Before anybody has swept, and after.
        Assert.Equal(ErrorCode.CardExpired, (await ClaimAsync(money.Cards, people[1], card)).Error?.Code);
        await money.Sweeper.SweepAsync(Cancellation);
        Assert.Equal(ErrorCode.CardTerminal, (await ClaimAsync(money.Cards, people[1], card)).Error?.Code);
        Assert.Equal((9_975, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Claims_and_sweeps_that_meet_the_instant_on_two_nodes_share_everything_out_once()
    {
        await using var second = await TestServer.StartAsync(money.ConnectionString, MoneyFixture.Settings);
        CardService[] nodes = [money.Cards, second.Services.GetRequiredService<CardService>()];
        var ends = new HashSet<CardState>();
        for (var round = 0; round < 12; round++)
        {
            var (alice, people, card) = await PacketAsync();
            await ToAsync(card.ExpiresAt - s_grain);
            var claims = people.Select((person, place) => Task.Run(() => ClaimAsync(nodes[place % 2], person, card))).ToArray();
            var passing = Task.Run(async () =>
            {
                // Every third round the instant comes when all is done, and else in the middle.
                await (round % 3 == 0 ? Task.WhenAll(claims) : (Task)claims[round % 4]);
                await ToAsync(card.ExpiresAt);
            });
            async Task SweepAsync(CardSweeper sweeper)
            {
                await passing;
                await sweeper.SweepAsync(Cancellation);
            }

            await Task.WhenAll(SweepAsync(money.Sweeper), SweepAsync(second.Services.GetRequiredService<CardSweeper>()));
            var taken = (await Task.WhenAll(claims)).Count(claim => claim.IsOk);
            var over = (await money.Cards.ReadAsync(alice.Caller, card.Id, Cancellation)).Value;
            Assert.Equal(taken == 4 ? CardState.Exhausted : CardState.Expired, over.State);
            Assert.Equal(
                over.State == CardState.Expired ? 1 : 0,
                (await CardHistoryAudit.ReadLogAsync(money, card.Conversation, 0)).Count(logged => logged.Account is null));
            Assert.Equal((taken, 25L * taken), (over.Progress!.Answered, over.Progress.PaidMinor));
            Assert.Equal((10_000 - (25 * taken), 0), await money.BalanceAsync(alice));
            ends.Add(over.State);
        }

        Assert.Contains(CardState.Exhausted, ends);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_delayed_transfer_arrives_at_the_instant_and_is_cancelled_until_it()
    {
        var (alice, people, conversation) = await money.TableAsync(1);
        var plan = new CardPlan(CardDelivery.Delayed);
        async Task<CardView> SendAsync() => (await money.ActAsync(alice, MoneyFixture.Card(
            CardKind.Transfer, conversation, alice, people[0], 100, lifetimeSeconds: 7200, plan: plan))).Value.Card;
        await money.StopClockAsync();
        var (taken, arrives) = (await SendAsync(), await SendAsync());
        await ToAsync(arrives.ExpiresAt - s_grain);
        await money.Sweeper.SweepAsync(Cancellation);
        Assert.True((await money.ActAsync(alice, taken, CardActionKind.Cancel)).IsOk);
        Assert.Equal(((10_000L, 100L), (10_000L, 0L)), (await money.BalanceAsync(alice), await money.BalanceAsync(people[0])));
        await ToAsync(arrives.ExpiresAt);
        Assert.Equal(ErrorCode.CardExpired, (await money.ActAsync(alice, arrives, CardActionKind.Cancel)).Error?.Code);
        Assert.Equal(ErrorCode.CardExpired, (await money.ActAsync(people[0], arrives, CardActionKind.Decline)).Error?.Code);
        await money.Sweeper.SweepAsync(Cancellation);
        Assert.Equal(((9_900L, 0L), (10_100L, 0L)), (await money.BalanceAsync(alice), await money.BalanceAsync(people[0])));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_new_period_of_a_mandate_begins_at_the_instant()
    {
        var (alice, people, conversation) = await money.TableAsync(1);
        var card = (await money.ActAsync(alice, MoneyFixture.Card(
            CardKind.Mandate, conversation, alice, people[0], 100, lifetimeSeconds: 3 * 24 * 3600,
            plan: new(Period: MandatePeriod.Day)))).Value.Card;
        Task<Result<CardActReply>> DrawAsync(long amount) => money.ActAsync(
            people[0], new CardActRequest(card.Id, 1, CardActionKind.Draw, money.NewId(), AmountMinor: amount));
        Assert.True((await DrawAsync(100)).IsOk);
        await ToAsync(card.CreatedAt.AddDays(1) - s_grain);
        var early = (await DrawAsync(1)).Error!;
        Assert.Equal((ErrorCode.MandateExceeded, "0"), (early.Code, early.Details!["leftMinor"]));
        Assert.Equal(card.CreatedAt.AddDays(1), early.Details["periodEndsAt"]);
        await ToAsync(card.CreatedAt.AddDays(1));
        Assert.True((await DrawAsync(100)).IsOk);
        await ToAsync(card.ExpiresAt - s_grain);
        Assert.True((await DrawAsync(100)).IsOk);
        await ToAsync(card.ExpiresAt);
        Assert.Equal(ErrorCode.CardExpired, (await DrawAsync(1)).Error?.Code);
        Assert.Equal((9_700, 0), await money.BalanceAsync(alice));
    }

    private Task<Result<CardActReply>> ClaimAsync(CardService node, WalletHolder person, CardView card) => node.ActAsync(
        person.Caller, new CardActRequest(card.Id, 1, CardActionKind.Claim, money.NewId()), Cancellation);

    private async Task ToAsync(DateTimeOffset instant) => await money.AdvanceAsync(instant - await money.StopClockAsync());

    private async Task<(WalletHolder Alice, WalletHolder[] People, CardView Card)> PacketAsync()
    {
        var (alice, people, conversation) = await money.TableAsync(4);
        await money.StopClockAsync();
        var posted = await money.ActAsync(alice, TestCards.Post(
            CardKind.Packet, conversation, 0, alice.Account, CardTerms.Nobody, 100, lifetimeSeconds: 60, plan: s_packet));
        return (alice, people, posted.Value.Card);
    }
}

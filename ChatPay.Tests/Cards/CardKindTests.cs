using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Tests.Ledger;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>What each kind of card does with money, on the real ledger.</summary>
public sealed class CardKindTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    [Fact]
    public async Task A_transfer_that_arrives_at_once_is_settled_when_it_is_posted()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await PostAsync(alice, CardKind.Transfer, conversation, bob, 300, new(CardDelivery.AtOnce));
        Assert.Equal((CardState.Accepted, 1, true), (card.State, card.Version, card.ClosedAt is not null));
        Assert.Equal(((9_700L, 0L), (10_300L, 0L)), (await money.BalanceAsync(alice), await money.BalanceAsync(bob)));
        await RefuseAsync(bob, card, CardActionKind.Accept, ErrorCode.CardActionUnknown);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_delayed_transfer_can_be_cancelled_until_it_arrives_by_itself_and_never_arrives_early()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var plan = new CardPlan(CardDelivery.Delayed);
        var taken = await PostAsync(alice, CardKind.Transfer, conversation, bob, 100, plan, 7200);
        var arrives = await PostAsync(alice, CardKind.Transfer, conversation, bob, 40, plan, 7200);
        await RefuseAsync(bob, arrives, CardActionKind.Accept, ErrorCode.CardActionUnknown);
        Assert.Equal(CardState.Cancelled, (await money.ActAsync(alice, taken, CardActionKind.Cancel)).Value.Card.State);
        await money.AdvanceAsync(TimeSpan.FromSeconds(7100));
        await money.Sweeper.SweepAsync(CancellationToken.None);
        Assert.Equal((10_000, 40), await money.BalanceAsync(alice));

        // Late, as after an outage: it arrives all the same.
        await money.AdvanceAsync(TimeSpan.FromDays(3));
        await RefuseAsync(alice, arrives, CardActionKind.Cancel, ErrorCode.CardExpired);
        await money.Sweeper.SweepAsync(CancellationToken.None);
        Assert.Equal(((9_960L, 0L), (10_040L, 0L)), (await money.BalanceAsync(alice), await money.BalanceAsync(bob)));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_split_is_answered_by_each_for_themselves()
    {
        var (alice, people, conversation) = await money.TableAsync(3);
        var card = await PostSplitAsync(alice, conversation, people, [100, 200, 300], own: 150);
        var paid = await money.ActAsync(people[1], card, CardActionKind.Pay);
        Assert.Equal((CardState.Open, 1, 200L), (paid.Value.Card.State, paid.Value.Card.Progress!.Answered,
            paid.Value.Card.Progress.PaidMinor));
        Assert.Equal((people[1].Account, CardState.Paid), (paid.Value.Card.Progress.Parts![0].Account,
            paid.Value.Card.Progress.Parts[0].State));

        // Of the version that everybody saw first, for each answers for themselves.
        Assert.True((await money.ActAsync(people[0], card, CardActionKind.Pay)).IsOk);
        await RefuseAsync(people[0], card, CardActionKind.Pay, ErrorCode.CardAlreadyDone);
        await RefuseAsync(people[0], card, CardActionKind.Decline, ErrorCode.CardAlreadyDone);
        await RefuseAsync(alice, card, CardActionKind.Pay, ErrorCode.CardNotYours);
        var declined = await money.ActAsync(people[2], card, CardActionKind.Decline);
        Assert.Equal((CardState.Settled, 3, 300L), (declined.Value.Card.State, declined.Value.Card.Progress!.Answered,
            declined.Value.Card.Progress.PaidMinor));
        Assert.Equal((10_300, 0), await money.BalanceAsync(alice));

        var whole = await PostSplitAsync(alice, conversation, people, [1, 1, 1], own: 0);
        foreach (var person in people)
        {
            Assert.True((await money.ActAsync(person, whole, CardActionKind.Pay)).IsOk);
        }

        Assert.Equal(CardState.Paid, (await ReadAsync(alice, whole)).State);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Stopping_a_split_leaves_what_is_paid_and_time_ends_the_rest()
    {
        var (alice, people, conversation) = await money.TableAsync(3);
        var stopped = await PostSplitAsync(alice, conversation, people, [10, 20, 30], own: 0);
        var over = await PostSplitAsync(alice, conversation, people, [10, 20, 30], own: 0);
        await money.ActAsync(people[0], stopped, CardActionKind.Pay);
        await money.ActAsync(people[0], over, CardActionKind.Pay);
        await RefuseAsync(people[1], stopped, CardActionKind.Cancel, ErrorCode.CardNotYours);
        var seen = await ReadAsync(alice, stopped);
        Assert.True((await money.ActAsync(alice, seen, CardActionKind.Cancel)).IsOk);
        await RefuseAsync(people[1], stopped, CardActionKind.Pay, ErrorCode.CardTerminal);
        await money.AdvanceAsync(TimeSpan.FromDays(1));
        await money.Sweeper.SweepAsync(CancellationToken.None);
        await RefuseAsync(people[1], over, CardActionKind.Pay, ErrorCode.CardTerminal);
        Assert.Equal((10_020, 0), await money.BalanceAsync(alice));
        Assert.Equal("Paid Cancelled Cancelled", States(await ReadAsync(alice, stopped)));
        Assert.Equal("Paid Expired Expired", States(await ReadAsync(alice, over)));
        await money.AssertCleanAsync();

        static string States(CardView card) => string.Join(' ', card.Progress!.Parts!.Select(part => part.State));
    }

    [Fact]
    public async Task A_split_is_reminded_of_once_after_a_day_and_a_request_once_by_its_author()
    {
        var (alice, people, conversation) = await money.TableAsync(2);
        var split = await PostSplitAsync(alice, conversation, people, [10, 20], own: 0, Limits.SplitLifetimeDefaultSeconds);
        Assert.Equal(0, await money.Sweeper.RemindAsync(CancellationToken.None));
        await money.AdvanceAsync(TimeSpan.FromDays(1));
        await money.Sweeper.SweepAsync(CancellationToken.None);
        Assert.Equal(1, await money.Sweeper.RemindAsync(CancellationToken.None));
        Assert.Equal(0, await money.Sweeper.RemindAsync(CancellationToken.None));
        Assert.NotNull((await ReadAsync(people[0], split)).Progress!.RemindedAt);

        var request = await money.PostAsync(CardKind.Request, conversation, alice, people[0], 100);
        var reminded = await money.ActAsync(alice, request, CardActionKind.Remind);
        Assert.Equal((CardState.Open, 2), (reminded.Value.Card.State, reminded.Value.Card.Version));
        await RefuseAsync(alice, reminded.Value.Card, CardActionKind.Remind, ErrorCode.CardAlreadyDone);
        await RefuseAsync(people[0], reminded.Value.Card, CardActionKind.Remind, ErrorCode.CardNotYours);
    }

    [Theory]
    [InlineData(PacketMode.Fixed)]
    [InlineData(PacketMode.Random)]
    public async Task A_packet_gives_each_one_share_and_returns_the_rest(PacketMode mode)
    {
        var (alice, people, conversation) = await money.TableAsync(4);
        var card = await PostAsync(
            alice, CardKind.Packet, conversation, null, 1000, new(Packet: mode, Count: 3), 24 * 3600);
        Assert.Equal((10_000, 1000), await money.BalanceAsync(alice));
        await RefuseAsync(alice, card, CardActionKind.Claim, ErrorCode.CardNotYours);
        var shares = new List<long>();
        foreach (var person in people[..2])
        {
            var claimed = await money.ActAsync(person, card, CardActionKind.Claim);
            var part = Assert.Single(claimed.Value.Card.Progress!.Parts!);
            Assert.Equal((person.Account, shares.Count), (part.Account, part.Place));
            Assert.Equal((10_000 + part.AmountMinor, 0), await money.BalanceAsync(person));
            Assert.Null(claimed.Value.Card.Progress.Seed);
            shares.Add(part.AmountMinor);
            await RefuseAsync(person, card, CardActionKind.Claim, ErrorCode.CardAlreadyDone);
        }

        await money.AdvanceAsync(TimeSpan.FromDays(1));
        await RefuseAsync(people[2], card, CardActionKind.Claim, ErrorCode.CardExpired);
        await money.Sweeper.SweepAsync(CancellationToken.None);
        Assert.Equal((10_000 - shares.Sum(), 0), await money.BalanceAsync(alice));
        var over = await ReadAsync(people[3], card);
        Assert.Equal((CardState.Expired, 2, shares.Sum()), (over.State, over.Progress!.Answered, over.Progress.PaidMinor));
        Assert.True(CardParts.AreFair(over, card.Progress!.SeedCommit));
        Assert.Equal(mode == PacketMode.Random, over.Progress.Seed is not null);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_hundred_people_at_once_on_two_nodes_share_a_packet_exactly()
    {
        await using var second = await Support.TestServer.StartAsync(money.ConnectionString, MoneyFixture.Settings);
        CardService[] nodes = [money.Cards, second.Services.GetRequiredService<CardService>()];
        var (alice, people, conversation) = await money.TableAsync(100);
        var card = await PostAsync(
            alice, CardKind.Packet, conversation, null, 997, new(Packet: PacketMode.Random, Count: 30), 24 * 3600);
        var claims = await Task.WhenAll(people.SelectMany(person => nodes.Select(node => node.ActAsync(
            person.Caller, new CardActRequest(card.Id, 1, CardActionKind.Claim, money.NewId()), CancellationToken.None))));

        Assert.Equal(30, claims.Count(claim => claim.IsOk));
        Assert.All(claims.Where(claim => !claim.IsOk), claim => Assert.Contains(
            claim.Error!.Code, new[] { ErrorCode.CardTerminal, ErrorCode.CardAlreadyDone }));
        var over = await ReadAsync(alice, card);
        Assert.Equal((CardState.Exhausted, 30, 997L), (over.State, over.Progress!.Answered, over.Progress.PaidMinor));
        Assert.Equal(Enumerable.Range(0, 30), over.Progress.Parts!.Select(part => part.Place));
        Assert.Equal(997, over.Progress.Parts!.Sum(part => part.AmountMinor));
        Assert.Equal(30, over.Progress.Parts!.Select(part => part.Account).Distinct().Count());
        Assert.True(CardParts.AreFair(over, card.Progress!.SeedCommit));
        Assert.Equal((9_003, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_packet_for_one_person_is_theirs_alone()
    {
        var (alice, people, conversation) = await money.TableAsync(2);
        var card = await PostAsync(
            alice, CardKind.Packet, conversation, people[0], 500, new(Packet: PacketMode.Fixed, Count: 1), 24 * 3600);
        await RefuseAsync(people[1], card, CardActionKind.Claim, ErrorCode.CardNotYours);
        Assert.Equal(CardState.Exhausted, (await money.ActAsync(people[0], card, CardActionKind.Claim)).Value.Card.State);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_mandate_is_drawn_on_within_its_bounds_until_the_payer_ends_it()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await PostAsync(
            alice, CardKind.Mandate, conversation, bob, 1000, new(Period: MandatePeriod.Day), 30 * 24 * 3600);
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
        var first = await DrawAsync(bob, card, 600);
        Assert.Equal((600L, 600L, 600L), (first.Value.Card.Progress!.DrawnMinor, first.Value.Card.Progress.PeriodMinor,
            first.Value.Card.Progress.PaidMinor));
        var beyond = await DrawAsync(bob, card, 401);
        Assert.Equal((ErrorCode.MandateExceeded, "400"), (beyond.Error!.Code, beyond.Error.Details!["leftMinor"]));
        Assert.True((await DrawAsync(bob, card, 400)).IsOk);
        Assert.Equal(ErrorCode.CardNotYours, (await DrawAsync(alice, card, 1)).Error?.Code);
        Assert.Equal(ErrorCode.AmountNotPositive, (await DrawAsync(bob, card, 0)).Error?.Code);
        await money.AdvanceAsync(TimeSpan.FromDays(1));
        Assert.True((await DrawAsync(bob, card, 1000)).IsOk);
        var seen = await ReadAsync(alice, card);
        Assert.Equal(CardState.Cancelled, (await money.ActAsync(alice, seen, CardActionKind.Cancel)).Value.Card.State);
        Assert.Equal(ErrorCode.CardTerminal, (await DrawAsync(bob, card, 1)).Error?.Code);
        Assert.Equal(((8_000L, 0L), (12_000L, 0L)), (await money.BalanceAsync(alice), await money.BalanceAsync(bob)));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Nobody_draws_of_somebody_who_has_left_and_who_has_left_can_still_end_it()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await PostAsync(
            alice, CardKind.Mandate, conversation, bob, 1000, new(Period: MandatePeriod.Day), 30 * 24 * 3600);
        await using (var connection = await money.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await connection.ExecuteAsync(
                "update member set left_seq = 1 where conversation_id = @id and account_id = @account",
                new { id = conversation.Value, account = alice.Account.Value });
        }

        Assert.Equal(ErrorCode.CardPartyNotMember, (await DrawAsync(bob, card, 1)).Error?.Code);
        Assert.Equal(CardState.Cancelled, (await money.ActAsync(alice, card, CardActionKind.Cancel)).Value.Card.State);
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
    }

    [Fact]
    public async Task A_clock_that_steps_back_gives_no_period_twice()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await PostAsync(
            alice, CardKind.Mandate, conversation, bob, 1000, new(Period: MandatePeriod.Day), 30 * 24 * 3600);
        await money.AdvanceAsync(TimeSpan.FromHours(25));
        Assert.True((await DrawAsync(bob, card, 1000)).IsOk);
        await money.AdvanceAsync(TimeSpan.FromHours(-2));
        Assert.Equal(ErrorCode.MandateExceeded, (await DrawAsync(bob, card, 1)).Error?.Code);
        await money.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Equal(ErrorCode.MandateExceeded, (await DrawAsync(bob, card, 1)).Error?.Code);
        await money.AssertCleanAsync();
    }

    [Theory]
    [InlineData(CardKind.Transfer)]
    [InlineData(CardKind.Request)]
    public async Task What_has_arrived_is_given_back_in_parts_and_never_more_than_it_was(CardKind kind)
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var (payer, payee) = kind == CardKind.Transfer ? (alice, bob) : (bob, alice);
        var card = await money.PostAsync(kind, conversation, alice, bob, 500);
        Assert.Equal(ErrorCode.RefundUnknown, (await RefundAsync(payee, card, 1)).Error?.Code);
        var settled = (await money.ActAsync(bob, card, kind == CardKind.Transfer ? CardActionKind.Accept : CardActionKind.Pay))
            .Value.Card;
        Assert.Equal(ErrorCode.CardNotYours, (await RefundAsync(payer, settled, 1)).Error?.Code);
        var unsigned = new CardActRequest(
            settled.Id, settled.Version, CardActionKind.Refund, money.NewId(), AmountMinor: 200);
        Assert.Equal(
            ErrorCode.AuthorisationMissing,
            (await money.Cards.ActAsync(payee.Caller, unsigned, TestContext.Current.CancellationToken)).Error?.Code);
        var part = await RefundAsync(payee, settled, 200);
        Assert.Equal((settled.State, 200L), (part.Value.Card.State, part.Value.Card.Progress!.RefundedMinor));
        Assert.Equal(ErrorCode.CardVersionStale, (await RefundAsync(payee, settled, 1)).Error?.Code);
        Assert.Equal(ErrorCode.RefundExceeded, (await RefundAsync(payee, part.Value.Card, 301)).Error?.Code);
        Assert.True((await RefundAsync(payee, part.Value.Card, 300)).IsOk);
        Assert.Equal(
            ((10_000L, 0L), (10_000L, 0L)), (await money.BalanceAsync(alice), await money.BalanceAsync(bob)));
        await money.AssertCleanAsync();
    }

    private Task<Result<CardActReply>> DrawAsync(WalletHolder actor, CardView card, long amountMinor) =>
        money.ActAsync(actor, new CardActRequest(
            card.Id, card.Version, CardActionKind.Draw, money.NewId(), AmountMinor: amountMinor));

    private Task<Result<CardActReply>> RefundAsync(WalletHolder actor, CardView card, long amountMinor) =>
        money.ActAsync(actor, money.Sign(actor, new CardActRequest(
            card.Id, card.Version, CardActionKind.Refund, money.NewId(), AmountMinor: amountMinor), card));

    private async Task RefuseAsync(WalletHolder actor, CardView card, CardActionKind action, ErrorCode code)
    {
        var before = await money.StateAsync();
        Assert.Equal(code, (await money.ActAsync(actor, card, action)).Error?.Code);
        Assert.Equal(before, await money.StateAsync());
    }

    private async Task<CardView> ReadAsync(WalletHolder reader, CardView card) =>
        (await money.Cards.ReadAsync(reader.Caller, card.Id, TestContext.Current.CancellationToken)).Value;

    private async Task<CardView> PostAsync(
        WalletHolder author, CardKind kind, ConversationId conversation, WalletHolder? other, long amountMinor, CardPlan plan,
        int lifetimeSeconds = 24 * 3600)
    {
        var posted = await money.ActAsync(author, Support.TestCards.Post(
            kind, conversation, 0, author.Account, other?.Account ?? CardTerms.Nobody, amountMinor,
            lifetimeSeconds: lifetimeSeconds, plan: plan));
        Assert.Null(posted.Error);
        return posted.Value.Card;
    }

    private Task<CardView> PostSplitAsync(
        WalletHolder author, ConversationId conversation, WalletHolder[] people, long[] amounts, long own,
        int lifetimeSeconds = 24 * 3600) =>
        PostAsync(
            author, CardKind.Split, conversation, null, amounts.Sum(),
            new(Shares: [.. people.Zip(amounts, (person, amount) => new CardShare(person.Account, amount))], OwnMinor: own),
            lifetimeSeconds);
}

using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>
/// Authorisations that are used for something else than they were given for, and people who are in a hurry on two nodes.
/// </summary>
public sealed class CardAdversaryTests(MoneyFixture money) : IClassFixture<MoneyFixture>, IAsyncLifetime
{
    private TestServer? _second;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private CardService[] Nodes => [money.Cards, _second!.Services.GetRequiredService<CardService>()];

    public async ValueTask InitializeAsync() =>
        _second = await TestServer.StartAsync(money.ConnectionString, MoneyFixture.Settings);

    public async ValueTask DisposeAsync() => await _second!.DisposeAsync();

    [Fact]
    public async Task An_authorisation_pays_no_other_card_of_the_same_people_and_amount_here_or_elsewhere()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var elsewhere = await money.ConversationAsync(alice, bob);
        var first = await money.PostAsync(CardKind.Request, conversation, alice, bob, 100);
        var second = await money.PostAsync(CardKind.Request, conversation, alice, bob, 100);
        var third = await money.PostAsync(CardKind.Request, elsewhere, alice, bob, 100);
        var pay = money.Sign(bob, new CardActRequest(first.Id, 1, CardActionKind.Pay, money.NewId()), first);
        foreach (var other in new[] { second, third })
        {
            await RefuseAsync(bob, pay with { Card = other.Id }, ErrorCode.AuthorisationInvalid);
            await RefuseAsync(
                bob, pay with { Card = other.Id, IdempotencyKey = money.NewId() }, ErrorCode.AuthorisationInvalid);
        }

        // By nobody else either, and for its own card once.
        await RefuseAsync(alice, pay, ErrorCode.CardNotYours);
        Assert.True((await SendAsync(bob, pay)).IsOk);
        await RefuseAsync(bob, pay with { Card = second.Id }, ErrorCode.IdempotencyConflict);
        Assert.Equal((9_900, 0), await money.BalanceAsync(bob));
    }

    [Fact]
    public async Task A_post_that_was_signed_for_one_conversation_is_of_no_use_in_another()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var elsewhere = await money.ConversationAsync(alice, bob);
        var signed = money.Sign(alice, MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100));
        var other = MoneyFixture.Card(CardKind.Transfer, elsewhere, alice, bob, 100);

        // The message of the one in the other; and a message of the other's own under the authorisation of the one.
        await RefuseAsync(
            alice, signed with { Post = signed.Post! with { Conversation = elsewhere } }, ErrorCode.MessageMalformed);
        await RefuseAsync(alice, other with { Authorisation = signed.Authorisation }, ErrorCode.AuthorisationInvalid);
        await RefuseAsync(
            alice,
            other with { Card = signed.Card, IdempotencyKey = signed.IdempotencyKey, Authorisation = signed.Authorisation },
            ErrorCode.DetailCommitMismatch);
    }

    [Fact]
    public async Task Refunds_that_come_in_another_order_than_they_were_signed_in_move_what_each_was_signed_for_or_nothing()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var sent = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);
        var arrived = (await money.ActAsync(bob, sent, CardActionKind.Accept)).Value.Card;
        CardActRequest Refund(int version, long amount) => money.Sign(
            bob, new CardActRequest(sent.Id, version, CardActionKind.Refund, money.NewId(), AmountMinor: amount),
            arrived with { Version = version });
        var (first, second) = (Refund(arrived.Version, 30), Refund(arrived.Version + 1, 50));
        await RefuseAsync(bob, second, ErrorCode.CardVersionStale);
        Assert.True((await SendAsync(bob, first)).IsOk);

        // Its refusal is kept; what it was signed for is not that of another key, another version or another sum.
        await RefuseAsync(bob, second, ErrorCode.CardVersionStale);
        await RefuseAsync(bob, second with { IdempotencyKey = money.NewId() }, ErrorCode.AuthorisationInvalid);
        await RefuseAsync(
            bob, first with { Version = 3, IdempotencyKey = money.NewId() }, ErrorCode.AuthorisationInvalid);
        await RefuseAsync(
            bob, Refund(arrived.Version + 1, 50) with { AmountMinor = 60 }, ErrorCode.AuthorisationInvalid);
        Assert.Equal((9_930, 0), await money.BalanceAsync(alice));
    }

    [Fact]
    public async Task Of_a_split_each_signs_for_their_own_share_and_for_no_other_sum()
    {
        var (alice, people, conversation) = await money.TableAsync(2);
        var card = await PostAsync(alice, CardKind.Split, conversation, 300, new(
            Shares: [new(people[0].Account, 100), new(people[1].Account, 200)], OwnMinor: 0));
        var terms = CardSigner.TermsOf(card);
        var request = new CardActRequest(card.Id, 1, CardActionKind.Pay, money.NewId());
        CardActRequest Signed(WalletHolder by, long? amount) => money.Sign(by, request, terms, card.DetailCommit, amount);
        foreach (var amount in new long?[] { null, 99, 101, 200, 0 })
        {
            await RefuseAsync(people[0], Signed(people[0], amount), ErrorCode.AuthorisationInvalid);
        }

        // With the shares swapped between the two the terms are others.
        var swapped = terms with
        {
            Plan = terms.Plan! with { Shares = [new(people[0].Account, 200), new(people[1].Account, 100)] },
        };
        await RefuseAsync(
            people[0], money.Sign(people[0], request, swapped, card.DetailCommit, 100), ErrorCode.AuthorisationInvalid);
        Assert.Null((await SendAsync(people[0], Signed(people[0], 100))).Error);
        Assert.Equal((9_900, 0), await money.BalanceAsync(people[0]));
    }

    [Fact]
    public async Task Two_devices_of_one_person_on_two_nodes_take_one_share()
    {
        for (var round = 0; round < 20; round++)
        {
            var (alice, people, conversation) = await money.TableAsync(1);
            var card = await PostAsync(
                alice, CardKind.Packet, conversation, 100, new(Packet: PacketMode.Random, Count: 3));
            Caller[] devices = [people[0].Caller, await money.OtherDeviceAsync(people[0])];
            var claims = await Task.WhenAll(Nodes.Zip(devices, (node, device) => node.ActAsync(
                device, new CardActRequest(card.Id, 1, CardActionKind.Claim, money.NewId()), Cancellation)));
            var taken = Assert.Single(claims, claim => claim.IsOk).Value.Card.Progress!.Parts![0];
            Assert.Equal(ErrorCode.CardAlreadyDone, Assert.Single(claims, claim => !claim.IsOk).Error!.Code);
            Assert.Equal((10_000 + taken.AmountMinor, 0), await money.BalanceAsync(people[0]));
        }

        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_share_of_a_split_is_paid_once_however_often_at_once()
    {
        var (alice, people, conversation) = await money.TableAsync(2);
        var card = await PostAsync(alice, CardKind.Split, conversation, 300, new(
            Shares: [.. people.Select(person => new CardShare(person.Account, 150))], OwnMinor: 0));
        var pays = await Task.WhenAll(Enumerable.Range(0, 40).Select(turn => Nodes[turn % 2].ActAsync(
            people[0].Caller,
            money.Sign(people[0], new CardActRequest(card.Id, 1, CardActionKind.Pay, money.NewId()), card), Cancellation)));
        Assert.Single(pays, pay => pay.IsOk);
        Assert.All(pays.Where(pay => !pay.IsOk), pay => Assert.Equal(ErrorCode.CardAlreadyDone, pay.Error!.Code));
        Assert.Equal((9_850, 0), await money.BalanceAsync(people[0]));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_mandate_is_drawn_on_by_two_nodes_at_once_to_its_maximum_and_not_beyond()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await PostAsync(
            alice, CardKind.Mandate, conversation, 1000, new(Period: MandatePeriod.Month), bob, 300 * 24 * 3600);
        for (var month = 1; month <= 2; month++)
        {
            var draws = await Task.WhenAll(Enumerable.Range(0, 30).Select(turn => Nodes[turn % 2].ActAsync(
                bob.Caller, new CardActRequest(card.Id, 1, CardActionKind.Draw, money.NewId(), AmountMinor: 100), Cancellation)));
            Assert.Equal(10, draws.Count(draw => draw.IsOk));
            Assert.All(
                draws.Where(draw => !draw.IsOk), draw => Assert.Equal(ErrorCode.MandateExceeded, draw.Error!.Code));
            Assert.Equal((10_000 - (1000 * month), 0), await money.BalanceAsync(alice));
            await money.AdvanceAsync(TimeSpan.FromDays(31));
        }

        await money.AssertCleanAsync();
    }

    /// <summary>Each refused sum would say something of the payer's balance.</summary>
    [Fact]
    public async Task A_balance_is_not_found_by_drawing_sum_after_sum_on_a_mandate()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await PostAsync(
            alice, CardKind.Mandate, conversation, 20_000, new(Period: MandatePeriod.Month), bob, 300 * 24 * 3600);
        var draws = await Task.WhenAll(Enumerable.Range(0, 20).Select(turn => DrawAsync(turn, 20_000 - turn)));
        Assert.Single(draws, draw => draw.Error?.Code == ErrorCode.InsufficientFunds);
        Assert.Equal(19, draws.Count(draw => draw.Error?.Code == ErrorCode.TooManyRequests));

        // Not even what there is, until the hour is over.
        var later = await DrawAsync(0, 1);
        Assert.InRange((int)later.Error!.Details!["retryAfterMs"], 1, Limits.MandateRetrySeconds * 1000);
        await money.AdvanceAsync(TimeSpan.FromSeconds(Limits.MandateRetrySeconds));
        Assert.True((await DrawAsync(1, 9_000)).IsOk);
        Assert.True((await DrawAsync(0, 500)).IsOk);
        await money.AssertCleanAsync();

        Task<Result<CardActReply>> DrawAsync(int turn, long amountMinor) => Nodes[turn % 2].ActAsync(
            bob.Caller, new CardActRequest(card.Id, 1, CardActionKind.Draw, money.NewId(), AmountMinor: amountMinor),
            Cancellation);
    }

    [Fact]
    public async Task Refunds_at_once_give_back_what_came_and_not_a_unit_more()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var sent = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 1000);
        var card = (await money.ActAsync(bob, sent, CardActionKind.Accept)).Value.Card;

        // Whoever is stale looks again and goes on, as twenty hurried devices would.
        async Task<long> RefundAsync(int turn)
        {
            for (var seen = card; ;)
            {
                var refund = money.Sign(
                    bob, new CardActRequest(seen.Id, seen.Version, CardActionKind.Refund, money.NewId(), AmountMinor: 70), seen);
                var result = await Nodes[turn % 2].ActAsync(bob.Caller, refund, Cancellation);
                if (result.IsOk)
                {
                    return 70;
                }

                if (result.Error!.Code == ErrorCode.RefundExceeded)
                {
                    return 0;
                }

                Assert.Equal(ErrorCode.CardVersionStale, result.Error.Code);
                seen = Assert.IsType<CardView>(result.Error.Details!["card"]);
            }
        }

        var returned = await Task.WhenAll(Enumerable.Range(0, 20).Select(RefundAsync));
        Assert.Equal(14 * 70, returned.Sum());
        Assert.Equal(((9_980L, 0L), (10_020L, 0L)), (await money.BalanceAsync(alice), await money.BalanceAsync(bob)));
        await money.AssertCleanAsync();
    }

    /// <summary>As far as it is given, not sent: the service itself, without the fixture's signing.</summary>
    private Task<Result<CardActReply>> SendAsync(WalletHolder actor, CardActRequest request) =>
        money.Cards.ActAsync(actor.Caller, request, Cancellation);

    private async Task RefuseAsync(WalletHolder actor, CardActRequest request, ErrorCode code)
    {
        var before = await money.StateAsync();
        Assert.Equal(code, (await SendAsync(actor, request)).Error?.Code);
        Assert.Equal(before, await money.StateAsync());
    }

    private async Task<CardView> PostAsync(
        WalletHolder author, CardKind kind, ConversationId conversation, long amountMinor, CardPlan plan,
        WalletHolder? other = null, int lifetimeSeconds = 24 * 3600)
    {
        var posted = await money.ActAsync(author, TestCards.Post(
            kind, conversation, 0, author.Account, other?.Account ?? CardTerms.Nobody, amountMinor,
            lifetimeSeconds: lifetimeSeconds, plan: plan));
        Assert.Null(posted.Error);
        return posted.Value.Card;
    }
}

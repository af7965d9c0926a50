using ChatPay.Client;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Ledger;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Cards of every kind between devices of the SDK, on a server whose time can pass.</summary>
public sealed class DeviceKindTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private static readonly AssetCode s_euro = AssetCode.Parse("EUR");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_bill_is_split_paid_and_declined()
    {
        await using var table = await TableAsync();
        var (ada, ben, cy) = table;
        var parts = SplitDivision.Equally(100, 3);
        var card = await table.Group.SplitAsync(
            [new(ben.Id, parts[1]), new(cy.Id, parts[2])], parts[0], s_euro, "Dinner", new(), Cancellation);
        Assert.Equal((CardState.Open, CardTrust.Verified, 66L), (card.State, card.Trust, card.View.AmountMinor));

        // Longer than the day after which those are reminded who have not answered.
        Assert.Equal(Limits.SplitLifetimeDefaultSeconds, card.View.LifetimeSeconds);
        foreach (var person in new[] { ben, cy })
        {
            var seen = await person.SeesCardAsync(card.Id);
            Assert.Equal((CardTrust.Verified, "Dinner", 34L), (seen.Trust, seen.Memo, seen.View.Plan!.OwnMinor));
            Assert.Equal([CardActionKind.Pay, CardActionKind.Decline], seen.ActionsOf(person.Id));
            Assert.Equal([CardActionKind.Cancel], seen.ActionsOf(ada.Id));
        }

        var paid = await ben.Device.PayAsync(card.Id, Cancellation);
        Assert.Equal(CardState.Open, paid.State);
        Assert.DoesNotContain(CardActionKind.Pay, paid.ActionsOf(ben.Id));
        var again = await Assert.ThrowsAsync<ChatPayException>(() => ben.Device.PayAsync(card.Id, Cancellation));
        Assert.Equal(ErrorCode.CardAlreadyDone, again.Code);
        Assert.Equal(CardState.Settled, (await cy.Device.DeclineAsync(card.Id, Cancellation)).State);
        foreach (var person in table.People)
        {
            var over = await person.KnowsCardAsync(card.Id, 3);
            Assert.Equal(CardState.Settled, over.State);
            Assert.Equal(
                [(ben.Id, CardState.Paid, 33L), (cy.Id, CardState.Declined, 33L)],
                over.Parts.Select(part => (part.Account, part.State, part.AmountMinor)));
            Assert.Equal((CardTrust.Verified, 33L), (over.Trust, over.View.Progress!.PaidMinor));
            Assert.Empty(over.ActionsOf(ben.Id));
        }

        Assert.Equal((10_033, 9_967, 10_000), await table.BalancesAsync());
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(PacketMode.Fixed)]
    [InlineData(PacketMode.Random)]
    public async Task A_packet_is_shared_out_and_everybody_computes_the_shares_again(PacketMode mode)
    {
        await using var table = await TableAsync();
        var (ada, ben, cy) = table;
        var card = await table.Group.SendPacketAsync(
            Money.Of(1001, s_euro), 2, mode, null, "Good luck", new(), Cancellation);
        Assert.Empty(card.ActionsOf(ada.Id));
        Assert.Null(card.View.Progress!.Seed);
        await Task.WhenAll(ben.SeesCardAsync(card.Id), cy.SeesCardAsync(card.Id));

        // At once: the answer of the one may come before the event of the other.
        var taken = await Task.WhenAll(
            ben.Device.ClaimAsync(card.Id, Cancellation), cy.Device.ClaimAsync(card.Id, Cancellation));
        Assert.All(taken, one => Assert.Equal(CardTrust.Verified, one.Trust));
        var more = await Assert.ThrowsAsync<ChatPayException>(() => ben.Device.ClaimAsync(card.Id, Cancellation));
        Assert.Equal(ErrorCode.CardTerminal, more.Code);
        var shares = new List<string>();
        foreach (var person in table.People)
        {
            var over = await person.KnowsCardAsync(card.Id, 3);
            Assert.Equal((CardState.Exhausted, CardTrust.Verified), (over.State, over.Trust));
            Assert.Equal(mode == PacketMode.Random, over.View.Progress!.Seed is not null);
            Assert.Equal(
                PacketShares.Divide(mode, 1001, 2, over.View.Progress.Seed), over.Parts.Select(part => part.AmountMinor));
            shares.Add(string.Join(' ', over.Parts));
        }

        Assert.Single(shares.Distinct());
        Assert.Equal(8_999, (await table.BalancesAsync()).Ada);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_packet_for_one_person_is_theirs_and_hidden_from_the_others()
    {
        await using var table = await TableAsync();
        var (_, ben, cy) = table;
        var card = await table.Group.SendPacketAsync(
            Money.Of(500, s_euro), 1, PacketMode.Fixed, ben.Id, "Happy birthday", new(), Cancellation);
        var hidden = await cy.SeesCardAsync(card.Id);
        AssertHidden(hidden);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => cy.Device.ClaimAsync(card.Id, Cancellation));
        Assert.Equal(ErrorCode.CardNotYours, refused.Code);
        await ben.SeesCardAsync(card.Id);
        Assert.Equal(CardState.Exhausted, (await ben.Device.ClaimAsync(card.Id, Cancellation)).State);
        AssertHidden(await cy.SeesCardAsync(card.Id, CardState.Exhausted));
        Assert.Equal((9_500, 10_500, 10_000), await table.BalancesAsync());
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_mandate_is_given_drawn_on_and_ended()
    {
        await using var table = await TableAsync();
        var (ada, ben, cy) = table;
        var card = await table.Group.GiveMandateAsync(
            ben.Id, Money.Of(900, s_euro), MandatePeriod.Month, "Membership", new() { Lifetime = TimeSpan.FromDays(365) },
            Cancellation);
        Assert.Equal(CardState.Active, card.State);
        var seen = await ben.SeesCardAsync(card.Id);
        Assert.Equal([CardActionKind.Draw, CardActionKind.Decline], seen.ActionsOf(ben.Id));
        Assert.Equal([CardActionKind.Cancel], seen.ActionsOf(ada.Id));

        Assert.Equal(600, (await ben.Device.DrawAsync(card.Id, 600, Cancellation)).View.Progress!.PeriodMinor);
        var beyond = await Assert.ThrowsAsync<ChatPayException>(() => ben.Device.DrawAsync(card.Id, 301, Cancellation));
        Assert.Equal(ErrorCode.MandateExceeded, beyond.Code);
        Assert.Equal("300", beyond.Error.Details!["leftMinor"].ToString());
        await ben.Device.DrawAsync(card.Id, 300, Cancellation);
        var told = (CardChanged)await ada.Items.FirstAsync(
            item => item is CardChanged { Card.View.Progress.PaidMinor: 900 });
        Assert.Equal((CardTrust.Verified, 300L), (told.Card.Trust, told.Card.View.Progress!.DrawnMinor));
        AssertHidden(await cy.SeesCardAsync(card.Id));

        Assert.Equal(CardState.Cancelled, (await ada.Device.CancelAsync(card.Id, Cancellation)).State);
        var ended = await Assert.ThrowsAsync<ChatPayException>(() => ben.Device.DrawAsync(card.Id, 1, Cancellation));
        Assert.Equal(ErrorCode.CardTerminal, ended.Code);
        AssertHidden(await cy.SeesCardAsync(card.Id, CardState.Cancelled));
        Assert.Equal((9_100, 10_900, 10_000), await table.BalancesAsync());
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_third_is_told_that_there_is_a_card_and_where_it_stands_and_that_is_no_lie()
    {
        await using var table = await TableAsync();
        var (ada, ben, cy) = table;
        var card = await table.Group.SendMoneyAsync(ben.Id, Money.Of(700, s_euro), "Between us", Cancellation);
        var posted = await cy.SeesCardAsync(card.Id);
        AssertHidden(posted);
        Assert.Equal((ada.Id, CardState.Held), (posted.View.Author, posted.State));
        await ben.SeesCardAsync(card.Id);
        await ben.Device.AcceptAsync(card.Id, Cancellation);
        AssertHidden(await cy.SeesCardAsync(card.Id, CardState.Accepted));
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => cy.Device.RefundAsync(card.Id, 700, Cancellation));
        Assert.Equal(ClientErrors.CardUnreadable, refused.Name);

        // And a device that asks for a card of which it has never heard.
        await using var tablet = await cy.OnAnotherDeviceAsync();
        AssertHidden(await tablet.Device.CardAsync(card.Id, Cancellation));
        await tablet.SeesAsync(table.Group.Id);
        var request = await table.Group.RequestMoneyAsync(ben.Id, Money.Of(1, s_euro), "Mine", Cancellation);
        AssertHidden(await cy.SeesCardAsync(request.Id));
        AssertHidden(await tablet.SeesCardAsync(request.Id));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_came_is_given_back_in_parts_and_a_request_is_reminded_of_once()
    {
        await using var table = await TableAsync();
        var (ada, ben, _) = table;
        var card = await table.Group.RequestMoneyAsync(ben.Id, Money.Of(300, s_euro), "Tickets", Cancellation);
        await ben.SeesCardAsync(card.Id);
        Assert.NotNull((await ada.Device.RemindAsync(card.Id, Cancellation)).View.Progress!.RemindedAt);
        var again = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.RemindAsync(card.Id, Cancellation));
        Assert.Equal(ErrorCode.CardAlreadyDone, again.Code);
        await ben.Items.FirstAsync(item => item is CardChanged { Card.View.Progress.RemindedAt: not null });

        await ben.Device.PayAsync(card.Id, Cancellation);
        await ada.SeesCardAsync(card.Id, CardState.Paid);
        var part = await ada.Device.RefundAsync(card.Id, 120, Cancellation);
        Assert.Equal((CardState.Paid, 120L), (part.State, part.View.Progress!.RefundedMinor));
        var beyond = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.RefundAsync(card.Id, 181, Cancellation));
        Assert.Equal(ErrorCode.RefundExceeded, beyond.Code);
        var whole = await ada.Device.RefundAsync(card.Id, 180, Cancellation);
        Assert.Empty(whole.ActionsOf(ada.Id));
        var told = (CardChanged)await ben.Items.FirstAsync(
            item => item is CardChanged { Card.View.Progress.RefundedMinor: 300 });
        Assert.Equal((CardTrust.Verified, CardState.Paid), (told.Card.Trust, told.Card.State));
        Assert.Equal((10_000, 10_000, 10_000), await table.BalancesAsync());
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Money_arrives_at_once_or_when_its_time_has_come()
    {
        await using var table = await TableAsync();
        var (ada, ben, _) = table;
        CardOptions atOnce = new() { Delivery = CardDelivery.AtOnce };
        var stranger = await Assert.ThrowsAsync<ChatPayException>(() => table.Group.SendMoneyAsync(
            ben.Id, Money.Of(100, s_euro), "Now", atOnce, Cancellation));
        Assert.Equal(ClientErrors.NotVerified, stranger.Name);
        var code = (await ben.Device.PersonKeysAsync(ada.Id, Cancellation)).SafetyCode!;
        Assert.True(await ada.Device.VerifyIdentityAsync(ben.Id, code, Cancellation));
        var now = await table.Group.SendMoneyAsync(ben.Id, Money.Of(100, s_euro), "Now", atOnce, Cancellation);
        Assert.Equal((CardState.Accepted, CardTrust.Verified), (now.State, now.Trust));
        Assert.Equal([CardActionKind.Refund], (await ben.SeesCardAsync(now.Id, CardState.Accepted)).ActionsOf(ben.Id));
        Assert.Equal((9_900, 10_100, 10_000), await table.BalancesAsync());

        CardOptions late = new() { Delivery = CardDelivery.Delayed, Lifetime = TimeSpan.FromHours(2) };
        var stopped = await table.Group.SendMoneyAsync(ben.Id, Money.Of(20, s_euro), "No", late, Cancellation);
        var later = await table.Group.SendMoneyAsync(ben.Id, Money.Of(30, s_euro), "Later", late, Cancellation);
        var seen = await ben.SeesCardAsync(later.Id);
        Assert.Equal((CardState.Held, CardTrust.Verified), (seen.State, seen.Trust));
        Assert.Equal([CardActionKind.Decline], seen.ActionsOf(ben.Id));
        Assert.Equal([CardActionKind.Cancel], seen.ActionsOf(ada.Id));
        Assert.Equal(CardState.Cancelled, (await ada.Device.CancelAsync(stopped.Id, Cancellation)).State);
        await money.AdvanceAsync(TimeSpan.FromHours(2));
        await money.Sweeper.SweepAsync(Cancellation);
        foreach (var person in new[] { ada, ben })
        {
            var arrived = await person.SeesCardAsync(later.Id, CardState.Accepted);
            Assert.Equal((CardTrust.Verified, "Later"), (arrived.Trust, arrived.Memo));
        }

        Assert.Equal((9_870, 10_130, 10_000), await table.BalancesAsync());

        // The server's clock is two hours ahead of the device's by now, which learns of it and signs again.
        await table.Group.SendMoneyAsync(ben.Id, Money.Of(1, s_euro), "Still", Cancellation);
    }

    private static void AssertHidden(ChatCard card)
    {
        Assert.Equal((CardTrust.Hidden, null, true), (card.Trust, card.Memo, card.View.Hidden));
        Assert.Equal((0L, CardTerms.Nobody, CardTerms.Nobody), (card.View.AmountMinor, card.Payer, card.Payee));
        Assert.Empty(card.ActionsOf(card.View.Author));
        Assert.Null(card.View.Progress);
    }

    private async Task<Table> TableAsync()
    {
        var people = new List<SdkPerson>();
        for (var count = 0; count < 3; count++)
        {
            people.Add(await SdkPerson.JoinAsync(money.Server.Address));
        }

        var group = await people[0].Device.CreateGroupAsync("Table", [people[1].Id, people[2].Id], Cancellation);
        await Task.WhenAll(people[1..].Select(person => person.SeesAsync(group.Id)));
        return new Table(people, group);
    }

    private sealed record Table(IReadOnlyList<SdkPerson> People, ChatConversation Group) : IAsyncDisposable
    {
        public void Deconstruct(out SdkPerson ada, out SdkPerson ben, out SdkPerson cy) =>
            (ada, ben, cy) = (People[0], People[1], People[2]);

        public async Task<(long Ada, long Ben, long Cy)> BalancesAsync()
        {
            var balances = await Task.WhenAll(People.Select(person => person.Device.BalanceAsync(s_euro, null, Cancellation)));
            return (balances[0].Balance.Amount.Value, balances[1].Balance.Amount.Value, balances[2].Balance.Amount.Value);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var person in People)
            {
                await person.DisposeAsync();
            }
        }
    }
}

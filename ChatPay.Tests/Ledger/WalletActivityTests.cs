using System.Globalization;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The pictures of a wallet: by person and month, what waits, what the limits are, and filtered pages.</summary>
public sealed class WalletActivityTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ActivityService Activity => money.Server.Services.GetRequiredService<ActivityService>();

    private WalletHolds Holds => money.Server.Services.GetRequiredService<WalletHolds>();

    [Fact]
    public async Task What_came_and_went_is_summed_by_person_and_month()
    {
        var (ada, ben, cy) = (await money.PersonAsync(), await money.PersonAsync(), await money.PersonAsync());
        var conversation = await money.ConversationAsync(ada, ben, cy);
        await PayAsync(conversation, ada, ben, 300);
        await PayAsync(conversation, ben, ada, 120);
        await PayAsync(conversation, ada, cy, 50);
        var all = (await Activity.ReadAsync(ada.Account, "EUR", null, null, Cancel)).Value;
        Assert.Null(all.From);
        Assert.Equal(
            [(cy.Account, 0L, 50L, 1), (ben.Account, 120L, 300L, 2)],
            all.People.Select(person => (person.Person.Id, person.InMinor, person.OutMinor, person.Count)));

        // Play money came in too, from nobody.
        var month = Assert.Single(all.Months);
        Assert.Equal((10_120L, 350L), (month.InMinor, month.OutMinor));
        var now = (await money.Statements.ReadBalanceAsync(ada.Account, "EUR", null, Cancel)).Value.At;
        Assert.Equal(now.ToUniversalTime().ToString("yyyy-MM", CultureInfo.InvariantCulture), month.Month);

        await money.AdvanceAsync(TimeSpan.FromDays(40));
        await PayAsync(conversation, ada, ben, 1);
        var later = (await Activity.ReadAsync(ada.Account, "EUR", null, null, Cancel)).Value;
        Assert.Equal(2, later.Months.Count);
        Assert.Equal((0L, 1L), (later.Months[0].InMinor, later.Months[0].OutMinor));
        var since = now.AddDays(1).ToString("O", CultureInfo.InvariantCulture);
        var recent = (await Activity.ReadAsync(ada.Account, "EUR", since, null, Cancel)).Value;
        Assert.Equal(1, Assert.Single(recent.People).OutMinor);
        Assert.Equal(
            ErrorCode.AssetUnknown, (await Activity.ReadAsync(ada.Account, "XAU", null, null, Cancel)).Error?.Code);
        Assert.Equal(
            ErrorCode.InvalidArgument, (await Activity.ReadAsync(ada.Account, "EUR", "soon", null, Cancel)).Error?.Code);
    }

    [Fact]
    public async Task Pages_are_filtered_by_person_and_side()
    {
        var (ada, ben, cy) = (await money.PersonAsync(), await money.PersonAsync(), await money.PersonAsync());
        var conversation = await money.ConversationAsync(ada, ben, cy);
        await PayAsync(conversation, ada, ben, 300);
        await PayAsync(conversation, cy, ada, 70);
        await PayAsync(conversation, ben, ada, 120);
        Assert.Equal([120, -300, 0], await PageAsync(ada, new(ben.Account, null)));
        Assert.Equal([120, 70, 10_000], await PageAsync(ada, new(null, StatementSide.In)));
        Assert.Equal([-300], await PageAsync(ada, new(null, StatementSide.Out)));
        Assert.Equal([0], await PageAsync(ada, new(null, StatementSide.Held)));
        Assert.Equal([70], await PageAsync(ada, new(cy.Account, StatementSide.In)));

        // What is held is between two people before it has come to the other.
        Assert.Equal([0], await PageAsync(ada, new(ben.Account, StatementSide.Held)));
        Assert.Empty(await PageAsync(ada, new(cy.Account, StatementSide.Held)));

        var first = (await money.Statements.ReadPageAsync(
            ada.Account, "EUR", null, 1, null, null, new(null, StatementSide.In), Cancel)).Value;
        var second = (await money.Statements.ReadPageAsync(
            ada.Account, "EUR", first.Before, 1, null, null, new(null, StatementSide.In), Cancel)).Value;
        Assert.Equal((120L, 70L), (first.Entries[0].PostedMinor, second.Entries[0].PostedMinor));
    }

    [Fact]
    public async Task What_waits_is_shown_with_when_it_returns_and_counts_against_the_limit()
    {
        var (ada, ben) = (await money.PersonAsync(), await money.PersonAsync());
        var conversation = await money.ConversationAsync(ada, ben);
        var transfer = await money.PostAsync(CardKind.Transfer, conversation, ada, ben, 300);
        var packet = (await money.ActAsync(ada, TestCards.Post(
            CardKind.Packet, conversation, 0, ada.Account, CardTerms.Nobody, 90, lifetimeSeconds: 600,
            plan: new(Packet: PacketMode.Fixed, Count: 3)))).Value.Card;
        await money.ActAsync(ben, packet, CardActionKind.Claim);
        await money.PostAsync(CardKind.Request, conversation, ada, ben, 5);
        var holds = (await Holds.ReadAsync(ada.Caller, Cancel)).Value;
        Assert.Equal(
            [(packet.Id, 60L, packet.ExpiresAt, null), (transfer.Id, 300L, transfer.ExpiresAt, (AccountId?)ben.Account)],
            holds.Select(hold => (hold.Card, hold.AmountMinor, hold.ReturnsAt, hold.Payee?.Id)));
        Assert.Equal((9_970, 360), await money.BalanceAsync(ada));
        Assert.Empty((await Holds.ReadAsync(ben.Caller, Cancel)).Value);
        var limits = (await Holds.ReadLimitsAsync(ada.Caller, Cancel)).Value;
        Assert.Equal((3, 200, Limits.AmountMaxMinor), (limits.OpenCards, limits.OpenCardsMax, limits.AmountMaxMinor));
    }

    private async Task PayAsync(ConversationId conversation, WalletHolder from, WalletHolder to, long amountMinor)
    {
        var card = await money.PostAsync(CardKind.Transfer, conversation, from, to, amountMinor);
        Assert.Null((await money.ActAsync(to, card, CardActionKind.Accept)).Error);
    }

    private async Task<IEnumerable<long>> PageAsync(WalletHolder holder, StatementFilter filter) =>
        (await money.Statements.ReadPageAsync(holder.Account, "EUR", null, 100, null, null, filter, Cancel))
            .Value.Entries.Select(entry => entry.PostedMinor);
}

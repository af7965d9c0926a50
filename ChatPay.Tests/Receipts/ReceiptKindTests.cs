using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Core.Transparency;
using ChatPay.Server.Receipts;
using ChatPay.Server.Transparency;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Receipts;

/// <summary>Every movement of every kind of card has a receipt that holds, for its two people and nobody else.</summary>
public sealed class ReceiptKindTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ReceiptService Receipts => money.Server.Services.GetRequiredService<ReceiptService>();

    [Fact]
    public async Task A_transfer_that_arrives_at_once_or_after_a_delay()
    {
        var (alice, bob, _, conversation) = await TableAsync();
        var atOnce = await PostAsync(alice, CardKind.Transfer, conversation, bob, 300, new(CardDelivery.AtOnce));
        await HoldsAsync(atOnce, alice, bob, 300);
        var delayed = await PostAsync(alice, CardKind.Transfer, conversation, bob, 40, new(CardDelivery.Delayed), 7200);
        Assert.Empty(await ListAsync(alice, delayed));
        await money.AdvanceAsync(TimeSpan.FromSeconds(7201));
        await money.Sweeper.SweepAsync(CancellationToken.None);
        await HoldsAsync(delayed, alice, bob, 40);
    }

    [Fact]
    public async Task Each_part_of_a_split_and_each_share_of_a_packet()
    {
        var (alice, bob, cy, conversation) = await TableAsync();
        var split = await PostAsync(
            alice, CardKind.Split, conversation, null, 500,
            new(Shares: [new(bob.Account, 200), new(cy.Account, 300)], OwnMinor: 100));
        Assert.True((await money.ActAsync(bob, split, CardActionKind.Pay)).IsOk);
        await HoldsAsync(split, bob, alice, 200);
        Assert.Empty(await ListAsync(cy, split));
        var packet = await PostAsync(
            alice, CardKind.Packet, conversation, null, 100, new(Packet: PacketMode.Fixed, Count: 2));
        Assert.True((await money.ActAsync(bob, packet, CardActionKind.Claim)).IsOk);
        Assert.True((await money.ActAsync(cy, packet, CardActionKind.Claim)).IsOk);
        await HoldsAsync(packet, alice, bob, 50, of: 2);
        await HoldsAsync(packet, alice, cy, 50, of: 2);
        Assert.Single(await ListAsync(cy, packet));
    }

    [Fact]
    public async Task Each_draw_on_a_mandate_by_the_word_that_gave_it()
    {
        var (alice, bob, _, conversation) = await TableAsync();
        var mandate = await PostAsync(
            alice, CardKind.Mandate, conversation, bob, 1000, new(Period: MandatePeriod.Day), 30 * 24 * 3600);
        Assert.Empty(await ListAsync(alice, mandate));
        foreach (var amountMinor in new[] { 600, 400 })
        {
            Assert.True((await money.ActAsync(bob, new CardActRequest(
                mandate.Id, mandate.Version, CardActionKind.Draw, money.NewId(), AmountMinor: amountMinor))).IsOk);
        }

        await HoldsAsync(mandate, alice, bob, 600, of: 2);
        await HoldsAsync(mandate, alice, bob, 400, of: 2);
    }

    [Fact]
    public async Task A_refund_goes_the_other_way_by_the_word_of_who_gives_back()
    {
        var (alice, bob, _, conversation) = await TableAsync();
        var request = await money.PostAsync(CardKind.Request, conversation, alice, bob, 500);
        var paid = (await money.ActAsync(bob, request, CardActionKind.Pay)).Value.Card;
        var refund = new CardActRequest(paid.Id, paid.Version, CardActionKind.Refund, money.NewId(), AmountMinor: 200);
        Assert.True((await money.ActAsync(alice, money.Sign(alice, refund, paid))).IsOk);
        await HoldsAsync(paid, bob, alice, 500, of: 2);
        await HoldsAsync(paid, alice, bob, 200, of: 2);
    }

    private async Task<IReadOnlyList<ReceiptView>> ListAsync(WalletHolder person, CardView card) =>
        (await Receipts.ListAsync(person.Caller, card.Id, null, Limits.ReceiptsPerPage, Cancellation)).Value.Receipts;

    /// <summary>That both have the receipt of this movement, sealed and right, and a stranger has none of the card.</summary>
    private async Task HoldsAsync(CardView card, WalletHolder payer, WalletHolder payee, long amountMinor, int? of = null)
    {
        await LedgerLogScene.SealedAsync(money.DataSource);
        var view = await money.Server.Services.GetRequiredService<LedgerLogReader>().HeadAsync(Cancellation);
        var key = money.Server.Services.GetRequiredService<LedgerLogKeeper>().ViewOf(view).VerifierKey;
        Assert.True(NoteVerifier.TryParse(key, out var verifier));
        foreach (var person in new[] { payer, payee })
        {
            var receipts = await ListAsync(person, card);
            var receipt = Assert.Single(
                receipts, one => one.Payer == payer.Account && one.Payee == payee.Account && one.AmountMinor == amountMinor);
            Assert.Equal(ReceiptRejection.None, ReceiptChecks.Verify(receipt, verifier, out var signed));
            Assert.Equal(payer.Device, receipt.Authorisation!.Device);
            Assert.Equal(
                receipt.Receipt, (await Receipts.ReadAsync(person.Caller, signed!.Transfer.Id, Cancellation)).Value.Receipt);
            Assert.InRange(receipts.Count, 1, of ?? 1);
        }

        var stranger = await money.PersonAsync();
        Assert.Equal(
            ErrorCode.CardUnknown,
            (await Receipts.ListAsync(stranger.Caller, card.Id, null, Limits.ReceiptsPerPage, Cancellation)).Error!.Code);
    }

    private async Task<CardView> PostAsync(
        WalletHolder author, CardKind kind, ConversationId conversation, WalletHolder? other, long amountMinor, CardPlan plan,
        int lifetimeSeconds = 24 * 3600)
    {
        var posted = await money.ActAsync(author, TestCards.Post(
            kind, conversation, 0, author.Account, other?.Account ?? CardTerms.Nobody, amountMinor,
            lifetimeSeconds: lifetimeSeconds, plan: plan));
        Assert.Null(posted.Error);
        return posted.Value.Card;
    }

    private async Task<(WalletHolder Alice, WalletHolder Bob, WalletHolder Cy, ConversationId Conversation)> TableAsync()
    {
        var people = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => money.PersonAsync()));
        return (people[0], people[1], people[2], await money.ConversationAsync(people));
    }
}

using System.Net;
using System.Net.Http.Headers;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Receipts;

/// <summary>Receipts through the public door: who gets them, what they say, and that they hold without the server.</summary>
public sealed class ReceiptDoorTests(ServerFixture server, PostgresFixture postgres) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Payer_and_payee_of_a_request_have_one_receipt_that_holds_and_nobody_else_has()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cy = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben, cy);
        var card = await LedgerLogTests.PayAsync(group, ada, ben, 1234);
        var receipt = await SealedAsync(ada, card.Id);
        var verifier = await VerifierAsync(cy);
        Assert.Equal(ReceiptRejection.None, ReceiptChecks.Verify(receipt, verifier, out var signed));
        Assert.Equal(
            (ada.Id, ben.Id, 1234L, "EUR", 2, TransferKind.Transfer, CardKind.Request, group.Id),
            (receipt.Payer, receipt.Payee, receipt.AmountMinor, receipt.Asset, receipt.Exponent, receipt.Kind, receipt.CardKind,
                receipt.Conversation));
        Assert.Equal((ada.Device, CardActionKind.Pay), (receipt.Authorisation!.Device, receipt.Authorisation.Action));
        Assert.Equal(TestMls.PublicKeyOf(ada.Key), receipt.Authorisation.DeviceKey);
        Assert.Equal(card.DetailCommit, receipt.DetailCommit);
        Assert.Equal(
            receipt.Transfer, (await ben.Client.StatementAsync("EUR", null, Cancellation)).Entries[0].Transfer);

        var payees = Assert.Single((await ben.Client.ReceiptsAsync(card.Id, null, Cancellation)).Receipts);
        Assert.Equal(receipt.Receipt, payees.Receipt);
        Assert.Equal(receipt.Receipt, (await ben.Client.ReceiptAsync(signed!.Transfer.Id, Cancellation)).Receipt);

        // A member of the conversation, who sees the card; and what is no payment of a card.
        var hidden = await Person.ErrorOf(cy.Client.ReceiptAsync(signed.Transfer.Id, Cancellation));
        Assert.Equal(ErrorCode.NotFound, (ErrorCode)hidden.Code);
        hidden = await Person.ErrorOf(cy.Client.ReceiptsAsync(card.Id, null, Cancellation));
        Assert.Equal(ErrorCode.CardUnknown, (ErrorCode)hidden.Code);
        var funding = (await ada.Client.StatementAsync("EUR", null, Cancellation)).Entries[^1];
        hidden = await Person.ErrorOf(ada.Client.ReceiptAsync(new(funding.Transfer), Cancellation));
        Assert.Equal(ErrorCode.NotFound, (ErrorCode)hidden.Code);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(null, $"v1/receipts/{signed.Transfer.Id}")).StatusCode);
    }

    [Fact]
    public async Task A_transfer_has_a_receipt_once_it_is_accepted_by_the_word_that_opened_its_hold()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var posted = await ada.CardActAsync(
            TestCards.Post(CardKind.Transfer, group.Id, group.Epoch, ada.Id, ben.Id, 77), Cancellation);
        Assert.Empty((await ada.Client.ReceiptsAsync(posted.Card.Id, null, Cancellation)).Receipts);
        await ben.CardActAsync(TestCards.Act(posted.Card, CardActionKind.Accept), Cancellation);
        var receipt = await SealedAsync(ben, posted.Card.Id);
        Assert.Equal(ReceiptRejection.None, ReceiptChecks.Verify(receipt, await VerifierAsync(ben), out _));
        Assert.Equal(
            (TransferKind.Capture, CardActionKind.Post, ada.Device),
            (receipt.Kind, receipt.Authorisation!.Action, receipt.Authorisation.Device));
    }

    [Fact]
    public async Task A_receipt_is_there_at_once_and_says_when_to_ask_for_its_proof()
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["LedgerLog:RoundMs"] = "60000" };
        await using var slow = await TestServer.StartAsync(await postgres.CreateDatabaseAsync(), settings);
        await using var ada = await Person.JoinAsync(slow.Address);
        await using var ben = await Person.JoinAsync(slow.Address);
        var card = await LedgerLogTests.PayAsync(await TestGroup.DirectAsync(ada, ben), ada, ben);
        using var http = slow.CreateClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ada.Client.Token);
        using var answer = await http.GetAsync($"v1/cards/{card.Id}/receipts", Cancellation);
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
        var receipt = Assert.Single((await ada.Client.ReceiptsAsync(card.Id, null, Cancellation)).Receipts);
        Assert.Null(receipt.Seal);
        Assert.Equal(ReceiptRejection.NotSealed, ReceiptChecks.Verify(receipt, await VerifierAsync(ada), out var signed));
        Assert.NotNull(signed);
    }

    private async Task<HttpResponseMessage> GetAsync(string? token, string path)
    {
        using var http = new HttpClient { BaseAddress = server.Address };
        http.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return await http.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
    }

    /// <summary>The card's only receipt, once the log has it.</summary>
    internal static async Task<ReceiptView> SealedAsync(Person person, CardId card)
    {
        ReceiptView? receipt = null;
        await Eventually.TrueAsync(
            async () =>
            {
                receipt = Assert.Single((await person.Client.ReceiptsAsync(card, null, Cancellation)).Receipts);
                return receipt.Seal is not null;
            },
            "the receipt has its proof");
        return receipt!;
    }

    internal static async Task<NoteVerifier> VerifierAsync(Person person)
    {
        Assert.True(NoteVerifier.TryParse((await person.Client.LedgerLogAsync(Cancellation)).VerifierKey, out var verifier));
        return verifier;
    }
}

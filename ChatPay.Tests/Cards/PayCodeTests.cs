using ChatPay.Client;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Codes that are shown and scanned, through the public door.</summary>
public sealed class PayCodeTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_code_to_be_paid_serves_the_first_who_scans_it_and_leads_to_a_request()
    {
        await using var shop = await Person.JoinAsync(server.Address);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var shown = await shop.Client.CreatePayCodeAsync(new(PayCodeKind.PayMe, 450, "EUR", 300), Cancellation);
        Assert.Null((await shop.Client.PayCodeAsync(shown.Code, Cancellation)).ScannedBy);

        Assert.True(PayCodeText.TryParse(" " + PayCodeText.OfCode(shop.Id, new byte[32], shown.Code), out var text));
        Assert.Equal(shop.Id, text.Account);
        var scanned = await ada.Client.ScanPayCodeAsync(text.Code!, Cancellation);
        Assert.Equal((450L, "EUR", shop.Id), (scanned.AmountMinor, scanned.Asset, scanned.Owner.Id));
        Assert.Equal(ada.Id, (await ada.Client.ScanPayCodeAsync(text.Code!, Cancellation)).ScannedBy!.Id);
        Assert.Equal("pay_code_used", (await Person.ErrorOf(ben.Client.ScanPayCodeAsync(text.Code!, Cancellation))).Name);
        Assert.Equal(ada.Id, (await shop.Client.PayCodeAsync(shown.Code, Cancellation)).ScannedBy!.Id);
        Assert.Equal("pay_code_unknown", (await Person.ErrorOf(ben.Client.PayCodeAsync(shown.Code, Cancellation))).Name);

        var group = await TestGroup.DirectAsync(shop, ada);
        var asked = await shop.CardActAsync(
            TestCards.Post(CardKind.Request, group.Id, group.Epoch, shop.Id, ada.Id, 450), Cancellation);
        Assert.Equal(CardState.Paid, (await ada.PayAsync(asked.Card, Cancellation)).Card.State);
    }

    [Fact]
    public async Task A_payers_code_is_good_for_a_minute_and_nobody_scans_their_own()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        var before = TimeProvider.System.GetUtcNow();
        var shown = await ada.Client.CreatePayCodeAsync(new(PayCodeKind.Payer, LifetimeSeconds: 3600), Cancellation);
        Assert.InRange(shown.ExpiresAt, before, before.AddSeconds(120));
        Assert.Equal("pay_code_unknown", (await Person.ErrorOf(ada.Client.ScanPayCodeAsync(shown.Code, Cancellation))).Name);
        await ada.Client.RemovePayCodeAsync(shown.Code, Cancellation);
        Assert.Equal("pay_code_unknown", (await Person.ErrorOf(ada.Client.PayCodeAsync(shown.Code, Cancellation))).Name);
    }

    [Theory]
    [InlineData(PayCodeKind.PayMe, null, null, 60, "invalid_argument")]
    [InlineData(PayCodeKind.PayMe, 5L, null, 60, "invalid_argument")]
    [InlineData(PayCodeKind.Payer, 5L, "EUR", 60, "invalid_argument")]
    [InlineData(PayCodeKind.PayMe, 0L, "EUR", 60, "amount_not_positive")]
    [InlineData(PayCodeKind.PayMe, long.MaxValue, "EUR", 60, "amount_overflow")]
    [InlineData(PayCodeKind.PayMe, 5L, "XAU", 60, "asset_unknown")]
    [InlineData(PayCodeKind.PayMe, 5L, "EUR", 59, "card_lifetime_invalid")]
    [InlineData(PayCodeKind.PayMe, 5L, "EUR", 86_401, "card_lifetime_invalid")]
    public async Task A_code_that_says_too_little_or_too_much_is_refused(
        PayCodeKind kind, long? amount, string? asset, int seconds, string name)
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        Assert.Equal(
            name, (await Person.ErrorOf(ada.Client.CreatePayCodeAsync(new(kind, amount, asset, seconds), Cancellation))).Name);
    }

    [Fact]
    public async Task So_many_codes_are_open_at_once_and_no_more()
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        var made = await Task.WhenAll(Enumerable.Range(0, Limits.PayCodes + 5).Select(async _ =>
        {
            try
            {
                return await ada.Client.CreatePayCodeAsync(new(PayCodeKind.PayMe, 1, "EUR"), Cancellation);
            }
            catch (ChatPayException refused) when (refused.Code == ErrorCode.TooManyPayCodes)
            {
                return null;
            }
        }));
        Assert.Equal(Limits.PayCodes, made.Count(code => code is not null));
    }

    [Theory]
    [InlineData("")]
    [InlineData("chatpay:pay:2:")]
    [InlineData("chatpay:pay:2:AAAA")]
    [InlineData("chatpay:payme:1:AAAA")]
    [InlineData("chatpay:pay:1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("https://example.org/")]
    public void What_is_no_code_is_none(string text) => Assert.False(PayCodeText.TryParse(text, out _));

    [Fact]
    public void A_persons_code_names_their_key()
    {
        var (account, key) = (new AccountId(Guid.Parse("0190a000-0000-7000-8000-000000000003")), Enumerable.Repeat((byte)7, 32));
        Assert.True(PayCodeText.TryParse(PayCodeText.OfPerson(account, key.ToArray()), out var code));
        Assert.Equal((account, null), (code.Account, code.Code));
        Assert.Equal(key, code.IdentityKey);
    }

    [Fact]
    public void A_code_of_the_servers_names_whose_it_is()
    {
        var (account, key) = (new AccountId(Guid.Parse("0190a000-0000-7000-8000-000000000003")), Enumerable.Repeat((byte)7, 32));
        var text = PayCodeText.OfCode(account, [.. key], new string('A', 43));
        Assert.Equal(
            "chatpay:pay:2:AZCgAAAAcACAAAAAAAAAAwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH" + new string('A', 43), text);
        Assert.True(PayCodeText.TryParse(text, out var code));
        Assert.Equal((account, new string('A', 43)), (code.Account, code.Code));
        Assert.Equal(key, code.IdentityKey);
    }
}

using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>
/// Payments in many conversations at once, on a node that takes every two commands for a crowd: batches go beside each other,
/// with what the one before holds set aside.
/// </summary>
public sealed class CardFlightTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private const int Pairs = 24;
    private const int Payments = 15;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 1024)]
    [InlineData(2, 1024)]
    [InlineData(2, 3)]
    public async Task Whatever_is_set_aside_is_answered_and_the_books_are_exact(int crowdSize, int batchSize)
    {
        await using var server = await TestServer.StartAsync(
            money.ConnectionString,
            new Dictionary<string, string?>(MoneyFixture.Settings, StringComparer.Ordinal)
            {
                ["GroupCommit:CrowdSize"] = $"{crowdSize}",
                ["GroupCommit:BatchSize"] = $"{batchSize}",
            });
        var cards = server.Services.GetRequiredService<CardService>();
        var pairs = await Task.WhenAll(Enumerable.Range(0, Pairs).Select(_ => money.PairAsync()));

        // In each conversation both pay at once, so that what one batch holds and what waits meet again and again.
        await Task.WhenAll(pairs.SelectMany(pair => new[]
        {
            PayAsync(pair.Alice, pair.Bob, pair.Conversation, 3), PayAsync(pair.Bob, pair.Alice, pair.Conversation, 2),
        }));

        foreach (var (alice, bob, _) in pairs)
        {
            Assert.Equal((10_000 - Payments, 0), await money.BalanceAsync(alice));
            Assert.Equal((10_000 + Payments, 0), await money.BalanceAsync(bob));
        }

        await money.AssertCleanAsync();

        async Task PayAsync(WalletHolder payer, WalletHolder payee, ConversationId conversation, long amountMinor)
        {
            for (var payment = 0; payment < Payments; payment++)
            {
                var post = MoneyFixture.Card(CardKind.Transfer, conversation, payer, payee, amountMinor);
                var posted = await cards.ActAsync(payer.Caller, money.Sign(payer, post), Cancellation);
                Assert.Null(posted.Error);
                var accept = new CardActRequest(
                    posted.Value.Card.Id, posted.Value.Card.Version, CardActionKind.Accept, money.NewId());
                Assert.Null((await cards.ActAsync(payee.Caller, accept, Cancellation)).Error);
            }
        }
    }
}

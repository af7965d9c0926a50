using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>What one author may do at all and at once, which is the same through however many nodes it is tried.</summary>
public sealed class CardLimitTests(MoneyFixture money) : IClassFixture<MoneyFixture>, IAsyncLifetime
{
    private const int OpenMax = 12;
    private const int Burst = 6;

    private readonly List<TestServer> _servers = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private CardService[] Nodes => [.. _servers.Select(server => server.Services.GetRequiredService<CardService>())];

    public async ValueTask InitializeAsync()
    {
        for (var node = 0; node < 2; node++)
        {
            _servers.Add(await TestServer.StartAsync(
                money.ConnectionString,
                new Dictionary<string, string?>(MoneyFixture.Settings, StringComparer.Ordinal)
                {
                    ["Cards:OpenPerAuthor"] = $"{OpenMax}",
                    ["Cards:RequestBurst"] = $"{Burst}",
                    ["Cards:RequestsPerMinute"] = "1",
                }));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task Whoever_asks_through_two_nodes_at_once_may_ask_as_many_as_through_one()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 4 * Burst).Select(turn => Nodes[turn % 2].ActAsync(
            alice.Caller, MoneyFixture.Card(CardKind.Request, conversation, alice, bob, 1), Cancellation)));
        Assert.Equal(Burst, results.Count(static result => result.IsOk));
        Assert.All(results.Where(static result => !result.IsOk), static result => AssertTooMany(result.Error, 60_000));

        // Sending asks nobody.
        var transfer = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 1);
        Assert.True((await Nodes[0].ActAsync(alice.Caller, money.Sign(alice, transfer), Cancellation)).IsOk);

        // A minute pays for one more, whichever node is asked.
        await money.AdvanceAsync(TimeSpan.FromMinutes(1));
        var later = await Task.WhenAll(Nodes.Select(node => node.ActAsync(
            alice.Caller, MoneyFixture.Card(CardKind.Request, conversation, alice, bob, 1), Cancellation)));
        Assert.Single(later, static result => result.IsOk);
    }

    [Fact]
    public async Task A_split_counts_everybody_whom_it_asks_and_a_large_one_takes_all()
    {
        var (alice, people, conversation) = await money.TableAsync(Burst + 1);
        Assert.True((await SplitAsync(alice, conversation, people[..4])).IsOk);
        AssertTooMany((await SplitAsync(alice, conversation, people[..3])).Error, 60_000);
        Assert.True((await SplitAsync(alice, conversation, people[..2])).IsOk);
        AssertTooMany((await SplitAsync(alice, conversation, people[..1])).Error, 60_000);

        // Of more people than the burst: only after a pause that pays for all of it.
        AssertTooMany((await SplitAsync(alice, conversation, people)).Error, Burst * 60_000);
        await money.AdvanceAsync(TimeSpan.FromMinutes(Burst));
        Assert.True((await SplitAsync(alice, conversation, people)).IsOk);

        // It asked one more than there was to spend, which is paid off before the next.
        await money.AdvanceAsync(TimeSpan.FromMinutes(1));
        AssertTooMany((await SplitAsync(alice, conversation, people[..1])).Error, 60_000);
        await money.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.True((await SplitAsync(alice, conversation, people[..1])).IsOk);
    }

    [Fact]
    public async Task What_is_refused_or_repeated_costs_nothing()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var request = MoneyFixture.Card(CardKind.Request, conversation, alice, bob, 1);
        for (var turn = 0; turn < 2 * Burst; turn++)
        {
            Assert.True((await Nodes[turn % 2].ActAsync(alice.Caller, request, Cancellation)).IsOk);
            var nowhere = MoneyFixture.Card(CardKind.Request, new(money.NewId()), alice, bob, 1);
            Assert.Equal(
                ErrorCode.ConversationUnknown, (await Nodes[turn % 2].ActAsync(alice.Caller, nowhere, Cancellation)).Error?.Code);
        }

        var others = 0;
        while ((await Nodes[others % 2].ActAsync(
            alice.Caller, MoneyFixture.Card(CardKind.Request, conversation, alice, bob, 1), Cancellation)).IsOk)
        {
            others++;
        }

        Assert.Equal(Burst - 1, others);
    }

    [Fact]
    public async Task As_many_cards_are_open_as_may_be_however_many_nodes_are_asked_at_once()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 3 * OpenMax).Select(turn => Nodes[turn % 2].ActAsync(
            alice.Caller,
            money.Sign(alice, MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 1)), Cancellation)));
        Assert.Equal(OpenMax, results.Count(static result => result.IsOk));
        Assert.All(
            results.Where(static result => !result.IsOk),
            static result => Assert.Equal(ErrorCode.TooManyOpenCards, result.Error!.Code));
        Assert.Equal((10_000, OpenMax), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    private static void AssertTooMany(Error? error, int waitMost)
    {
        Assert.Equal(ErrorCode.TooManyRequests, error?.Code);
        Assert.True(error!.Retryable);
        Assert.InRange((int)error.Details!["retryAfterMs"], 1, waitMost);
    }

    private async Task<Result<CardActReply>> SplitAsync(
        WalletHolder author, ConversationId conversation, WalletHolder[] people)
    {
        var split = TestCards.Post(
            CardKind.Split, conversation, 0, author.Account, CardTerms.Nobody, people.Length,
            plan: new(Shares: [.. people.Select(static person => new CardShare(person.Account, 1))], OwnMinor: 0));
        return await Nodes[1].ActAsync(author.Caller, split, Cancellation);
    }
}

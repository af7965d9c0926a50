using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Ten thousand people who want one of a hundred shares in the same moment.</summary>
public sealed class PacketCrowdTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private const int People = 10_000;
    private const int Shares = 100;
    private const long TotalMinor = 9_973;

    /// <summary>For a machine that is busy; it takes a few seconds.</summary>
    private const int TimeoutMs = 300_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = TimeoutMs)]
    public async Task They_share_exactly_what_there_is_each_at_most_once_and_are_told_in_few_events()
    {
        await using var second = await TestServer.StartAsync(money.ConnectionString, MoneyFixture.Settings);
        CardService[] nodes = [money.Cards, second.Services.GetRequiredService<CardService>()];
        var alice = await money.PersonAsync();
        var conversation = await money.ConversationAsync(alice);
        var crowd = await CrowdAsync(conversation);
        var posted = await money.ActAsync(alice, TestCards.Post(
            CardKind.Packet, conversation, 0, alice.Account, CardTerms.Nobody, TotalMinor,
            plan: new(Packet: PacketMode.Random, Count: Shares)));
        var card = posted.Value.Card;

        var claims = await Task.WhenAll(crowd.Select((person, place) => Task.Run(
            () => ClaimAsync(nodes[place % 2], person, card), Cancellation)));

        var taken = claims.Where(claim => claim.IsOk).Select(claim => claim.Value).ToArray();
        Assert.Equal(Shares, taken.Length);
        Assert.All(claims.Where(claim => !claim.IsOk), claim => Assert.Equal(ErrorCode.CardTerminal, claim.Error!.Code));
        var over = (await money.Cards.ReadAsync(alice.Caller, card.Id, Cancellation)).Value;
        var parts = over.Progress!.Parts!;
        Assert.Equal((CardState.Exhausted, Shares, TotalMinor), (over.State, over.Progress.Answered, over.Progress.PaidMinor));
        Assert.Equal(Enumerable.Range(0, Shares), parts.Select(part => part.Place));
        Assert.Equal(TotalMinor, parts.Sum(part => part.AmountMinor));
        Assert.Equal(Shares, parts.Select(part => part.Account).Distinct().Count());
        Assert.True(CardParts.AreFair(over, card.Progress!.SeedCommit));
        Assert.Equal(
            taken.Select(reply => reply.Card.Progress!.Parts!.Single()).OrderBy(part => part.Place), parts);
        Assert.Equal((10_000 - TotalMinor, 0), await money.BalanceAsync(alice));

        // Told to ten thousand people each, a hundred events would be a million pushes.
        var told = (await CardHistoryAudit.ReadLogAsync(money, conversation, 0)).Skip(1).Select(logged => logged.Card!).ToArray();
        Assert.InRange(told.Length, 1, Shares / 2);
        Assert.Equal(parts, told.SelectMany(view => view.Progress!.Parts!));
        Assert.Equal(taken.Select(reply => reply.Seq).Distinct().Order(), told.Select((_, place) => 2L + place));
        await money.AssertCleanAsync();
    }

    /// <summary>A client that is told to come again comes again.</summary>
    private async Task<Result<CardActReply>> ClaimAsync(CardService node, Caller person, CardView card)
    {
        var request = new CardActRequest(card.Id, 1, CardActionKind.Claim, money.NewId());
        while (true)
        {
            var result = await node.ActAsync(person, request, Cancellation);
            if (result.Error is not { Retryable: true })
            {
                return result;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), Cancellation);
        }
    }

    /// <summary>Members with a device each. Whoever gets a share gets a wallet for it.</summary>
    private async Task<Caller[]> CrowdAsync(ConversationId conversation)
    {
        var people = Enumerable.Range(0, People).Select(_ => new Caller(new(money.NewId()), new(money.NewId()))).ToArray();
        await using var connection = await money.DataSource.OpenConnectionAsync(Cancellation);
        await connection.ExecuteAsync(
            """
            insert into account (id, handle, skeleton, display_name, password_hash, opened_at)
            select id, 'crowd' || place, 'crowd' || place, 'crowd' || place, '', now()
            from unnest(@accounts) with ordinality as p (id, place);
            insert into device (id, account_id, name, signature_key)
            select d, a, 'A phone', sha256(uuid_send(d)) from unnest(@devices, @accounts) as p (d, a);
            insert into member (conversation_id, account_id, role, joined_seq)
            select @conversation, id, 1, 1 from unnest(@accounts) as p (id);
            """,
            new
            {
                accounts = people.Select(person => person.Account.Value).ToArray(),
                devices = people.Select(person => person.Device.Value).ToArray(),
                conversation = conversation.Value,
            });
        return people;
    }
}

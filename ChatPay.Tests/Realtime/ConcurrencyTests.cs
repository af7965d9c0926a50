using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using ChatPay.Core.Protocol;
using ChatPay.Server.Ledger;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Realtime;

/// <summary>The promises under load: nothing acknowledged is lost, doubled or reordered, and money is exact.</summary>
public sealed class ConcurrencyTests(DatabaseFixture database, ITestOutputHelper output) : IClassFixture<DatabaseFixture>
{
    private const int Operations = 2000;
    private const int LinesEach = 6;
    private const int DropEvery = 40;
    private const int CardsAtFirst = 100;

    [Fact]
    public async Task Two_thousand_sends_and_card_actions_with_duplicates_and_dropped_connections_hold_every_promise()
    {
        var seed = Environment.GetEnvironmentVariable("CHATPAY_SEED") is { Length: > 0 } text
            ? ulong.Parse(text, CultureInfo.InvariantCulture)
            : (ulong)Stopwatch.GetTimestamp();
        output.WriteLine($"CHATPAY_SEED={seed}");
        var dice = new Dice(seed);
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["GroupCommit:CrowdSize"] = "0",
            ["Realtime:WriteBurst"] = "10000",
            ["Realtime:ConnectionsPerDevice"] = "100",
            ["Cards:RequestBurst"] = "10000",
        };
        await using var server = await TestServer.StartAsync(database.ConnectionString, settings);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ada.BeChainedAsync();
        await ben.BeChainedAsync();
        await using var adasLines = new Lines(ada, LinesEach);
        await using var bensLines = new Lines(ben, LinesEach);
        await using var adasEar = new Listener(ada, group.Id);
        await using var bensEar = new Listener(ben, group.Id);
        await Task.WhenAll(adasEar.CatchUpAsync(), bensEar.CatchUpAsync());

        var storm = new Run(group, adasLines, bensLines, dice, server.Services.GetRequiredService<ConnectionRegistry>());
        var started = Stopwatch.GetTimestamp();
        await storm.BlowAsync(Operations, DropEvery);
        await storm.SettleAsync();
        var took = Stopwatch.GetElapsedTime(started);

        var log = await ReadLogAsync(ada, group.Id);
        await CheckLogAsync(log, storm);
        foreach (var ear in new[] { adasEar, bensEar })
        {
            await Eventually.TrueAsync(async () => await ear.CatchUpAsync() == log.Count, "the listener has it all");
            Assert.Equal(log.Select(Essence), ear.Log.Select(Essence));
        }

        await using var report = new StringWriter(CultureInfo.InvariantCulture);
        Assert.True(
            await server.Services.VerifyLedgerAsync(report, TestContext.Current.CancellationToken) == 0, report.ToString());
        Assert.DoesNotContain("Error ChatPay", server.Log, StringComparison.Ordinal);
        output.WriteLine(
            $"{Operations} operations, {storm.Calls} calls, {storm.Drops} drops, "
            + $"{adasLines.Retries + bensLines.Retries} retries, {storm.Cards.Count} cards, {storm.Refused} refusals, "
            + $"{adasEar.Connections + bensEar.Connections} listening connections, {took.TotalSeconds:F1} s");
    }

    private static string Essence(Event e) =>
        $"{e.Seq} {e.Kind} {e.Device} {e.ClientId} {e.Card?.Id} {e.Card?.State} {e.Card?.Version} {e.Body?.Length}";

    private static async Task<IReadOnlyList<Event>> ReadLogAsync(Person person, ConversationId conversation)
    {
        var log = new List<Event>();
        while (true)
        {
            var page = await person.Client.EventsAsync(
                conversation, log.Count, null, null, TestContext.Current.CancellationToken);
            if (page.Count == 0)
            {
                return log;
            }

            log.AddRange(page);
        }
    }

    private static Task CheckLogAsync(IReadOnlyList<Event> log, Run storm)
    {
        Assert.Equal(Enumerable.Range(1, log.Count).Select(seq => (long)seq), log.Select(e => e.Seq));

        // Every acknowledged message once, where its acknowledgement says, and nothing besides.
        var messages = log.Where(e => e.Kind == EventKind.Message).ToDictionary(e => e.ClientId!.Value);
        Assert.Equal(storm.Sent.Count, messages.Count);
        Assert.All(storm.Sent, sent => Assert.Equal(sent.Value.Seq, messages[sent.Key].Seq));

        // Every acknowledged card action where its acknowledgement says, and each card in one terminal state for good.
        Assert.All(storm.Acted, acted => Assert.Equal(
            (acted.Card.Id, acted.Card.State, acted.Card.Version),
            (log[(int)acted.Seq - 1].Card!.Id, log[(int)acted.Seq - 1].Card!.State, log[(int)acted.Seq - 1].Card!.Version)));
        var histories = log.Where(e => e.Card is not null).GroupBy(e => e.Card!.Id).ToArray();
        Assert.Equal(storm.Cards.Count, histories.Length);
        foreach (var history in histories)
        {
            var states = history.Select(e => e.Card!).ToArray();
            Assert.Equal(Enumerable.Range(1, states.Length), states.Select(card => card.Version));
            Assert.Equal([states.Length - 1], Enumerable.Range(0, states.Length).Where(i => StormCards.IsTerminal(states[i])));
        }

        return Task.CompletedTask;
    }

    /// <summary>Two people doing what two people do, all at once.</summary>
    private sealed class Run(TestGroup group, Lines ada, Lines ben, Dice dice, ConnectionRegistry registry)
    {
        private int _calls;
        private int _drops;
        private int _refused;

        public ConcurrentDictionary<ClientMessageId, SendReply> Sent { get; } = [];

        public ConcurrentBag<CardActReply> Acted { get; } = [];

        public ConcurrentDictionary<CardId, CardView> Cards { get; } = [];

        public int Calls => _calls;

        public int Drops => _drops;

        public int Refused => _refused;

        /// <summary>Some cards to quarrel over, then everything at once.</summary>
        public async Task BlowAsync(int operations, int dropEvery)
        {
            await Task.WhenAll(Enumerable.Range(0, CardsAtFirst).Select(_ => PostAsync()));
            var done = 0;
            await Task.WhenAll(Enumerable.Range(0, operations).Select(async _ =>
            {
                await Task.Yield();
                await (dice.Next(20) switch
                {
                    < 11 => SendAsync(),
                    < 13 => PostAsync(),
                    _ => ActAsync(),
                });
                if (Interlocked.Increment(ref done) % dropEvery == 0)
                {
                    Drop();
                }
            }));
        }

        /// <summary>Takes back every card that nobody closed.</summary>
        public async Task SettleAsync()
        {
            foreach (var card in Cards.Values)
            {
                var author = card.Author == ada.Person.Id ? ada : ben;
                var now = await author.Person.Client.CardAsync(card.Id, CancellationToken.None);
                if (!StormCards.IsTerminal(now))
                {
                    await CardAsync(author, StormCards.Act(now, CardActionKind.Cancel));
                }
            }
        }

        private void Drop()
        {
            if (registry.All is { Count: > 0 } all)
            {
                Interlocked.Increment(ref _drops);
                all[dice.Next(all.Count)].Abort();
            }
        }

        private async Task SendAsync()
        {
            var lines = Either();
            var message = group.Message(lines.Person, null, 50 + dice.Next(400));
            var (sent, error) = await SeveralAsync(lines, hub => hub.SendAsync(message, CancellationToken.None));
            Assert.Null(error);
            Assert.True(Sent.TryAdd(message.ClientId, sent!));
        }

        private async Task PostAsync()
        {
            var lines = Either();
            var other = lines == ada ? ben : ada;
            var kind = dice.Next(2) == 0 ? CardKind.Transfer : CardKind.Request;
            var post = StormCards.Post(group, kind, lines.Person, other.Person, 1 + dice.Next(300));
            await CardAsync(lines, lines.Person.Signer.Sign(post));
        }

        private async Task ActAsync()
        {
            // Any card by anybody in any way: much of this has to be refused.
            var cards = Cards.Values.ToArray();
            var card = cards[dice.Next(cards.Length)];
            CardActionKind[] actions =
                [CardActionKind.Accept, CardActionKind.Decline, CardActionKind.Cancel, CardActionKind.Pay];
            var lines = Either();
            var request = StormCards.Act(card, actions[dice.Next(actions.Length)]);
            await CardAsync(lines, lines.Person.Signer.Sign(request, card));
        }

        private async Task CardAsync(Lines lines, CardActRequest request)
        {
            var (reply, error) = await SeveralAsync(lines, hub => hub.CardActAsync(request, CancellationToken.None));
            if (error is not null)
            {
                Interlocked.Increment(ref _refused);
                Assert.Contains((ErrorCode)error.Code, new[]
                {
                    ErrorCode.CardTerminal, ErrorCode.CardNotYours, ErrorCode.CardVersionStale,
                    ErrorCode.CardActionUnknown, ErrorCode.InsufficientFunds,
                });
                return;
            }

            Acted.Add(reply!);
            if (request.Post is not null)
            {
                Cards[reply!.Card.Id] = reply.Card;
            }
        }

        /// <summary>One request, now and then several times at once; all get the one answer.</summary>
        private async Task<(T? Answer, ErrorBody? Error)> SeveralAsync<T>(
            Lines lines, Func<ChatPay.Client.ChatConnection, Task<T>> call)
        {
            var times = dice.Next(4) == 0 ? 2 + dice.Next(2) : 1;
            Interlocked.Add(ref _calls, times);
            var answers = await Task.WhenAll(
                Enumerable.Range(0, times).Select(_ => lines.CallAsync(dice.Next(LinesEach), call)));
            Assert.Single(answers.Select(one => (
                System.Text.Json.JsonSerializer.Serialize(one.Answer), one.Error?.Code)).Distinct());
            return answers[0];
        }

        private Lines Either() => dice.Next(2) == 0 ? ada : ben;
    }
}

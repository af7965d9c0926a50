using ChatPay.Client;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>
/// Programs that die at every place they can: nothing is lost, nothing comes twice, no key is used again.
/// </summary>
public sealed class DeviceCrashTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const int MaxDeaths = 40;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sender_that_dies_at_any_write_says_everything_once_when_it_goes_on(bool lastOneHappens)
    {
        const int Messages = 4;
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var (deaths, died) = (0, true);
        for (var diesAt = 1; died; diesAt++)
        {
            Assert.True(diesAt <= MaxDeaths, "It never lives to the end.");
            var (memory, handle, chat) = await SdkPerson.LeaveChatAsync(ben);
            ClientMessageId[] ids = [.. Enumerable.Range(0, Messages).Select(_ => TestGroup.NewClientId())];
            died = await SendUntilDeathAsync(memory, handle, chat, ids, diesAt, lastOneHappens);
            deaths += died ? 1 : 0;

            // The program does not know what got through, and says everything again.
            await using var again = await SdkPerson.OpenAsync(server.Address, memory, handle);
            for (var i = 0; i < Messages; i++)
            {
                await again.Device.Conversation(chat).SendTextAsync($"{i}", ids[i], Cancellation);
            }

            await again.Device.Conversation(chat).SendTextAsync("the end", Cancellation);
            await ben.Items.FirstAsync(item => item is TextMessage { Text: "the end" } && item.Conversation == chat);
            Assert.Equal($"{diesAt}: 0 1 2 3 the end", $"{diesAt}: {string.Join(' ', ben.Texts(chat))}");
            Assert.DoesNotContain(ben.Items.Items, item => item is Unreadable);
        }

        Assert.True(deaths >= Messages, $"There were only {deaths} writes to die at.");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_receiver_that_dies_at_any_write_gets_everything_once_when_it_goes_on()
    {
        const int Messages = 6;
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        var deaths = 0;
        for (var diesAt = 1; diesAt <= 12; diesAt++)
        {
            var memory = new MemoryStore();
            var handle = SdkPerson.NewHandle();
            ChatConversation chat;
            await using (var ben = await SdkPerson.OpenAsync(server.Address, memory, handle, receives: false))
            {
                chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
                await ben.SeesAsync(chat.Id);
            }

            var mortal = new MortalStore(memory);
            var dying = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, mortal), Cancellation);
            await dying.OnlineAsync(Cancellation);
            mortal.DiesAt = mortal.Writes + diesAt;
            mortal.LastOneHappens = diesAt % 2 == 0;
            var receiving = TakeUntilDeathAsync(dying, Messages);
            for (var i = 0; i < Messages; i++)
            {
                await chat.SendTextAsync($"{i}", Cancellation);
            }

            var first = await receiving;
            deaths += mortal.IsDead ? 1 : 0;
            await dying.DisposeAsync();
            await using var again = await SdkPerson.OpenAsync(server.Address, memory, handle);
            await chat.SendTextAsync("the end", Cancellation);
            await again.ReadsAsync("the end");

            // Only the one that it had in its hands may come twice, and says so.
            var second = again.Items.Items.OfType<TextMessage>()
                .Where(message => message.Conversation == chat.Id)
                .ToList();
            Assert.All(
                second.Where(one => first.Contains(one.Text)),
                one => Assert.Equal((first[^1], true), (one.Text, one.IsRepeated)));
            Assert.Equal(
                [.. Enumerable.Range(0, Messages).Select(i => $"{i}"), "the end"],
                first.Concat(second.Select(one => one.Text).Except(first)));
            Assert.Equal(second.Count, second.DistinctBy(one => one.Text).Count());
            Assert.DoesNotContain(again.Items.Items, item => item is Unreadable);
        }

        Assert.True(deaths >= Messages, $"There were only {deaths} writes to die at.");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_loop_goes_on_where_the_one_before_it_stopped()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        var memory = new MemoryStore();
        var handle = SdkPerson.NewHandle();
        await using (var ben = await SdkPerson.OpenAsync(server.Address, memory, handle, receives: false))
        {
            var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
            await ben.SeesAsync(chat.Id);
            foreach (var text in new[] { "one", "two", "three" })
            {
                await chat.SendTextAsync(text, Cancellation);
            }

            Assert.IsType<ConversationStarted>(await ben.NextAsync());
            var one = Assert.IsType<TextMessage>(await ben.NextAsync());
            Assert.Equal("one", one.Text);
            await ben.Device.AcknowledgeAsync(one, Cancellation);
            Assert.Equal("two", Assert.IsType<TextMessage>(await ben.NextAsync()).Text);

            var reading = ben.Device.ReceiveAsync(Cancellation).GetAsyncEnumerator(Cancellation);
            Assert.True(await reading.MoveNextAsync());
            await Assert.ThrowsAsync<InvalidOperationException>(() => ben.NextAsync());
            await reading.DisposeAsync();
        }

        // The last one was in its hands when the program ended.
        await using var again = await SdkPerson.OpenAsync(server.Address, memory, handle, receives: false);
        var repeated = Assert.IsType<TextMessage>(await again.NextAsync());
        Assert.Equal(("three", true), (repeated.Text, repeated.IsRepeated));
        Assert.Equal(repeated.ReplyId("x"), (repeated with { IsRepeated = false }).ReplyId("x"));
        Assert.NotEqual(repeated.ReplyId("x"), repeated.ReplyId("y"));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_card_of_a_program_that_dies_is_posted_once()
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        for (var diesAt = 1; diesAt <= 3; diesAt++)
        {
            var (memory, handle, chat) = await SdkPerson.LeaveChatAsync(ben);
            var card = new CardOptions { Id = new(TestGroup.NewClientId().Value) };
            var money = Money.Of(250, AssetCode.Parse("EUR"));
            var mortal = new MortalStore(memory);
            var dying = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, mortal), Cancellation);
            await dying.OnlineAsync(Cancellation);
            mortal.DiesAt = mortal.Writes + diesAt;
            mortal.LastOneHappens = true;
            await Record.ExceptionAsync(
                () => dying.Conversation(chat).SendMoneyAsync(ben.Id, money, "once", card, Cancellation));
            if (!mortal.IsDead)
            {
                // Where the log was as fast as the answer there was one write less.
                await Record.ExceptionAsync(() => dying.Conversation(chat).SendTextAsync("and more", Cancellation));
            }

            Assert.True(mortal.IsDead, $"It lives on after write {diesAt}.");
            await dying.DisposeAsync();

            await using var again = await SdkPerson.OpenAsync(server.Address, memory, handle);
            var posted = await again.Device.Conversation(chat).SendMoneyAsync(
                ben.Id, money, "once", card, Cancellation);
            Assert.Equal((CardState.Held, "once"), (posted.State, posted.Memo));
            var balance = Assert.Single(await again.Device.BalancesAsync(Cancellation));
            Assert.Equal(250, balance.Held.Amount.Value);
            await ben.Items.FirstAsync(
                item => item is CardPosted { Card.Trust: CardTrust.Verified } seen && seen.Card.Id == posted.Id);
        }
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_creator_that_dies_at_any_write_has_the_conversation_or_makes_it_when_it_goes_on()
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        for (var diesAt = 1; diesAt <= 4; diesAt++)
        {
            var memory = new MemoryStore();
            var handle = SdkPerson.NewHandle();
            await (await SdkPerson.OpenAsync(server.Address, memory, handle)).DisposeAsync();
            var mortal = new MortalStore(memory);
            var dying = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, mortal), Cancellation);
            await dying.OnlineAsync(Cancellation);
            mortal.DiesAt = mortal.Writes + diesAt;
            mortal.LastOneHappens = diesAt % 2 == 1;
            await Record.ExceptionAsync(() => dying.StartDirectAsync(ben.Id, Cancellation));
            Assert.True(mortal.IsDead, $"It lives on after write {diesAt}.");
            await dying.DisposeAsync();

            await using var again = await SdkPerson.OpenAsync(server.Address, memory, handle);
            var chat = await again.Device.StartDirectAsync(ben.Id, Cancellation);
            await chat.SendTextAsync($"after {diesAt}", Cancellation);
            await ben.ReadsAsync($"after {diesAt}");
            Assert.Single(again.Device.Conversations);
        }
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_store_that_fails_ends_the_device_and_whoever_waits_is_told()
    {
        var mortal = new MortalStore(new MemoryStore());
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, mortal), Cancellation);
        await ben.SignUpAsync(SdkPerson.NewHandle(), "Ben", Person.Password, Cancellation);
        await ben.OnlineAsync(Cancellation);
        var chat = await ben.StartDirectAsync(ada.Id, Cancellation);
        var card = await chat.RequestMoneyAsync(ada.Id, Money.Of(1, AssetCode.Parse("EUR")), "", Cancellation);
        Task[] waits =
        [
            ReadToEndAsync(ben.ReceiveAsync(Cancellation)),
            ReadToEndAsync(ben.WatchCardAsync(card.Id, Cancellation)),
            ben.CompletionAsync(Cancellation),
        ];

        mortal.DiesAt = mortal.Writes + 1;
        Assert.Equal(ClientErrors.StoreFailed, await NameAsync(chat.SendTextAsync("one", Cancellation)));
        foreach (var wait in waits)
        {
            Assert.Equal(ClientErrors.StoreFailed, await NameAsync(wait));
        }

        Assert.Equal(ClientErrors.StoreFailed, await NameAsync(chat.SendTextAsync("two", Cancellation)));
        Assert.Equal(ClientErrors.StoreFailed, await NameAsync(ReadToEndAsync(chat.HistoryAsync(null, Cancellation))));
    }

    private static async Task<string> NameAsync(Task call) =>
        (await Assert.ThrowsAsync<ChatPayException>(() => call.WaitAsync(TimeSpan.FromSeconds(30), Cancellation))).Name;

    private static async Task ReadToEndAsync<T>(IAsyncEnumerable<T> all)
    {
        await foreach (var one in all)
        {
            Assert.NotNull(one);
        }
    }

    /// <returns>Whether it died before everything was said.</returns>
    private async Task<bool> SendUntilDeathAsync(
        MemoryStore memory, string handle, ConversationId chat, ClientMessageId[] ids, int diesAt,
        bool lastOneHappens)
    {
        var mortal = new MortalStore(memory);
        var device = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, mortal), Cancellation);
        Assert.Equal(handle, device.Account.Handle);
        await device.OnlineAsync(Cancellation);
        (mortal.DiesAt, mortal.LastOneHappens) = (mortal.Writes + diesAt, lastOneHappens);
        for (var i = 0; i < ids.Length && !mortal.IsDead; i++)
        {
            var failure = await Record.ExceptionAsync(
                () => device.Conversation(chat).SendTextAsync($"{i}", ids[i], Cancellation));
            Assert.True(failure is null or ChatPayException, failure?.ToString());
        }

        var died = mortal.IsDead;
        await device.DisposeAsync();
        return died;
    }

    /// <returns>What it has had in its hands.</returns>
    private static async Task<List<string>> TakeUntilDeathAsync(ChatPayDevice device, int messages)
    {
        var received = new List<string>();
        try
        {
            await foreach (var item in device.ReceiveAsync(Cancellation))
            {
                if (item is TextMessage message)
                {
                    received.Add(message.Text);
                }

                if (received.Count == messages)
                {
                    await device.AcknowledgeAsync(item, Cancellation);
                    break;
                }
            }
        }
        catch (ChatPayException died) when (died.Name == ClientErrors.StoreFailed)
        {
            // What it has not taken is there the next time.
        }

        return received;
    }
}

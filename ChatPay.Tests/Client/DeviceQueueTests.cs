using System.Text;
using System.Text.Json.Nodes;
using ChatPay.Client;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>What waits in a device, to be sent or to be taken: it is bounded, and nobody waits for ever.</summary>
public sealed class DeviceQueueTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_program_that_acts_while_it_receives_does_not_wait_for_itself()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var chiara = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.OpenAsync(
            server.Address, new MemoryStore(), SdkPerson.NewHandle(), options => options with { MaxWaitingItems = 1 },
            receives: false);
        var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
        await ben.SeesAsync(group.Id);
        for (var i = 0; i < 5; i++)
        {
            await group.SendTextAsync($"{i}", Cancellation);
        }

        await using (var items = ben.Device.ReceiveAsync(Cancellation).GetAsyncEnumerator(Cancellation))
        {
            Assert.True(await items.MoveNextAsync());
            await ben.Device.Conversation(group.Id).InviteAsync([chiara.Id], Cancellation)
                .WaitAsync(s_deadline, Cancellation);
        }

        ben.Receive();
        await ben.ReadsAsync("4");
        Assert.Equal(["0", "1", "2", "3", "4"], ben.Texts(group.Id));
        await chiara.SeesAsync(group.Id);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_waits_to_be_sent_is_bounded_and_whoever_joins_one_that_is_withdrawn_sends_it()
    {
        const int PerWrite = 32;
        await using var process = new ServerProcess();
        await process.StartAsync();
        await using var ada = await SdkPerson.JoinAsync(process.Address);
        await using var ben = await SdkPerson.JoinAsync(process.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        await process.KillAsync();

        // Behind so many that nothing of it is stored yet.
        var ahead = Enumerable.Range(0, 2 * PerWrite).Select(i => chat.SendTextAsync($"{i}", Cancellation)).ToList();
        var id = TestGroup.NewClientId();
        using var giveUp = new CancellationTokenSource();
        var first = chat.SendTextAsync("once", id, giveUp.Token);
        var second = chat.SendTextAsync("once", id, Cancellation);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        using var leave = new CancellationTokenSource();
        var rest = Enumerable.Range(0, 10_000 - (2 * PerWrite) - 1)
            .Select(_ => chat.SendTextAsync("never", leave.Token)).ToList();
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => chat.SendTextAsync("one too many", Cancellation));
        Assert.Equal(ErrorCode.Overloaded, refused.Code);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(rest));

        await process.StartAsync(process.Address.Port);
        await Task.WhenAll(ahead).WaitAsync(s_deadline, Cancellation);
        await second.WaitAsync(s_deadline, Cancellation);
        await chat.SendTextAsync("the end", Cancellation);
        await ben.ReadsAsync("the end");
        Assert.Equal([.. Enumerable.Range(0, 2 * PerWrite).Select(i => $"{i}"), "once", "the end"], ben.Texts(chat.Id));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_card_from_a_while_ago_is_only_given_up_when_the_log_does_not_tell_of_it()
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var (memory, chat) = await DieBehindAsync(ben, async (conversation, to) =>
            await conversation.SendMoneyAsync(to, Money.Of(250, AssetCode.Parse("EUR")), "once", Cancellation));
        await AgeAsync(memory, TimeSpan.FromHours(2));

        // One item waits already, and nobody takes it.
        var options = SdkPerson.Options(server.Address, memory) with { MaxWaitingItems = 1 };
        await using var again = await ChatPayDevice.OpenAsync(options, Cancellation);
        await again.Conversation(chat).SendTextAsync("the end", Cancellation);
        await again.OnlineAsync(Cancellation);
        await ben.ReadsAsync("the end");
        Assert.Equal(250, Assert.Single(await again.BalancesAsync(Cancellation)).Held.Amount.Value);
        Assert.Empty(await memory.ListAsync(new("outbox/"), Cancellation));
        Assert.DoesNotContain(
            await memory.ListAsync(new("arrived/"), Cancellation),
            entry => JsonNode.Parse(entry.Value)!.ToJsonString().Contains("outcome_unknown", StringComparison.Ordinal));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Who_waits_behind_something_old_is_told_when_the_session_is_over_before_the_log_was_read()
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var (memory, chat) = await DieBehindAsync(
            ben, (conversation, _) => conversation.SendTextAsync("old", Cancellation), signsOut: true);
        await AgeAsync(memory, TimeSpan.FromDays(40));
        await using var again = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, memory), Cancellation);
        var over = await Assert.ThrowsAsync<ChatPayException>(
            () => again.Conversation(chat).SendTextAsync("new", Cancellation).WaitAsync(s_deadline, Cancellation));
        Assert.Equal(ClientErrors.SessionEnded, over.Name);
        Assert.Equal(2, (await memory.ListAsync(new("outbox/"), Cancellation)).Count);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_record_that_cannot_be_read_is_the_stores_failure()
    {
        var memory = new MemoryStore();
        await using (await SdkPerson.OpenAsync(server.Address, memory, SdkPerson.NewHandle(), receives: false))
        {
            await memory.WriteAsync([new($"arrived/{1:D19}", "no item"u8.ToArray())], Cancellation);
        }

        var options = SdkPerson.Options(server.Address, memory);
        await using (var device = await ChatPayDevice.OpenAsync(options, Cancellation))
        {
            await using var items = device.ReceiveAsync(Cancellation).GetAsyncEnumerator(Cancellation);
            var unreadable = await Assert.ThrowsAsync<ChatPayException>(() => items.MoveNextAsync().AsTask());
            Assert.Equal(ClientErrors.StoreFailed, unreadable.Name);
        }

        var strange = new WatchedStore(memory) { Giving = _ => throw new NotSupportedException("Another library's.") };
        var failed = await Assert.ThrowsAsync<ChatPayException>(
            () => ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, strange), Cancellation));
        Assert.Equal(ClientErrors.StoreFailed, failed.Name);
        await memory.WriteAsync([new("device/key", null)], Cancellation);
        var missing = await Assert.ThrowsAsync<ChatPayException>(
            () => ChatPayDevice.OpenAsync(options, Cancellation));
        Assert.Equal(ClientErrors.StoreFailed, missing.Name);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_store_that_fails_when_an_item_is_taken_ends_the_device_and_the_item_comes_again()
    {
        var (memory, handle) = (new MemoryStore(), SdkPerson.NewHandle());
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        var store = new WatchedStore(memory);
        ChatConversation chat;
        await using (var ben = await SdkPerson.OpenAsync(server.Address, store, handle, receives: false))
        {
            chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
            await ben.SeesAsync(chat.Id);
            var item = await ben.NextAsync();

            // Whatever else the device writes at that moment fails too.
            store.Writing = static _ => Task.FromException(new IOException("For the moment."));
            var failed = await Assert.ThrowsAsync<ChatPayException>(
                () => ben.Device.AcknowledgeAsync(item, Cancellation));
            Assert.Equal(ClientErrors.StoreFailed, failed.Name);
            store.Writing = null;
            failed = await Assert.ThrowsAsync<ChatPayException>(
                () => ben.Device.Conversation(chat.Id).SendTextAsync("as if nothing were", Cancellation));
            Assert.Equal(ClientErrors.StoreFailed, failed.Name);
        }

        await using var again = await SdkPerson.OpenAsync(server.Address, memory, handle, receives: false);
        Assert.True(Assert.IsType<ConversationStarted>(await again.NextAsync()).IsRepeated);
        await chat.SendTextAsync("next", Cancellation);
        var next = Assert.IsType<TextMessage>(await again.NextAsync());
        Assert.Equal(("next", false), (next.Text, next.IsRepeated));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_gets_online_though_nobody_receives_and_more_waits_than_it_may_hold()
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var (memory, handle, chat) = await SdkPerson.LeaveChatAsync(ben);
        var his = ben.Device.Conversation(chat);
        string[] texts = [.. Enumerable.Range(0, 150).Select(i => $"{i}")];
        await his.SendTextAsync(texts[0], Cancellation);
        var options = SdkPerson.Options(server.Address, memory) with { MaxWaitingItems = 1 };
        await using (var device = await ChatPayDevice.OpenAsync(options, Cancellation))
        {
            await device.OnlineAsync(Cancellation);
        }

        await Task.WhenAll(texts[1..].Select(text => his.SendTextAsync(text, Cancellation)));
        Assert.Single(await memory.ListAsync(new("arrived/"), Cancellation));
        await using (var device = await ChatPayDevice.OpenAsync(options, Cancellation))
        {
            await device.OnlineAsync(Cancellation).WaitAsync(s_deadline, Cancellation);
        }

        await using var ada = await SdkPerson.OpenAsync(server.Address, memory, handle);
        await his.SendTextAsync("the end", Cancellation);
        await ada.ReadsAsync("the end");
        Assert.Equal([.. texts, "the end"], ada.Texts(chat));
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task What_the_server_fails_at_is_tried_again_and_given_up_with_its_code_and_the_next_goes(
        bool isCommit, bool isAccepted)
    {
        var fault = new HubFault();
        await using var failing = await TestServer.StartAsync(server.ConnectionString, configure: fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(failing.Address);
        await using var ben = await SdkPerson.JoinAsync(failing.Address);
        await using var chiara = await SdkPerson.JoinAsync(failing.Address);
        var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
        await ben.SeesAsync(group.Id);
        var id = TestGroup.NewClientId();
        var bodies = new List<string>();
        fault.Around = async (call, carryOut) =>
        {
            var body = call.HubMethodArguments[0] switch
            {
                SendRequest send when send.ClientId == id => send.Body,
                CommitRequest commit when isCommit => commit.Commit,
                _ => null,
            };
            if (body is null || (isAccepted && bodies.Count == 3))
            {
                return await carryOut();
            }

            bodies.Add(Convert.ToHexString(body));
            if (isAccepted)
            {
                await carryOut();
            }

            throw new InvalidOperationException("A mistake of the server's.");
        };

        Task call = isCommit
            ? group.InviteAsync([chiara.Id], Cancellation) : group.SendTextAsync("perhaps", id, Cancellation);
        var next = group.SendTextAsync("next", Cancellation);
        var refused = await Record.ExceptionAsync(() => call.WaitAsync(s_deadline, Cancellation));
        await next.WaitAsync(s_deadline, Cancellation);
        fault.Around = null;
        await group.SendTextAsync("the end", Cancellation);
        await ben.ReadsAsync("the end");

        // The same bytes every time, so that the server knows them again.
        Assert.Single(bodies.Distinct(StringComparer.Ordinal));
        Assert.Equal(isAccepted ? null : ErrorCode.Internal, (refused as ChatPayException)?.Code);
        Assert.InRange(bodies.Count, isAccepted && isCommit ? 1 : 3, 10);
        Assert.Equal(
            !isCommit && isAccepted ? ["perhaps", "next", "the end"] : ["next", "the end"], ben.Texts(group.Id));
        Assert.Equal(isCommit && isAccepted, group.Members.Any(member => member.Account == chiara.Id));
        Assert.DoesNotContain(ben.Items.Items, item => item is Unreadable);
    }

    /// <summary>
    /// Something has been accepted, but the program died before it could write that down; somebody else has read it.
    /// </summary>
    private async Task<(MemoryStore Store, ConversationId Chat)> DieBehindAsync(
        SdkPerson ben, Func<ChatConversation, AccountId, Task> send, bool signsOut = false)
    {
        var (memory, _, chat) = await SdkPerson.LeaveChatAsync(ben);
        var isDead = false;
        var mortal = new WatchedStore(memory)
        {
            Writing = changes =>
            {
                isDead |= changes.Any(static change =>
                    change.Value is null && change.Key.StartsWith("outbox/", StringComparison.Ordinal));
                return isDead ? Task.FromException(new IOException("The program has died.")) : Task.CompletedTask;
            },
        };
        await using var dying = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, mortal), Cancellation);
        await dying.OnlineAsync(Cancellation);
        await ben.Device.Conversation(chat).SendTextAsync("before", Cancellation);
        await Eventually.TrueAsync(
            async () => (await memory.ListAsync(new("arrived/"), Cancellation)).Count == 1, "an item waits");
        await Record.ExceptionAsync(() => send(dying.Conversation(chat), ben.Id));
        Assert.True(isDead);
        if (signsOut)
        {
            await dying.Client.SignOutAsync(Cancellation);
        }

        await ben.Items.FirstAsync(item => item.Conversation == chat && item is CardPosted or TextMessage);
        Assert.Single(await memory.ListAsync(new("outbox/"), Cancellation));
        return (memory, chat);
    }

    /// <summary>As if what waits to be sent had been given so long ago.</summary>
    private static async Task AgeAsync(MemoryStore memory, TimeSpan age)
    {
        var (key, value) = Assert.Single(await memory.ListAsync(new("outbox/"), Cancellation));
        var record = JsonNode.Parse(value)!;
        record["at"] = record["at"]!.GetValue<DateTimeOffset>() - age;
        await memory.WriteAsync([new(key, Encoding.UTF8.GetBytes(record.ToJsonString()))], Cancellation);
    }
}

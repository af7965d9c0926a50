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

        await using var again = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, memory), Cancellation);
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

        await memory.WriteAsync([new("device/key", null)], Cancellation);
        var missing = await Assert.ThrowsAsync<ChatPayException>(
            () => ChatPayDevice.OpenAsync(options, Cancellation));
        Assert.Equal(ClientErrors.StoreFailed, missing.Name);
    }

    /// <summary>
    /// Something has been accepted, but the program died before it could write that down; somebody else has read it.
    /// </summary>
    private async Task<(MemoryStore Store, ConversationId Chat)> DieBehindAsync(
        SdkPerson ben, Func<ChatConversation, AccountId, Task> send, bool signsOut = false)
    {
        var memory = new MemoryStore();
        var handle = SdkPerson.NewHandle();
        ConversationId chat;
        await using (var ada = await SdkPerson.OpenAsync(server.Address, memory, handle))
        {
            chat = (await ada.Device.StartDirectAsync(ben.Id, Cancellation)).Id;
            await ben.SeesAsync(chat);
        }

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

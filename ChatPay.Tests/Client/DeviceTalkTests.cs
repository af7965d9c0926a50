using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Devices of the SDK that talk to each other through the real server, end-to-end encrypted.</summary>
public sealed class DeviceTalkTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Two_devices_talk_both_ways()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();

        var found = await ada.Device.FindAccountAsync(ben.Handle, Cancellation);
        var chat = await ada.Device.StartDirectAsync(found.Id, Cancellation);
        var sent = await chat.SendTextAsync("Hello Ben", Cancellation);
        var started = (ConversationStarted)await ben.Items.FirstAsync(item => item is ConversationStarted);
        Assert.Equal((ada.Id, false, ConversationKind.Direct), (started.By!.Id, started.IsOwn, started.Kind));
        var read = await ben.ReadsAsync("Hello Ben");
        Assert.Equal((sent.Seq, sent.Id, ada.Id), (read.Seq, read.Id, read.By!.Id));

        var answer = await ben.Device.Conversation(chat.Id).SendTextAsync("Hello Ada ☕", Cancellation);
        Assert.Equal(answer.Seq, (await ada.ReadsAsync("Hello Ada ☕")).Seq);
        Assert.Equal(sent.Seq + 1, answer.Seq);

        // The same conversation again, from either side.
        Assert.Equal(chat.Id, (await ada.Device.StartDirectAsync(ben.Id, Cancellation)).Id);
        Assert.Equal(chat.Id, (await ben.Device.StartDirectAsync(ada.Id, Cancellation)).Id);
        Assert.Equal(["Hello Ada ☕", "Hello Ben"], await HistoryAsync(chat));
        Assert.Equal(["Hello Ada ☕", "Hello Ben"], await HistoryAsync(ben.Device.Conversation(chat.Id)));
        Assert.DoesNotContain("Hello", server.Server.Log, StringComparison.Ordinal);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Three_people_in_a_group_come_and_go()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        await using var chiara = await JoinAsync();

        var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
        await group.SendTextAsync("just us two", Cancellation);
        await ben.ReadsAsync("just us two");
        await group.InviteAsync([chiara.Id], Cancellation);
        await group.SendTextAsync("all three", Cancellation);
        await ben.ReadsAsync("all three");
        await chiara.ReadsAsync("all three");
        var hers = chiara.Device.Conversation(group.Id);
        await Eventually.TrueAsync(() => Task.FromResult(hers.Name == "Lunch"), "the name was said again");
        await hers.SendTextAsync("I am here too", Cancellation);
        await ada.ReadsAsync("I am here too");
        await ben.ReadsAsync("I am here too");
        var added = (MembersChanged)await ben.Items.FirstAsync(item => item is MembersChanged { Added.Count: > 0 });
        Assert.Equal((chiara.Id, ada.Id), (Assert.Single(added.Added).Id, added.By!.Id));

        await ben.Device.Conversation(group.Id).RenameAsync("Late lunch", Cancellation);
        var renamed = (GroupRenamed)await chiara.Items.FirstAsync(item => item is GroupRenamed);
        Assert.Equal(("Late lunch", "Lunch"), (renamed.Name, renamed.Before));

        await group.RemoveAsync(chiara.Id, Cancellation);
        await group.SendTextAsync("two again", Cancellation);
        await ben.ReadsAsync("two again");
        await chiara.Items.FirstAsync(item => item is MembersChanged { Removed.Count: > 0 });
        Assert.False(hers.IsActive);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => hers.SendTextAsync("hello?", Cancellation));
        Assert.Equal(ErrorCode.NotMember, refused.Code);
        Assert.Equal(["all three"], chiara.Texts(group.Id));

        // Whoever leaves loses the keys by the next commit of somebody who stays.
        await ben.Device.Conversation(group.Id).LeaveAsync(Cancellation);
        await ada.Items.FirstAsync(item => item is MembersChanged { Left.Count: > 0 });
        await ada.Items.FirstAsync(
            item => item is MembersChanged { DevicesRemoved.Count: > 0 } || group.Members.Count == 1);
        await group.SendTextAsync("alone", Cancellation);
        Assert.Equal(ada.Id, Assert.Single(group.Members).Account);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Whoever_comes_back_to_a_group_starts_in_it_anew()
    {
        var memory = new MemoryStore();
        var handle = SdkPerson.NewHandle();
        await using var ada = await JoinAsync();
        await using var chiara = await JoinAsync();
        ChatConversation group;
        await using (var first = await SdkPerson.OpenAsync(server.Address, memory, handle, receives: false))
        {
            group = await ada.Device.CreateGroupAsync("Lunch", [chiara.Id, first.Id], Cancellation);
            await first.SeesAsync(group.Id);
        }

        await using var ben = await SdkPerson.OpenAsync(server.Address, memory, handle);
        await using var adasPhone = await ada.OnAnotherDeviceAsync();
        await adasPhone.SeesAsync(group.Id);
        for (var times = 1; times <= 3; times++)
        {
            await ben.Items.UntilAsync(items => items.OfType<ConversationStarted>().Count() == times);
            var started = ben.Items.Items.OfType<ConversationStarted>().Last();
            Assert.Equal((group.Id, ada.Id), (started.Conversation, started.By!.Id));
            Assert.Equal(
                new HashSet<AccountId> { ada.Id, ben.Id, chiara.Id },
                started.Members.Select(member => member.Account).ToHashSet());
            await ben.Device.Conversation(group.Id).SendTextAsync($"I am here {times}", Cancellation);
            await ada.ReadsAsync($"I am here {times}");
            await adasPhone.ReadsAsync($"I am here {times}");
            await group.RemoveAsync(ben.Id, Cancellation);
            if (times != 2)
            {
                // Without it one event follows the other in Ben's log.
                await group.SendTextAsync($"not for Ben {times}", Cancellation);
            }

            await group.InviteAsync([ben.Id], Cancellation);
            await group.SendTextAsync($"for all {times}", Cancellation);
            await ben.ReadsAsync($"for all {times}");
        }

        Assert.Equal(["for all 1", "for all 2", "for all 3"], ben.Texts(group.Id));
        Assert.DoesNotContain(ben.Items.Items, item => item is Unreadable);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_second_device_joins_and_reads_from_then_on()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
        await group.SendTextAsync("before", Cancellation);
        await ben.ReadsAsync("before");

        await using var phone = await ada.OnAnotherDeviceAsync();
        var onPhone = await phone.SeesAsync(group.Id);
        await Eventually.TrueAsync(() => Task.FromResult(onPhone.Name == "Lunch"), "the name was said again");
        await onPhone.SendTextAsync("from my phone", Cancellation);
        Assert.True((await ada.ReadsAsync("from my phone")).IsOwn);
        await ben.ReadsAsync("from my phone");
        await ben.Device.Conversation(group.Id).SendTextAsync("to both", Cancellation);
        await ada.ReadsAsync("to both");
        await phone.ReadsAsync("to both");
        Assert.Equal(["to both"], phone.Texts(group.Id));

        // A conversation that begins now has both of them from its first message.
        var direct = await ben.Device.StartDirectAsync(ada.Id, Cancellation);
        await direct.SendTextAsync("hello twice", Cancellation);
        await ada.ReadsAsync("hello twice");
        await phone.ReadsAsync("hello twice");

        // A revoked device's leaf is removed, and it reads nothing more.
        await ada.Device.RevokeAsync(phone.Device.Id, Cancellation);
        Assert.Equal(ChatSessionEnd.Revoked, await phone.Device.CompletionAsync(Cancellation));
        await ben.Items.FirstAsync(
            item => item is MembersChanged change && change.DevicesRemoved.Contains(phone.Device.Id));
        await group.SendTextAsync("without the phone", Cancellation);
        await ben.ReadsAsync("without the phone");
        var over = await Assert.ThrowsAsync<ChatPayException>(() => onPhone.SendTextAsync("hello?", Cancellation));
        Assert.Equal(ClientErrors.SessionEnded, over.Name);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Marks_and_typing_are_seen_by_the_others()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var sent = await chat.SendTextAsync("Read this", Cancellation);
        var received = await ben.ReadsAsync("Read this");

        await ada.Signals.FirstAsync(signal => signal is ReceiptSignal { Receipt: { } receipt }
            && receipt.Account == ben.Id && receipt.Delivered >= sent.Seq);
        var his = ben.Device.Conversation(chat.Id);
        await his.MarkReadAsync(received.Seq, Cancellation);
        await ada.Signals.FirstAsync(signal => signal is ReceiptSignal { Receipt: { } receipt }
            && receipt.Account == ben.Id && receipt.Read == sent.Seq);
        Assert.Equal(sent.Seq, his.ReadSeq);
        Assert.Contains(chat.Receipts, receipt => receipt.Account == ben.Id && receipt.Read == sent.Seq);

        await his.TypingAsync(true, Cancellation);
        var typing = (TypingSignal)await ada.Signals.FirstAsync(signal => signal is TypingSignal);
        Assert.Equal((ben.Id, true), (typing.Account, typing.Active));
        Assert.True(Assert.Single(await ada.Device.WatchPresenceAsync([ben.Id], Cancellation)).Online);

        // What is read on one device is unread on none.
        await using var tablet = await ben.OnAnotherDeviceAsync();
        var onTablet = await tablet.SeesAsync(chat.Id);
        var last = await chat.SendTextAsync("And this", Cancellation);
        await tablet.ReadsAsync("And this");
        await his.MarkReadAsync((await ben.ReadsAsync("And this")).Seq, Cancellation);
        await Eventually.TrueAsync(() => Task.FromResult(onTablet.ReadSeq == last.Seq), "it is read on the tablet");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_hundred_messages_at_once_keep_their_order_and_come_once()
    {
        const int Messages = 100;
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);

        var his = ben.Device.Conversation(chat.Id);
        var sent = await Task.WhenAll(Enumerable.Range(0, Messages)
            .Select(i => chat.SendTextAsync($"{i}", Cancellation))
            .Concat([his.SendTextAsync("in between", Cancellation)]));

        await ben.ReadsAsync($"{Messages - 1}");
        await ada.ReadsAsync("in between");
        Assert.Equal(Enumerable.Range(0, Messages).Select(i => $"{i}"), ben.Texts(chat.Id));
        Assert.Equal(sent.Take(Messages).Select(one => one.Seq).Order(), sent.Take(Messages).Select(one => one.Seq));
        Assert.Equal(
            Enumerable.Range(0, Messages).Select(i => $"{i}").Reverse(),
            (await HistoryAsync(chat)).Where(text => text != "in between"));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task The_same_id_says_it_once()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var id = new ClientMessageId(chat.Id.Value);
        var first = chat.SendTextAsync("once", id, Cancellation);
        var second = chat.SendTextAsync("once", id, Cancellation);
        Assert.Equal(await first, await second);

        // Where the log is faster than the server's refusal, it tells the place.
        Assert.Contains((await chat.SendTextAsync("once", id, Cancellation)).Seq, new[] { 0, (await first).Seq });
        await chat.SendTextAsync("the end", Cancellation);
        await ben.ReadsAsync("the end");
        Assert.Equal(["once", "the end"], ben.Texts(chat.Id));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_cannot_be_said_is_refused_with_the_catalogues_code()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var tooLong = await Assert.ThrowsAsync<ChatPayException>(
            () => chat.SendTextAsync(new string('x', Limits.TextMaxChars + 1), Cancellation));
        Assert.Equal(ErrorCode.BodyTooLarge, tooLong.Code);
        await using var third = await JoinAsync();
        var direct = await Assert.ThrowsAsync<ChatPayException>(() => chat.InviteAsync([third.Id], Cancellation));
        Assert.Equal(ErrorCode.DirectConversation, direct.Code);
        var unknown = await Assert.ThrowsAsync<ChatPayException>(
            () => ada.Device.FindAccountAsync("nobody_of_that_name", Cancellation));
        Assert.Equal(ErrorCode.AccountUnknown, unknown.Code);
        await Assert.ThrowsAsync<ArgumentException>(() => chat.SendTextAsync("", Cancellation));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => chat.SendTextAsync("never", new CancellationToken(canceled: true)));
        await chat.SendTextAsync("still works", Cancellation);
        await ben.ReadsAsync("still works");
        Assert.Equal(["still works"], ben.Texts(chat.Id));
    }

    private static async Task<IReadOnlyList<string>> HistoryAsync(ChatConversation conversation)
    {
        var texts = new List<string>();
        await foreach (var item in conversation.HistoryAsync(null, Cancellation))
        {
            if (item is TextMessage message)
            {
                texts.Add(message.Text);
            }
        }

        return texts;
    }

    private Task<SdkPerson> JoinAsync() => SdkPerson.JoinAsync(server.Address);
}

using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Devices that sign in and out, and sessions that end in the middle of something.</summary>
public sealed class DeviceSessionTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_conversation_of_an_earlier_device_is_of_no_use_to_the_next_one()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var held = await ben.SeesAsync(chat.Id);
        await held.SendTextAsync("from the first device", Cancellation);
        await using var other = await ben.OnAnotherDeviceAsync();
        await other.Device.RevokeAsync(ben.Device.Id, Cancellation);
        await ben.Device.CompletionAsync(Cancellation);
        await ben.SignInAgainAsync(other);
        var fresh = await ben.SeesAsync(chat.Id);
        await fresh.SendTextAsync("from the second device", Cancellation);

        Assert.False(held.IsActive);
        Assert.False(held.IsReadable);
        foreach (var call in new[]
        {
            held.SendTextAsync("with the keys of the second", Cancellation),
            held.LeaveAsync(Cancellation),
        })
        {
            var refused = await Assert.ThrowsAsync<ChatPayException>(() => call);
            Assert.Equal(ClientErrors.NotReady, refused.Name);
        }

        await fresh.SendTextAsync("the end", Cancellation);
        await ada.ReadsAsync("the end");
        Assert.Equal(["from the first device", "from the second device", "the end"], ada.Texts(chat.Id));
        Assert.DoesNotContain(ada.Items.Items, item => item is Unreadable);
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task What_may_have_been_accepted_when_the_session_ended_goes_on_with_the_next(
        bool isCommit, bool isAccepted)
    {
        var fault = new HubFault();
        await using var strict = await StrictAsync(fault);
        await using var ada = await SdkPerson.JoinAsync(strict.Address);
        await using var ben = await SdkPerson.JoinAsync(strict.Address);
        await using var chiara = await SdkPerson.JoinAsync(strict.Address);
        var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
        await ben.SeesAsync(group.Id);
        var device = ada.Device.Id;
        var method = isCommit ? nameof(IChatHub.SubmitCommit) : nameof(IChatHub.Send);
        fault.Around = async (call, carryOut) =>
        {
            if (call.HubMethodName != method)
            {
                return await carryOut();
            }

            fault.Around = null;
            var answer = isAccepted ? await carryOut() : null;
            await EndSessionsAsync(device);
            call.Context.Abort();
            return answer;
        };

        // Where it was accepted the log may be faster than the end.
        var over = await Record.ExceptionAsync(() => isCommit
            ? group.InviteAsync([chiara.Id], Cancellation) : group.SendTextAsync("kept", Cancellation));
        Assert.True(
            over is ChatPayException { Name: ClientErrors.SessionEnded } or ChatPayException
            {
                Code: ErrorCode.Unauthenticated,
            } || (isAccepted && over is null),
            $"{over}");
        await ada.SignInAgainAsync();
        Assert.Equal(device, ada.Device.Id);
        await group.SendTextAsync("after", Cancellation);
        await ben.ReadsAsync("after");
        Assert.Equal(isCommit ? ["after"] : ["kept", "after"], ben.Texts(group.Id));
        Assert.Equal(isCommit, group.Members.Any(member => member.Account == chiara.Id));
        Assert.Equal(isCommit ? 1 : 0, Additions(ben));
        Assert.DoesNotContain(
            ben.Items.Items, item => item is Unreadable or MembersChanged { DevicesRemoved.Count: > 0 });
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_waits_for_the_log_when_its_session_ends_is_told_and_nothing_is_done_twice(
        bool signsOut)
    {
        var fault = new HubFault();
        await using var strict = await StrictAsync(fault);
        var store = new WatchedStore(new MemoryStore());
        await using var ada = await SdkPerson.JoinAsync(strict.Address, store);
        await using var ben = await SdkPerson.JoinAsync(strict.Address);
        await using var chiara = await SdkPerson.JoinAsync(strict.Address);
        var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(group.Id);
        var his = await ben.SeesAsync(chat.Id);

        // The reader of the log gets stuck at something else before the commit is accepted, and so does not read of it.
        var (stuck, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var device = ada.Device.Id;
        store.Writing = async changes =>
        {
            if (changes.Any(change => change.Key == $"place/{chat.Id}"))
            {
                store.Writing = null;
                stuck.SetResult();
                await goOn.Task;
            }
        };
        fault.Around = async (call, carryOut) =>
        {
            if (call.HubMethodName == nameof(IChatHub.SubmitCommit))
            {
                fault.Around = null;
                await his.SendTextAsync("in between", Cancellation);
                await stuck.Task;
            }

            return await carryOut();
        };
        var inviting = group.InviteAsync([chiara.Id], Cancellation);
        await chiara.SeesAsync(group.Id);

        // Answers come in order, so the commit's is there.
        await ada.Device.WatchPresenceAsync([], Cancellation);
        var ending = signsOut ? ada.Device.SignOutAsync(Cancellation) : EndAsync(strict, device);
        await Eventually.TrueAsync(
            async () => await Record.ExceptionAsync(() => ada.Device.WatchPresenceAsync([], Cancellation)) is not null,
            "the session is over");
        Assert.False(inviting.IsCompleted);
        goOn.SetResult();
        await ending;
        var over = await Assert.ThrowsAsync<ChatPayException>(() => inviting.WaitAsync(s_deadline, Cancellation));
        Assert.True(
            over.Name == ClientErrors.SessionEnded || (signsOut && over.Name == ClientErrors.NotReady), over.Name);

        await ada.SignInAgainAsync();
        Assert.Equal(signsOut, ada.Device.Id != device);
        var again = await ada.SeesAsync(group.Id);
        await again.InviteAsync([chiara.Id], Cancellation);
        await again.SendTextAsync("after", Cancellation);
        await chiara.ReadsAsync("after");
        await ben.ReadsAsync("after");
        Assert.Equal(1, Additions(ben));
        Assert.DoesNotContain(ben.Items.Items.Concat(chiara.Items.Items), item => item is Unreadable);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task An_item_of_an_earlier_device_acknowledges_nothing_of_the_next_one()
    {
        var (memory, handle) = (new MemoryStore(), SdkPerson.NewHandle());
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        ChatItem first;
        await using (var ben = await SdkPerson.OpenAsync(server.Address, memory, handle, receives: false))
        {
            var chat = (await ada.Device.StartDirectAsync(ben.Id, Cancellation)).Id;
            var earlier = await ben.NextAsync();
            await ben.Device.SignOutAsync(Cancellation);
            await ben.Device.SignInAsync(handle, Person.Password, Cancellation);
            await ben.EnterAccountAsync();
            await ben.SeesAsync(chat);
            await AcceptAsync(ada, ben);
            await ada.Device.Conversation(chat).SendTextAsync("hello again", Cancellation);
            first = await ben.NextAsync();
            Assert.False(first.IsRepeated);
            await ben.Device.AcknowledgeAsync(earlier, Cancellation);
        }

        // It was in the program's hands when that ended, so it comes again.
        await using var again = await SdkPerson.OpenAsync(server.Address, memory, handle, receives: false);
        var repeated = await again.NextAsync();
        Assert.Equal((first.Seq, true), (repeated.Seq, repeated.IsRepeated));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Of_private_keys_nothing_stays_in_the_memory_that_they_passed_through()
    {
        var keys = new List<StoreEntry>();
        var store = new WatchedStore(new MemoryStore())
        {
            Writing = changes =>
            {
                keys.AddRange(changes.Where(change => IsKey(change.Key) && change.Value is not null)
                    .Select(change => new StoreEntry(change.Key, change.Value!)));
                return Task.CompletedTask;
            },
            Giving = entry => keys.AddRange(IsKey(entry.Key) ? [entry] : []),
        };
        await using var device = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, store), Cancellation);
        await Assert.ThrowsAsync<ChatPayException>(
            () => device.SignUpAsync("No handle!", "Ada", Person.Password, Cancellation));
        AssertZero(atLeast: 1);
        var handle = SdkPerson.NewHandle();
        await device.SignUpAsync(handle, "Ada", Person.Password, Cancellation);
        AssertZero(atLeast: 5);
        await device.SignOutAsync(Cancellation);
        AssertZero(atLeast: 7);

        static bool IsKey(string key) => key is "device/key" or "device/storage";

        void AssertZero(int atLeast)
        {
            Assert.True(keys.Count >= atLeast, $"Keys were seen {keys.Count} times.");
            Assert.All(keys, key => Assert.True(!key.Value.AsSpan().ContainsAnyExcept((byte)0), key.Key));
        }
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Who_gives_up_signing_up_when_the_server_has_answered_is_signed_in_and_connected()
    {
        var store = new WatchedStore(new MemoryStore());
        await using var device = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, store), Cancellation);
        using var giveUp = new CancellationTokenSource();
        store.Writing = async changes =>
        {
            if (changes.Any(change => change is { Key: "device/me", Value: not null }))
            {
                store.Writing = null;
                await giveUp.CancelAsync();
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => device.SignUpAsync(SdkPerson.NewHandle(), "Ada", Person.Password, giveUp.Token));

        Assert.True(device.IsSignedIn);
        await device.OnlineAsync(Cancellation);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await (await device.StartDirectAsync(ben.Id, Cancellation)).SendTextAsync("I am here", Cancellation);
        await ben.ReadsAsync("I am here");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Signing_out_that_is_given_up_half_way_goes_to_its_end()
    {
        var memory = new MemoryStore();
        var store = new WatchedStore(memory);
        await using var ada = await SdkPerson.JoinAsync(server.Address, store);
        using var giveUp = new CancellationTokenSource();
        store.Writing = async changes =>
        {
            if (changes.Any(change => change is { Key: "device/me", Value: null }))
            {
                await giveUp.CancelAsync();
            }
        };
        await ada.Device.SignOutAsync(giveUp.Token);

        Assert.True(giveUp.IsCancellationRequested);
        Assert.False(ada.Device.IsSignedIn);
        Assert.Empty(await memory.ListAsync(new(""), Cancellation));
        await ada.Device.SignInAsync(ada.Handle, Person.Password, Cancellation);
        await ada.EnterAccountAsync();
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_loop_that_began_before_another_device_did_gets_nothing_of_it()
    {
        var handle = SdkPerson.NewHandle();
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.OpenAsync(server.Address, new MemoryStore(), handle, receives: false);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await chat.SendTextAsync("for the first device", Cancellation);
        await Eventually.TrueAsync(
            async () => (await ben.Store.ListAsync(new("arrived/"), Cancellation)).Count >= 2, "both items wait");
        await using (var items = ben.Device.ReceiveAsync(Cancellation).GetAsyncEnumerator(Cancellation))
        {
            Assert.True(await items.MoveNextAsync());
            await ben.Device.SignOutAsync(Cancellation);
            await ben.Device.SignInAsync(handle, Person.Password, Cancellation);
            var over = await Assert.ThrowsAsync<ChatPayException>(() => items.MoveNextAsync().AsTask());
            Assert.Equal(ClientErrors.SessionEnded, over.Name);
        }

        ben.Receive();
        await ben.EnterAccountAsync();
        await ben.SeesAsync(chat.Id);
        await AcceptAsync(ada, ben);
        await chat.SendTextAsync("for the second device", Cancellation);
        await ben.ReadsAsync("for the second device");
        Assert.Equal(["for the second device"], ben.Texts(chat.Id));
    }

    /// <summary>Somebody has lost all devices, and with them the identity key: others accept the new one.</summary>
    private static async Task AcceptAsync(SdkPerson one, SdkPerson other)
    {
        await Eventually.TrueAsync(
            async () => !(await one.Device.PersonKeysAsync(other.Id, Cancellation)).IsAccepted, "the new key is seen");
        await one.Device.AcceptIdentityAsync(other.Id, Cancellation);
    }

    /// <summary>A server where every call asks whether its session lives.</summary>
    private Task<TestServer> StrictAsync(HubFault fault) => TestServer.StartAsync(
        server.ConnectionString,
        new Dictionary<string, string?>(StringComparer.Ordinal) { ["Accounts:SessionCacheMs"] = "0" },
        configure: fault.AddTo);

    /// <summary>How often somebody saw people being added.</summary>
    private static int Additions(SdkPerson person) =>
        person.Items.Items.OfType<MembersChanged>().Count(change => change.Added.Count > 0);

    private async Task EndAsync(TestServer strict, DeviceId device)
    {
        await EndSessionsAsync(device);
        foreach (var connection in strict.Services.GetRequiredService<ConnectionRegistry>().OfDevice(device).ToList())
        {
            connection.Abort();
        }
    }

    private async Task EndSessionsAsync(DeviceId device)
    {
        await using var end = server.DataSource.CreateCommand(
            "update session set revoked_at = now() where device_id = $1 and revoked_at is null");
        end.Parameters.Add(new() { Value = device.Value });
        await end.ExecuteNonQueryAsync(Cancellation);
    }
}

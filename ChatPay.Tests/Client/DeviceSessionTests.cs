using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Devices that sign in and out, and sessions that end in the middle of something.</summary>
public sealed class DeviceSessionTests(ServerFixture server) : IClassFixture<ServerFixture>
{
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
        await Eventually.TrueAsync(() => Task.FromResult(!ben.Device.IsSignedIn), "the session is known to be over");
        await ben.Device.SignInAsync(ben.Handle, Person.Password, Cancellation);
        ben.Receive();
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
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_may_have_been_accepted_when_the_session_ended_goes_on_with_the_next(bool isCommit)
    {
        // Every call asks whether its session lives.
        var always = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Accounts:SessionCacheMs"] = "0" };
        await using var strict = await TestServer.StartAsync(server.ConnectionString, always);
        var store = new WatchedStore(new MemoryStore());
        await using var ada = await SdkPerson.JoinAsync(strict.Address, store);
        await using var ben = await SdkPerson.JoinAsync(strict.Address);
        await using var chiara = await SdkPerson.JoinAsync(strict.Address);
        var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
        await ben.SeesAsync(group.Id);
        var device = ada.Device.Id;
        store.Writing = async changes =>
        {
            // Everything is ready to be sent.
            var awaited = isCommit ? $"group/{group.Id}/pending" : "outbox/";
            if (changes.Any(change => change.Key.StartsWith(awaited, StringComparison.Ordinal)))
            {
                store.Writing = null;
                await EndSessionsAsync(device);
            }
        };

        var over = await Assert.ThrowsAsync<ChatPayException>(() => isCommit
            ? group.InviteAsync([chiara.Id], Cancellation) : group.SendTextAsync("kept", Cancellation));
        Assert.True(over.Name == ClientErrors.SessionEnded || over.Code == ErrorCode.Unauthenticated, over.Name);
        await Eventually.TrueAsync(() => Task.FromResult(!ada.Device.IsSignedIn), "the session is known to be over");
        await ada.Device.SignInAsync(ada.Handle, Person.Password, Cancellation);
        Assert.Equal(device, ada.Device.Id);
        await group.SendTextAsync("after", Cancellation);
        await ben.ReadsAsync("after");
        Assert.Equal(isCommit ? ["after"] : ["kept", "after"], ben.Texts(group.Id));
        Assert.Equal(isCommit, group.Members.Any(member => member.Account == chiara.Id));
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
        await ada.Device.OnlineAsync(Cancellation);
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
        await ben.SeesAsync(chat.Id);
        await chat.SendTextAsync("for the second device", Cancellation);
        await ben.ReadsAsync("for the second device");
        Assert.Equal(["for the second device"], ben.Texts(chat.Id));
    }

    private async Task EndSessionsAsync(DeviceId device)
    {
        await using var end = server.DataSource.CreateCommand(
            "update session set revoked_at = now() where device_id = $1 and revoked_at is null");
        end.Parameters.Add(new() { Value = device.Value });
        await end.ExecuteNonQueryAsync(Cancellation);
    }
}

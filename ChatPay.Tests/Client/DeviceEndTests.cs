using System.Text.Json;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Devices that end, by their own program or another: what comes after them begins clean.</summary>
public sealed class DeviceEndTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_program_that_dies_while_it_wipes_its_store_signs_in_anew_with_it()
    {
        var memory = new MemoryStore();
        var store = new WatchedStore(memory);
        string handle;
        await using (var ada = await SdkPerson.JoinAsync(server.Address, store))
        {
            handle = ada.Handle;
            DieAfter(store, change => change is { Key: "device/me", Value: null });
            await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.SignOutAsync(Cancellation));
        }

        Assert.NotEmpty(await memory.ListAsync(new(""), Cancellation));
        await using var again = await SdkPerson.OpenAsync(server.Address, memory, handle);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await (await again.Device.StartDirectAsync(ben.Id, Cancellation)).SendTextAsync("here again", Cancellation);
        await ben.ReadsAsync("here again");
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_program_that_dies_while_another_account_takes_its_store_over_is_the_device_that_began(
        bool isWritten)
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var memory = new MemoryStore();
        var store = new WatchedStore(memory);
        await using (var ada = await SdkPerson.OpenAsync(
            server.Address, store, SdkPerson.NewHandle(), receives: false))
        {
            await using var other = await ada.OnAnotherDeviceAsync();
            await other.Device.RevokeAsync(ada.Device.Id, Cancellation);
            await ada.Device.CompletionAsync(Cancellation);
            await Eventually.TrueAsync(() => Task.FromResult(!ada.Device.IsSignedIn), "the session is known to be over");

            // The server has answered, and the program knows it or does not.
            DieAt(store, change => change is { Key: "device/me", Value: null }, isWritten);
            await Assert.ThrowsAsync<ChatPayException>(
                () => ada.Device.SignInAsync(ben.Handle, Person.Password, Cancellation));
        }

        await using var again = await SdkPerson.OpenAsync(server.Address, memory, ben.Handle, approver: ben);
        Assert.Equal(
            new HashSet<DeviceId> { ben.Device.Id, again.Device.Id },
            (await ben.Device.DevicesAsync(Cancellation)).Select(device => device.Id).ToHashSet());
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_store_with_the_key_of_another_accounts_device_gets_a_new_one()
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var memory = new MemoryStore();
        var dying = new WatchedStore(memory);
        DieAfter(dying, change => change is { Key: "device/key", Value: not null });
        await using (var ada = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, dying), Cancellation))
        {
            // The server has heard of the key, and its answer is lost.
            await Assert.ThrowsAsync<ChatPayException>(
                () => ada.SignUpAsync(SdkPerson.NewHandle(), "Ada", Person.Password, Cancellation));
        }

        Assert.Equal("device/key", Assert.Single(await memory.ListAsync(new(""), Cancellation)).Key);
        await using var device = await ChatPayDevice.OpenAsync(
            SdkPerson.Options(server.Address, memory), Cancellation);
        await device.SignInAsync(ben.Handle, Person.Password, Cancellation);
        await ben.ApproveAsync(device);
        Assert.Equal(ben.Id, device.Account.Id);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Who_is_told_that_the_session_is_over_may_sign_in_at_once()
    {
        var (stuck, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var store = new WatchedStore(new MemoryStore());
        await using var ada = await SdkPerson.JoinAsync(server.Address, store);
        await using var other = await ada.OnAnotherDeviceAsync();
        store.Writing = async changes =>
        {
            if (changes.Any(change => change is { Key: "device/me", Value: { } value } && !HasToken(value)))
            {
                store.Writing = null;
                stuck.SetResult();
                await goOn.Task;
            }
        };
        await other.Device.RevokeAsync(ada.Device.Id, Cancellation);
        await stuck.Task.WaitAsync(s_deadline, Cancellation);
        var ending = ada.Device.CompletionAsync(Cancellation);
        var isEarly = ending.IsCompleted;
        goOn.SetResult();
        Assert.False(isEarly);
        Assert.Equal(ChatSessionEnd.Revoked, await ending.WaitAsync(s_deadline, Cancellation));
        await ada.Device.SignInAsync(ada.Handle, Person.Password, Cancellation);
        await other.ApproveAsync(ada.Device);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_an_ended_session_had_still_to_look_at_is_none_of_the_next_ones()
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var chiara = await SdkPerson.JoinAsync(server.Address);
        var memory = new MemoryStore();
        string handle;
        AccountId id;
        await using (var ada = await SdkPerson.JoinAsync(server.Address, memory))
        {
            (handle, id) = (ada.Handle, ada.Id);
        }

        // The reader of the log gets stuck at the Welcome, before it has looked at what the greeting brought.
        await ben.Device.StartDirectAsync(id, Cancellation);
        var (stuck, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var store = new WatchedStore(memory);
        store.Writing = async changes =>
        {
            if (changes.Any(change => change.Key.StartsWith("conversation/", StringComparison.Ordinal)))
            {
                store.Writing = null;
                stuck.SetResult();
                await goOn.Task;
            }
        };
        await using var device = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, store), Cancellation);
        Assert.Equal(handle, device.Account.Handle);
        await stuck.Task.WaitAsync(s_deadline, Cancellation);
        var leaving = device.SignOutAsync(Cancellation);
        await Eventually.TrueAsync(
            async () => await Record.ExceptionAsync(() => device.WatchPresenceAsync([], Cancellation)) is not null,
            "the session is over");
        goOn.SetResult();
        await leaving;
        await device.SignInAsync(chiara.Handle, Person.Password, Cancellation);
        await chiara.ApproveAsync(device);
        Assert.Empty(device.Conversations);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_late_answer_about_an_earlier_account_changes_nothing_of_the_next_one()
    {
        var fault = new HttpFault();
        await using var slow = await TestServer.StartAsync(server.ConnectionString, configure: fault.AddTo);
        await using var ben = await SdkPerson.JoinAsync(slow.Address);
        var memory = new MemoryStore();
        await (await SdkPerson.JoinAsync(slow.Address, memory)).DisposeAsync();
        var (asked, answer) = HoldOneAnswer(fault, "/v1/me");
        await using var device = await ChatPayDevice.OpenAsync(SdkPerson.Options(slow.Address, memory), Cancellation);
        await asked.WaitAsync(s_deadline, Cancellation);
        await device.SignOutAsync(Cancellation);
        await device.SignInAsync(ben.Handle, Person.Password, Cancellation);
        await ben.ApproveAsync(device);
        await answer();

        // Whoever it took itself for, it says so in its next greeting.
        await device.DevicesAsync(Cancellation);
        slow.Services.GetRequiredService<ConnectionRegistry>().OfDevice(device.Id).ToList()
            .ForEach(connection => connection.Abort());
        var chat = await ben.Device.CreateGroupAsync("Lunch", [], Cancellation);
        await Eventually.TrueAsync(
            () => Task.FromResult(device.Conversations.Any(one => one.Id == chat.Id && one.IsReadable)), "it reads on");
        Assert.Equal(ben.Id, device.Account.Id);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_client_is_whoever_signed_in_last_whatever_it_hears_of_who_was_before()
    {
        var fault = new HttpFault();
        await using var slow = await TestServer.StartAsync(server.ConnectionString, configure: fault.AddTo);
        using var client = new ChatPayClient(slow.Address);
        var (ada, ben) = (SdkPerson.NewHandle(), SdkPerson.NewHandle());
        await client.SignUpAsync(SignUpOf(ada), Cancellation);
        var (asked, answer) = HoldOneAnswer(fault, "/v1/me");
        var late = client.MeAsync(Cancellation);
        await asked.WaitAsync(s_deadline, Cancellation);
        var session = await client.SignUpAsync(SignUpOf(ben), Cancellation);
        await answer();
        Assert.Equal(ada, (await late.WaitAsync(s_deadline, Cancellation)).Account.Handle);
        Assert.Equal(
            (ben, session.Device.Id, session.Device.Id), (client.Account!.Handle, client.Device!.Id, client.DeviceId!));
        Assert.Equal(ben, (await client.MeAsync(Cancellation)).Account.Handle);
    }

    private static SignUpRequest SignUpOf(string handle)
    {
        using var key = TestMls.NewSignatureKey();
        return new(handle, handle, Person.Password, new("Test", TestMls.PublicKeyOf(key)));
    }

    /// <summary>The server carries out the next request for this, and keeps its answer back.</summary>
    /// <returns>When it has one, and what lets it go.</returns>
    private static (Task Asked, Func<Task> AnswerAsync) HoldOneAnswer(HttpFault fault, string path)
    {
        var (asked, answer, answered) = (
            new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        fault.Around = async (context, carryOut) =>
        {
            if (context.Request.Path != path)
            {
                await carryOut();
                return;
            }

            fault.Around = null;
            var body = context.Response.Body;
            using var kept = new MemoryStream();
            context.Response.Body = kept;
            await carryOut();
            asked.SetResult();
            await answer.Task;
            context.Response.Body = body;
            await body.WriteAsync(kept.ToArray(), Cancellation);
            await context.Response.CompleteAsync();
            answered.SetResult();
        };
        return (asked.Task, () =>
        {
            answer.SetResult();
            return answered.Task.WaitAsync(s_deadline, Cancellation);
        }
        );
    }

    private static bool HasToken(byte[] device)
    {
        using var record = JsonDocument.Parse(device);
        return record.RootElement.TryGetProperty("token", out var token) && token.ValueKind != JsonValueKind.Null;
    }

    /// <summary>The write that is as wanted is the last one of the program.</summary>
    private static void DieAfter(WatchedStore store, Func<StoreChange, bool> wanted) =>
        DieAt(store, wanted, isWritten: true);

    /// <param name="isWritten">Whether that one still happens.</param>
    private static void DieAt(WatchedStore store, Func<StoreChange, bool> wanted, bool isWritten)
    {
        var isDead = false;
        store.Writing = changes =>
        {
            var died = isDead;
            isDead |= changes.Any(wanted);
            died |= isDead && !isWritten;
            return died ? Task.FromException(new IOException("The program has died.")) : Task.CompletedTask;
        };
    }
}

using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Devices whose connection or server goes, and comes back.</summary>
public sealed class DeviceReturnTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ConnectionRegistry Registry => server.Server.Services.GetRequiredService<ConnectionRegistry>();

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task After_the_server_was_killed_everything_goes_on_where_it_stood()
    {
        await using var process = new ServerProcess();
        await process.StartAsync();
        await using var ada = await SdkPerson.JoinAsync(process.Address);
        await using var ben = await SdkPerson.JoinAsync(process.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await chat.SendTextAsync("before", Cancellation);
        await ben.ReadsAsync("before");

        await process.KillAsync();
        var waiting = Enumerable.Range(0, 5).Select(i => chat.SendTextAsync($"meanwhile {i}", Cancellation)).ToList();
        await process.StartAsync(process.Address.Port);
        await Task.WhenAll(waiting);
        await ben.ReadsAsync("meanwhile 4");
        await ben.Device.Conversation(chat.Id).SendTextAsync("after", Cancellation);
        await ada.ReadsAsync("after");

        Assert.Equal(["before", .. Enumerable.Range(0, 5).Select(i => $"meanwhile {i}")], ben.Texts(chat.Id));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Over_cut_connections_and_changes_of_members_everything_comes_once_and_in_order()
    {
        const int Messages = 60;
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var chiara = await SdkPerson.JoinAsync(server.Address);
        var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
        await ben.SeesAsync(group.Id);
        using var cutting = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var cuts = CutAsync([ada, ben, chiara], cutting.Token);

        var his = ben.Device.Conversation(group.Id);
        var sending = Task.WhenAll(
            SendAsync(group, "ada", Messages), SendAsync(his, "ben", Messages), ComeAndGoAsync(group, chiara.Id));
        await sending;
        await cutting.CancelAsync();
        Assert.True(await cuts > 3, "The connections were not cut.");

        await ben.ReadsAsync($"ada {Messages - 1}");
        await ada.ReadsAsync($"ben {Messages - 1}");
        Assert.Equal(Enumerable.Range(0, Messages).Select(i => $"ada {i}"), ben.Texts(group.Id));
        Assert.Equal(Enumerable.Range(0, Messages).Select(i => $"ben {i}"), ada.Texts(group.Id));
        Assert.DoesNotContain(
            ada.Items.Items.Concat(ben.Items.Items).Concat(chiara.Items.Items), item => item is Unreadable);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Who_is_watched_is_watched_still_after_the_connection_was_lost()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await ben.SeesAsync((await ada.Device.StartDirectAsync(ben.Id, Cancellation)).Id);
        Assert.True(Assert.Single(await ada.Device.WatchPresenceAsync([ben.Id], Cancellation)).Online);

        Registry.OfDevice(ada.Device.Id).ToList().ForEach(connection => connection.Abort());
        var again = (PresenceSignal)await ada.Signals.FirstAsync(signal => signal is PresenceSignal);
        Assert.Equal((ben.Id, true), (again.Presence.Account, again.Presence.Online));
        await ben.Device.DisposeAsync();
        await ada.Signals.FirstAsync(
            signal => signal is PresenceSignal { Presence: { Online: false } gone } && gone.Account == ben.Id);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Who_is_watched_is_asked_for_again_where_the_server_has_dropped_something()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await ben.SeesAsync((await ada.Device.StartDirectAsync(ben.Id, Cancellation)).Id);
        Assert.True(Assert.Single(await ada.Device.WatchPresenceAsync([ben.Id], Cancellation)).Online);

        Registry.ToDevice(ada.Device.Id, Push.Of(new ControlSignal(ControlKind.Resync)));
        var again = (PresenceSignal)await ada.Signals.FirstAsync(signal => signal is PresenceSignal);
        Assert.Equal((ben.Id, true), (again.Presence.Account, again.Presence.Online));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Who_is_watched_is_asked_for_now_and_then_and_only_what_was_missed_is_told()
    {
        var fault = new HubFault();
        await using var deaf = await TestServer.StartAsync(server.ConnectionString, configure: fault.AddTo);
        await using var ada = await SdkPerson.OpenAsync(
            deaf.Address, new MemoryStore(), SdkPerson.NewHandle(),
            options => options with { Timing = SdkPerson.Quick with { Presence = TimeSpan.FromMilliseconds(50) } });
        await using var ben = await SdkPerson.JoinAsync(deaf.Address);
        await ben.SeesAsync((await ada.Device.StartDirectAsync(ben.Id, Cancellation)).Id);
        Assert.True(Assert.Single(await ada.Device.WatchPresenceAsync([ben.Id], Cancellation)).Online);
        var (asked, isGone) = (0, false);
        fault.Around = async (call, carryOut) =>
        {
            if (call.HubMethodName != nameof(IChatHub.WatchPresence))
            {
                return await carryOut();
            }

            Interlocked.Increment(ref asked);
            return new HubReply<PresenceReply>(new([new(ben.Id, Online: !isGone)]));
        };
        await Eventually.TrueAsync(() => Task.FromResult(asked >= 3), "it is asked for now and then");
        Assert.DoesNotContain(ada.Signals.Items, signal => signal is PresenceSignal);
        isGone = true;
        await ada.Signals.FirstAsync(signal => signal is PresenceSignal { Presence.Online: false });
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_that_was_away_reads_what_it_missed_when_it_is_opened_again()
    {
        var folder = new TemporaryFolder();
        var handle = SdkPerson.NewHandle();
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        ConversationId id;
        await using (var store = await FileStore.OpenAsync(folder.Path, "a passphrase", s_quick, Cancellation))
        await using (var ben = await SdkPerson.OpenAsync(server.Address, store, handle))
        {
            id = (await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation)).Id;
            await ben.SeesAsync(id);
        }

        await using var chiara = await SdkPerson.JoinAsync(server.Address);
        await ada.Device.Conversation(id).SendTextAsync("one", Cancellation);
        await ada.Device.Conversation(id).InviteAsync([chiara.Id], Cancellation);
        await ada.Device.Conversation(id).SendTextAsync("two", Cancellation);
        await (await chiara.SeesAsync(id)).SendTextAsync("three", Cancellation);

        await using (var store = await FileStore.OpenAsync(folder.Path, "a passphrase", s_quick, Cancellation))
        await using (var ben = await SdkPerson.OpenAsync(server.Address, store, handle))
        {
            await ben.ReadsAsync("three");
            Assert.Equal(["one", "two", "three"], ben.Texts(id));
            Assert.Equal("Lunch", ben.Device.Conversation(id).Name);
            await ben.Device.Conversation(id).SendTextAsync("four", Cancellation);
            await chiara.ReadsAsync("four");
        }

        folder.Dispose();
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_session_that_ended_is_taken_up_by_the_same_device_when_it_signs_in_again()
    {
        var memory = new MemoryStore();
        var handle = SdkPerson.NewHandle();
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.OpenAsync(server.Address, memory, handle);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        var device = ben.Device.Id;

        await ben.Device.Client.SignOutAsync(Cancellation);
        Registry.OfDevice(device).ToList().ForEach(connection => connection.Abort());
        Assert.Equal(ChatSessionEnd.Revoked, await ben.Device.CompletionAsync(Cancellation));
        await chat.SendTextAsync("while you were out", Cancellation);
        await ben.SignInAgainAsync();

        Assert.Equal(device, ben.Device.Id);
        await ben.ReadsAsync("while you were out");

        // A device that was revoked begins anew.
        await ada.Device.OnlineAsync(Cancellation);
        await using var other = await ben.OnAnotherDeviceAsync();
        await other.Device.RevokeAsync(device, Cancellation);
        await ben.Device.CompletionAsync(Cancellation);
        await ben.SignInAgainAsync(other);
        Assert.NotEqual(device, ben.Device.Id);
        var onNew = await ben.SeesAsync(chat.Id);
        await onNew.SendTextAsync("from the new one", Cancellation);
        await ada.ReadsAsync("from the new one");

        await ben.Device.SignOutAsync(Cancellation);
        Assert.False(ben.Device.IsSignedIn);
        Assert.Empty(await memory.ListAsync(new(""), Cancellation));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Key_packages_are_made_before_they_run_out()
    {
        await using var ada = await SdkPerson.JoinAsync(
            server.Address, with: options => options with { KeyPackageStock = 25 });
        await Eventually.TrueAsync(async () => await CountAsync(ada) == 25, "the stock is full");
        for (var i = 0; i < 7; i++)
        {
            await using var other = await SdkPerson.JoinAsync(server.Address);
            var chat = await other.Device.StartDirectAsync(ada.Id, Cancellation);
            await chat.SendTextAsync($"hello {i}", Cancellation);
            await ada.ReadsAsync($"hello {i}");
        }

        await Eventually.TrueAsync(async () => await CountAsync(ada) >= 24, "the stock was filled again");
        var kept = await ada.Store.ListAsync(new("keypackage/"), Cancellation);
        Assert.InRange(kept.Count, 25, 26);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_small_stock_of_key_packages_is_filled_while_the_device_is_connected()
    {
        await using var ada = await SdkPerson.JoinAsync(
            server.Address, with: options => options with { KeyPackageStock = 2 });
        for (var i = 0; i < 3; i++)
        {
            await Eventually.TrueAsync(async () => await CountAsync(ada) == 2, "the stock is full");
            await using var other = await SdkPerson.JoinAsync(server.Address);
            await other.Device.StartDirectAsync(ada.Id, Cancellation);
        }
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Where_no_key_package_is_left_the_last_one_lets_people_in()
    {
        await using var ada = await SdkPerson.JoinAsync(
            server.Address, with: options => options with { KeyPackageStock = 0 });
        for (var i = 0; i < 3; i++)
        {
            await using var other = await SdkPerson.JoinAsync(server.Address);
            var chat = await other.Device.StartDirectAsync(ada.Id, Cancellation);
            await chat.SendTextAsync($"hello {i}", Cancellation);
            await ada.ReadsAsync($"hello {i}");
        }
    }

    private static readonly FileStoreOptions s_quick = new() { PassphraseMemoryKib = 64, PassphrasePasses = 1 };

    private static async Task<int> CountAsync(SdkPerson person) =>
        (await person.Device.Client.CountKeyPackagesAsync(Cancellation)).OneTime;

    private static async Task SendAsync(ChatConversation conversation, string name, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await conversation.SendTextAsync($"{name} {i}", Cancellation);
        }
    }

    private static async Task ComeAndGoAsync(ChatConversation group, AccountId account)
    {
        for (var i = 0; i < 3; i++)
        {
            await group.InviteAsync([account], Cancellation);
            await group.RemoveAsync(account, Cancellation);
        }
    }

    /// <summary>Cuts everybody's connections whenever something more has come through.</summary>
    private async Task<int> CutAsync(IReadOnlyList<SdkPerson> people, CancellationToken cancellationToken)
    {
        const int ItemsPerCut = 4;
        var cuts = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var before = Received();
            foreach (var connection in people.SelectMany(person => Registry.OfDevice(person.Device.Id)).ToList())
            {
                connection.Abort();
                cuts++;
            }

            await Eventually.TrueAsync(
                () => Task.FromResult(cancellationToken.IsCancellationRequested || Received() >= before + ItemsPerCut),
                "something comes through between two cuts");
        }

        return cuts;

        int Received() => people.Sum(person => person.Items.Items.Count);
    }
}

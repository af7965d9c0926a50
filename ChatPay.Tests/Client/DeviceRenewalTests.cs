using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Leaves that show another certificate than their device has now, or none, and how they come to show it.</summary>
public sealed class DeviceRenewalTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private readonly HttpFault _fault = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_leaf_without_a_certificate_gets_one_by_one_commit_and_the_accounts_next_device_comes_in()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ben = await SdkPerson.JoinAsync(host.Address);
        var (store, handle, chat, device) = await LeaveBareAsync(host, ben);
        Assert.Empty((await ben.LeavesAsync(chat))[device]);

        await using (var ada = await SdkPerson.OpenAsync(host.Address, store, handle))
        {
            await Eventually.TrueAsync(
                async () => (await ben.LeavesAsync(chat))[device].Length > 0, "the leaf shows a certificate");
            await using var phone = await ada.OnAnotherDeviceAsync();
            await phone.SeesAsync(chat);
            await phone.Device.Conversation(chat).SendTextAsync("from the phone", Cancellation);
            await ben.ReadsAsync("from the phone");
        }

        // The first commit, the renewal and the phone's own: none is made at the next connections.
        var epoch = (await ben.Device.Client.ConversationAsync(chat, Cancellation)).Epoch;
        await using var again = await SdkPerson.OpenAsync(host.Address, store, handle);
        await again.Device.Conversation(chat).SendTextAsync("the end", Cancellation);
        await ben.ReadsAsync("the end");
        Assert.Equal((3, 3), (epoch, (await ben.Device.Client.ConversationAsync(chat, Cancellation)).Epoch));
        Assert.DoesNotContain(ben.Items.Items, item => item is Unreadable);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_that_could_not_come_in_does_so_once_the_others_leaf_is_renewed()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ben = await SdkPerson.JoinAsync(host.Address);
        var (store, handle, chat, _) = await LeaveBareAsync(host, ben);

        // It may take as long as it likes to renew its leaf: the phone is there first, and waits for it.
        await using var ada = await SdkPerson.OpenAsync(
            host.Address, store, handle, with: static options => options with
            {
                Timing = options.Timing with { Removals = TimeSpan.FromSeconds(6) },
                Session = options.Session with { Random = static () => 1 },
            });
        await using var phone = await ada.OnAnotherDeviceAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(phone.Device.Conversations.Any(one => one.Id == chat)), "the phone knows of it");
        Assert.False(phone.Device.Conversation(chat).IsReadable);
        await phone.SeesAsync(chat);
        await ada.Device.Conversation(chat).SendTextAsync("at last", Cancellation);
        await phone.ReadsAsync("at last");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_renewal_that_loses_to_another_commit_is_made_again()
    {
        var hub = new HubFault();
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: services =>
        {
            _fault.AddTo(services);
            hub.AddTo(services);
        });
        await using var ben = await SdkPerson.JoinAsync(host.Address);
        await using var eve = await SdkPerson.JoinAsync(host.Address);
        var (store, handle, chat, device) = await LeaveBareAsync(host, ben, isGroup: true);
        var group = await ben.SeesAsync(chat);
        var commits = 0;
        hub.Around = async (call, carryOut) =>
        {
            if (call.HubMethodName == nameof(IChatHub.SubmitCommit)
                && call.HubMethodArguments[0] is CommitRequest { Epoch: 1 } && Interlocked.Increment(ref commits) == 1)
            {
                // Before the renewal is there, somebody has changed the group.
                await group.InviteAsync([eve.Id], Cancellation);
            }

            return await carryOut();
        };
        await using var ada = await SdkPerson.OpenAsync(host.Address, store, handle);
        await Eventually.TrueAsync(
            async () => (await ben.LeavesAsync(chat))[device].Length > 0, "the leaf shows a certificate");
        Assert.Equal(2, commits);
        Assert.Equal(3, (await ben.Device.Client.ConversationAsync(chat, Cancellation)).Epoch);
        await ada.Device.Conversation(chat).SendTextAsync("to both", Cancellation);
        await ben.ReadsAsync("to both");
        await eve.ReadsAsync("to both");
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_device_that_dies_at_any_write_renews_its_leaf_when_it_goes_on(bool lastOneHappens)
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ben = await SdkPerson.JoinAsync(host.Address);
        var (deaths, died) = (0, true);
        for (var diesAt = 1; died; diesAt += 2)
        {
            Assert.True(diesAt <= 60, "It never lives to the end.");
            var (store, handle, chat, device) = await LeaveBareAsync(host, ben);
            var mortal = new MortalStore(store) { DiesAt = diesAt, LastOneHappens = lastOneHappens };
            await using (var dying = await ChatPayDevice.OpenAsync(
                SdkPerson.Options(host.Address, mortal), Cancellation))
            {
                await Eventually.TrueAsync(
                    async () => mortal.IsDead || (await ben.LeavesAsync(chat))[device].Length > 0, "it dies or is done");
            }

            died = mortal.IsDead;
            deaths += died ? 1 : 0;
            await using var again = await SdkPerson.OpenAsync(host.Address, store, handle);
            await Eventually.TrueAsync(
                async () => (await ben.LeavesAsync(chat))[device].Length > 0, "the leaf shows a certificate");
            await again.Device.Conversation(chat).SendTextAsync($"after {diesAt}", Cancellation);
            await ben.ReadsAsync($"after {diesAt}");
            Assert.InRange((await ben.Device.Client.ConversationAsync(chat, Cancellation)).Epoch, 2, 3);
        }

        Assert.True(deaths >= 3, $"There were only {deaths} writes to die at.");
    }

    /// <summary>
    /// A device, closed again, that talks with somebody and whose account has no chain: from before there was a key log.
    /// </summary>
    private async Task<(MemoryStore Store, string Handle, ConversationId Chat, DeviceId Device)> LeaveBareAsync(
        TestServer host, SdkPerson other, bool isGroup = false)
    {
        _fault.Around = static (context, carryOut) =>
            context.Request.Method == HttpMethods.Post && context.Request.Path == "/v1/keys/entries"
                ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        var (store, handle) = (new MemoryStore(), SdkPerson.NewHandle());
        await using var device = await ChatPayDevice.OpenAsync(SdkPerson.Options(host.Address, store), Cancellation);
        await device.SignUpAsync(handle, "The " + handle, Person.Password, Cancellation);
        var chat = isGroup
            ? await device.CreateGroupAsync("Old", [other.Id], Cancellation)
            : await device.StartDirectAsync(other.Id, Cancellation);
        await other.SeesAsync(chat.Id);
        Assert.False(device.IsApproved);
        _fault.Around = null;
        return (store, handle, chat.Id, device.Id);
    }
}

using ChatPay.Client;
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
}

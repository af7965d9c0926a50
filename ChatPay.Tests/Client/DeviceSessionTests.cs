using ChatPay.Client;
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
}

using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>A device is revoked in the account's keys and at the server: what became of each is told.</summary>
public sealed class DeviceRevokeTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private readonly HttpFault _fault = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Both_halves_are_done_and_there_is_nothing_to_do_again()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        Assert.Equal(
            new DeviceRevocation(RevocationHalf.Done, RevocationHalf.Done),
            await ada.Device.RevokeAsync(phone.Device.Id, Cancellation));
        Assert.Equal(
            new DeviceRevocation(RevocationHalf.NotThere, RevocationHalf.Done),
            await ada.Device.RevokeAsync(phone.Device.Id, Cancellation));
        var unknown = await Assert.ThrowsAsync<ChatPayException>(
            () => ada.Device.RevokeAsync(new DeviceId(VaultPerson.NewId()), Cancellation));
        Assert.Equal(ErrorCode.DeviceUnknown, unknown.Code);

        // One that was never approved is not in the keys.
        await using var tablet = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        Assert.Equal(
            new DeviceRevocation(RevocationHalf.NotThere, RevocationHalf.Done),
            await ada.Device.RevokeAsync(tablet.Id, Cancellation));
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData("POST", "failed", "done", "not confirmed that the account")]
    [InlineData("DELETE", "done", "failed", "has not confirmed")]
    public async Task A_half_that_failed_is_told_by_name_and_done_when_it_is_asked_for_again(
        string refused, string chain, string session, string told)
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        _fault.Around = (context, carryOut) => context.Request.Method == refused
            && (context.Request.Path == "/v1/keys/entries" || HttpMethods.IsDelete(refused))
            ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        var half = await Assert.ThrowsAsync<ChatPayException>(
            () => ada.Device.RevokeAsync(phone.Device.Id, Cancellation));
        AssertHalf(half, phone.Device.Id, chain, session, told);

        _fault.Around = null;
        Assert.Equal(
            new DeviceRevocation(
                HttpMethods.IsDelete(refused) ? RevocationHalf.NotThere : RevocationHalf.Done, RevocationHalf.Done),
            await ada.Device.RevokeAsync(phone.Device.Id, Cancellation));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_that_is_not_approved_says_that_the_keys_still_have_the_other_one()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await using var tablet = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        var half = await Assert.ThrowsAsync<ChatPayException>(() => tablet.RevokeAsync(phone.Device.Id, Cancellation));
        AssertHalf(half, phone.Device.Id, "not_approved", "done", "Only an approved device");
        Assert.Equal(
            new DeviceRevocation(RevocationHalf.Done, RevocationHalf.Done),
            await ada.Device.RevokeAsync(phone.Device.Id, Cancellation));
    }

    private static void AssertHalf(ChatPayException half, DeviceId device, string chain, string session, string told)
    {
        var details = half.Error.Details!;
        Assert.Equal(
            (ClientErrors.RevokedInPart, device, chain, session),
            (half.Name, details["device"], details["chain"], details["session"]));
        Assert.Contains(told, half.Message, StringComparison.Ordinal);
    }
}

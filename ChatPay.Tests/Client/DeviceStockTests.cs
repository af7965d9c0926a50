using System.Collections.Concurrent;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Key packages that the server does not take at once, or at all.</summary>
public sealed class DeviceStockTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    /// <summary>Five one-time ones and the last resort.</summary>
    private const int Full = 6;

    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private readonly HttpFault _fault = new();
    private readonly ConcurrentQueue<string> _uploads = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_the_server_fails_at_is_uploaded_again_until_it_is_there()
    {
        await using var failing = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        RefuseUploads(ErrorCode.Internal, "internal", times: 2);
        await using var ada = await SdkPerson.JoinAsync(failing.Address);
        Assert.Equal(3, _uploads.Count);
        Assert.Single(_uploads.Distinct(StringComparer.Ordinal));
        await AssertStockAsync(ada.Device, ada.Store);
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(ErrorCode.Internal, "internal")]
    [InlineData(ErrorCode.KeyPackageInvalid, "key_package_invalid")]
    public async Task Who_waits_to_be_online_is_told_what_the_server_refuses_and_no_more_keys_are_kept_than_one_stock(
        ErrorCode code, string name)
    {
        await using var failing = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        RefuseUploads(code, name, times: int.MaxValue);
        var memory = new MemoryStore();
        await using (var device = await ChatPayDevice.OpenAsync(
            SdkPerson.Options(failing.Address, memory), Cancellation))
        {
            await device.SignUpAsync(SdkPerson.NewHandle(), "Ada", Person.Password, Cancellation);
            await AssertRefusedAsync(device, code);
        }

        // Another run, and a connection that is lost meanwhile.
        await using var again = await ChatPayDevice.OpenAsync(SdkPerson.Options(failing.Address, memory), Cancellation);
        await AssertRefusedAsync(again, code);
        Assert.InRange((await memory.ListAsync(new("keypackage/"), Cancellation)).Count, 0, Full);
        _fault.Around = null;
        failing.Services.GetRequiredService<ConnectionRegistry>().OfDevice(again.Id).ToList()
            .ForEach(connection => connection.Abort());
        await Eventually.TrueAsync(
            async () => (await again.Client.CountKeyPackagesAsync(Cancellation)).HasLastResort, "they are taken");
        await Eventually.TrueAsync(
            async () => await Record.ExceptionAsync(() => again.OnlineAsync(Cancellation)) is null, "it is online");
        await AssertStockAsync(again, memory);
    }

    private static async Task AssertRefusedAsync(ChatPayDevice device, ErrorCode code)
    {
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => device.OnlineAsync(Cancellation).WaitAsync(s_deadline, Cancellation));
        Assert.Equal(code, refused.Code);
    }

    private static async Task AssertStockAsync(ChatPayDevice device, IDeviceStore store)
    {
        var count = await device.Client.CountKeyPackagesAsync(Cancellation);
        Assert.Equal((Full - 1, true), (count.OneTime, count.HasLastResort));
        Assert.Equal(Full, (await store.ListAsync(new("keypackage/"), Cancellation)).Count);
    }

    private void RefuseUploads(ErrorCode code, string name, int times) => _fault.Around = async (context, carryOut) =>
    {
        if (context.Request.Method != HttpMethods.Post || context.Request.Path != "/v1/key-packages")
        {
            await carryOut();
            return;
        }

        context.Request.EnableBuffering();
        using var reader = new StreamReader(context.Request.Body, leaveOpen: true);
        _uploads.Enqueue(await reader.ReadToEndAsync(Cancellation));
        context.Request.Body.Position = 0;
        if (_uploads.Count > times)
        {
            await carryOut();
            return;
        }

        await HttpFault.RefuseAsync(context, code, name);
    };
}

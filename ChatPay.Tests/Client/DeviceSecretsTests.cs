using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Identity;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>What the devices of an account keep of its secrets, where several devices or calls change it at once.</summary>
public sealed class DeviceSecretsTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    private readonly HttpFault _fault = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Of_two_devices_that_set_the_first_PIN_at_once_the_last_to_store_has_the_PIN_that_works()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        var (reached, goesOn) = (NewSource(), NewSource());
        var stored = 0;
        _fault.Around = async (context, carryOut) =>
        {
            if (Is(context, HttpMethods.Put, "/v1/keys/wrapped") && Interlocked.Increment(ref stored) == 1)
            {
                reached.SetResult();
                await goesOn.Task;
            }

            await carryOut();
        };
        var first = ada.Device.SetPinAsync("480279", Cancellation);
        await reached.Task.WaitAsync(s_deadline, Cancellation);
        await phone.Device.SetPinAsync("902741", Cancellation);
        goesOn.SetResult();
        await first;

        await using var tablet = await ChatPayDevice.OpenAsync(
            SdkPerson.Options(host.Address, new MemoryStore()), Cancellation);
        await tablet.SignInAsync(ada.Handle, Person.Password, Cancellation);
        var lost = await Assert.ThrowsAsync<ChatPayException>(() => tablet.RecoverAsync("902741", Cancellation));
        Assert.Equal(ClientErrors.WrongPin, lost.Name);
        await tablet.RecoverAsync("480279", Cancellation);
        Assert.True(tablet.IsApproved);

        // Whoever was overtaken does not take for the account's what is not.
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => phone.Device.RotateIdentityAsync(Cancellation));
        Assert.Equal(ClientErrors.NotReady, refused.Name);
        await phone.Device.SetPinAsync("902741", Cancellation);
        await phone.Device.RotateIdentityAsync(Cancellation);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_that_is_approved_while_the_PIN_is_removed_is_no_surprise_afterwards()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await ada.Device.SetPinAsync("480279", Cancellation);
        await using var phone = await ChatPayDevice.OpenAsync(
            SdkPerson.Options(host.Address, new MemoryStore()), Cancellation);
        await phone.SignInAsync(ada.Handle, Person.Password, Cancellation);
        var code = (await phone.ApprovalCodeAsync(Cancellation))!;
        var (removes, removed, adds) = (NewSource(), NewSource(), NewSource());
        var isRemoved = NewSource();
        var (atRealms, entries) = (0, 0);
        _fault.Around = async (context, carryOut) =>
        {
            if (context.Request.Path.StartsWithSegments("/v1/vault/realms") && Interlocked.Increment(ref atRealms) == 1)
            {
                removes.SetResult();
                await removed.Task;
            }
            else if (Is(context, HttpMethods.Post, "/v1/keys/entries") && Interlocked.Increment(ref entries) == 1)
            {
                // The phone adds itself once the PIN is gone.
                adds.SetResult();
                await isRemoved.Task;
            }

            await carryOut();
        };
        var removing = ada.Device.RemovePinAsync(Cancellation);
        await removes.Task.WaitAsync(s_deadline, Cancellation);
        await ada.Device.ApproveAsync(code, Cancellation);
        await adds.Task.WaitAsync(s_deadline, Cancellation);
        removed.SetResult();
        await removing;
        isRemoved.SetResult();
        await Eventually.TrueAsync(() => Task.FromResult(phone.IsApproved), "the phone is approved");
        await ada.Device.SetPinAsync("480279", Cancellation);
        Assert.Empty(await ada.Device.KeyAlarmsAsync(Cancellation));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task An_archive_key_that_another_device_has_stored_is_kept_by_one_that_lacks_it()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await ada.Device.SetPinAsync("480279", Cancellation);
        var own = await OwnAsync(ada);
        var archive = RandomNumberGenerator.GetBytes(AccountKeys.KeySize);
        using (var keys = AccountKeys.Of(own.IdentitySeed, archive))
        {
            var view = await ada.Device.Client.WrappedKeysAsync(Cancellation);
            await ada.Device.Client.StoreWrappedKeysAsync(
                new(view.Revision, keys.Wrap(ada.Id, own.RootSecret, RandomNumberGenerator.Fill)), Cancellation);
        }

        await ada.Device.RotateIdentityAsync(Cancellation);
        await AssertKeptAsync();
        await ada.Device.SetPinAsync("902741", Cancellation);
        await AssertKeptAsync();

        async Task AssertKeptAsync()
        {
            var now = await OwnAsync(ada);
            var stored = await ada.Device.Client.WrappedKeysAsync(Cancellation);
            Assert.True(AccountKeys.TryUnwrap(stored.Wrapped, ada.Id, own.RootSecret, out var kept));
            using (kept)
            {
                Assert.Equal(archive, kept.ArchiveKey.ToArray());
                Assert.Equal(now.IdentitySeed, kept.IdentitySeed.ToArray());
                Assert.NotEqual(own.IdentitySeed, kept.IdentitySeed.ToArray());
            }
        }
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_request_that_is_never_answered_keeps_no_other_call_waiting_for_good()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: static options => options with
        {
            Session = options.Session with { CallTimeout = TimeSpan.FromSeconds(5) },
        });
        await ada.Device.SetPinAsync("480279", Cancellation);
        var reached = NewSource();
        _fault.Around = async (context, carryOut) =>
        {
            if (Is(context, HttpMethods.Post, "/v1/keys/entries"))
            {
                reached.TrySetResult();
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }

            await carryOut();
        };
        var rotating = ada.Device.RotateIdentityAsync(Cancellation);
        await reached.Task.WaitAsync(s_deadline, Cancellation);

        // There is nothing to cancel, which the realms say once it is their turn.
        var nothing = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.CancelPinWaitAsync(Cancellation));
        Assert.Equal(ClientErrors.VaultUnavailable, nothing.Name);
        var lost = await Assert.ThrowsAsync<ChatPayException>(() => rotating);
        Assert.Equal((ClientErrors.Offline, true), (lost.Name, lost.Retryable));
        _fault.Around = null;
        await ada.Device.RotateIdentityAsync(Cancellation);
        Assert.Null(await ada.Device.ApprovalCodeAsync(Cancellation));
    }

    private static bool Is(HttpContext context, string method, string path) =>
        context.Request.Method == method && context.Request.Path == path;

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static async Task<OwnKeysRecord> OwnAsync(SdkPerson person) =>
        DeviceCore.Decode<OwnKeysRecord>((await person.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!);
}

using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Archive;
using ChatPay.Core.Identity;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
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

        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
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
        await using var phone = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        var code = (await phone.ApprovalCodeAsync(Cancellation))!;
        var (removes, removed, adds) = (NewSource(), NewSource(), NewSource());
        var isRemoved = NewSource();
        var (atRealms, entries) = (0, 0);
        _fault.Around = async (context, carryOut) =>
        {
            if (context.Request.Path.StartsWithSegments("/v1/vault/realms", StringComparison.Ordinal)
                && Interlocked.Increment(ref atRealms) == 1)
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
        using (var cipher = ArchiveCipher.Of(archive, ada.Id))
        {
            await ada.Device.Client.TurnOnArchiveAsync(cipher.Id, Cancellation);
        }

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

        // There is nothing to cancel, which it finds once it is its turn.
        await ada.Device.CancelPinWaitAsync(Cancellation);
        var lost = await Assert.ThrowsAsync<ChatPayException>(() => rotating);
        Assert.Equal((ClientErrors.Offline, true), (lost.Name, lost.Retryable));
        _fault.Around = null;
        await ada.Device.RotateIdentityAsync(Cancellation);
        Assert.Null(await ada.Device.ApprovalCodeAsync(Cancellation));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_the_realms_have_and_the_chain_has_not_is_named_in_it_when_the_device_goes_on()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        var (store, handle) = (new MemoryStore(), "");
        await using (var ada = await SdkPerson.JoinAsync(host.Address, store))
        {
            handle = ada.Handle;
            await ada.Device.SetPinAsync("480279", Cancellation);
            _fault.Around = static (context, carryOut) => Is(context, HttpMethods.Post, "/v1/keys/entries")
                ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
            await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.SetPinAsync("902741", Cancellation));
        }

        // Until then the right one costs a guess, for that is when the realms say which registration they have; but only one.
        _fault.Around = null;
        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, handle);
        for (var time = 0; time < 3; time++)
        {
            var early = await Assert.ThrowsAsync<ChatPayException>(() => tablet.RecoverAsync("902741", Cancellation));
            Assert.Equal(ClientErrors.VaultUnavailable, early.Name);
        }

        await using var again = await SdkPerson.OpenAsync(host.Address, store, handle);
        await Eventually.TrueAsync(async () => await RegistrationsAsync(again) == 2, "the chain names the new PIN");
        var wrong = await Assert.ThrowsAsync<ChatPayException>(() => tablet.RecoverAsync("736104", Cancellation));
        Assert.Equal((ClientErrors.WrongPin, "8"), (wrong.Name, wrong.Error.Details!["guessesLeft"].ToString()));
        await tablet.RecoverAsync("902741", Cancellation);
        Assert.True(tablet.IsApproved);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_no_realm_has_taken_leaves_the_one_before_as_it_was()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store);
        await ada.Device.SetPinAsync("480279", Cancellation);
        var asked = 0;
        _fault.Around = (context, carryOut) =>
            context.Request.Path.StartsWithSegments("/v1/vault/realms", StringComparison.Ordinal)
            && context.Request.Method == HttpMethods.Post && Interlocked.Increment(ref asked) > 3
                ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.SetPinAsync("902741", Cancellation));
        Assert.Equal(ClientErrors.VaultUnavailable, refused.Name);
        Assert.Single((await OwnAsync(ada)).Begun());
        await ada.Device.DisposeAsync();

        // What the device did not wait for may still arrive, so it is looked for again.
        asked = 0;
        _fault.Around = async (context, carryOut) =>
        {
            await carryOut();
            var isAsked = context.Request.Path.StartsWithSegments("/v1/vault/realms", StringComparison.Ordinal)
                && context.Request.Method == HttpMethods.Post;
            Interlocked.Add(ref asked, isAsked ? 1 : 0);
        };
        await using (var early = await SdkPerson.OpenAsync(
            host.Address, store, ada.Handle, static options => options with { RegistrationOnTheWay = TimeSpan.FromHours(1) }))
        {
            await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref asked) >= 6), "it has been looked for");
        }

        Assert.Single((await OwnAsync(ada)).Begun());
        _fault.Around = null;
        await using var again = await SdkPerson.OpenAsync(host.Address, store, ada.Handle);
        await Eventually.TrueAsync(async () => (await OwnAsync(again)).Begun().Count == 0, "it is given up");
        Assert.Equal(1, await RegistrationsAsync(again));
        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        await tablet.RecoverAsync("480279", Cancellation);
        Assert.True(tablet.IsApproved);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_and_another_identity_key_that_are_set_at_once_go_together()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        var (reached, goesOn) = (NewSource(), NewSource());
        var stored = 0;
        _fault.Around = async (context, carryOut) =>
        {
            var isStored = Is(context, HttpMethods.Put, "/v1/keys/wrapped");
            if (isStored && Interlocked.Increment(ref stored) == 1)
            {
                await carryOut();
                reached.SetResult();
                await goesOn.Task;
            }
            else if (isStored && !goesOn.Task.IsCompleted)
            {
                await HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal");
            }
            else
            {
                await carryOut();
            }
        };
        var setting = ada.Device.SetPinAsync("480279", Cancellation);
        await reached.Task.WaitAsync(s_deadline, Cancellation);

        // If it overtakes the other one, this is long enough for it.
        var rotating = ada.Device.RotateIdentityAsync(Cancellation);
        await Task.WhenAny(rotating, Task.Delay(TimeSpan.FromSeconds(3), Cancellation));
        goesOn.SetResult();
        await setting;
        await rotating;
        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        await tablet.RecoverAsync("480279", Cancellation);
        Assert.True(tablet.IsApproved);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Wrong_guesses_and_waits_that_others_began_while_the_device_was_away_alarm_once_each()
    {
        var store = new MemoryStore();
        string handle;
        await using (var ada = await SdkPerson.JoinAsync(server.Address, store))
        {
            handle = ada.Handle;
            await ada.Device.SetPinAsync("480279", Cancellation);
        }

        await using var first = await GuessAsync();
        var (begun, _) = await new PinVault(first.Client, RandomNumberGenerator.Fill).BeginWaitAsync(Cancellation);
        Assert.True(begun.IsOk);

        await using (var again = await SdkPerson.OpenAsync(server.Address, store, handle))
        {
            await Eventually.TrueAsync(
                async () => (await again.Device.KeyAlarmsAsync(Cancellation)).Count == 2, "it is told of both");
            foreach (var alarm in await again.Device.KeyAlarmsAsync(Cancellation))
            {
                Assert.True(alarm.Kind is KeyAlarmKind.PinGuessed or KeyAlarmKind.PinWait);
                Assert.Equal(first.Id.ToString(), alarm.Evidence[0]);
                await again.Device.DismissKeyAlarmAsync(alarm.Number, Cancellation);
            }
        }

        await using var second = await GuessAsync();
        await using var last = await SdkPerson.OpenAsync(server.Address, store, handle);
        await Eventually.TrueAsync(
            async () => (await last.Device.KeyAlarmsAsync(Cancellation)).Count > 0, "it is told of the other one");
        var told = Assert.Single(await last.Device.KeyAlarmsAsync(Cancellation));
        Assert.Equal((KeyAlarmKind.PinGuessed, second.Id.ToString()), (told.Kind, told.Evidence[0]));

        async Task<ChatPayDevice> GuessAsync()
        {
            var device = await SdkPerson.NewDeviceAsync(server.Address, handle);
            var wrong = await Assert.ThrowsAsync<ChatPayException>(() => device.RecoverAsync("736104", Cancellation));
            Assert.Equal(ClientErrors.WrongPin, wrong.Name);
            foreach (var realm in new[] { 1, 2, 3 })
            {
                // Two minutes long it might still have been the right one.
                await using var command = server.DataSource.CreateCommand(
                    $"update realm_{realm}.vault_attempt set at = at - interval '5 minutes' where device_id = '{device.Id}'");
                Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));
            }

            return device;
        }
    }

    private static async Task<int> RegistrationsAsync(SdkPerson person) =>
        (await person.Device.Client.KeyChainAsync(person.Id, 0, 0, Cancellation)).Entries.Count(static logged =>
            KeyLogEntry.TryRead(logged.Entry, out var entry, out _) && entry.Type == KeyLogEntryType.VaultConfigured);

    private static bool Is(HttpContext context, string method, string path) =>
        context.Request.Method == method && context.Request.Path == path;

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static async Task<OwnKeysRecord> OwnAsync(SdkPerson person) =>
        DeviceCore.Decode<OwnKeysRecord>((await person.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!);
}

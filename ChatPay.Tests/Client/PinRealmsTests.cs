using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>
/// A server that names other realms than those where the PIN was set: the PIN is not lost, the person is told, and it goes to
/// those only where the person has seen them.
/// </summary>
public sealed class PinRealmsTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const string Pin = "480279";
    private const string Next = "902741";

    private readonly HttpFault _fault = new();
    private readonly OtherRealms _others = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Other_realms_are_no_loss_and_get_a_PIN_only_where_the_person_was_shown_them()
    {
        await using var host = await StartAsync();
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store, Cheap);
        Assert.False((await ada.Device.PinRealmsAsync(Cancellation)).AreOther);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        var own = await ada.Device.PinRealmsAsync(Cancellation);
        Assert.Equal((false, 2, 3), (own.AreOther, own.Threshold, own.Realms.Count));
        await ada.Device.DisposeAsync();

        _others.IsNamed = true;
        await using var again = await SdkPerson.OpenAsync(host.Address, store, ada.Handle, Cheap);
        await AssertToldAsync(again);

        // Nothing is lost by it, so an archive may begin.
        await again.Device.TurnOnArchiveAsync(Cancellation);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => again.Device.SetPinAsync(Next, Cancellation));
        Assert.Equal((ClientErrors.VaultRealmsOther, false), (refused.Name, refused.Retryable));
        Assert.Equal(
            _others.Realms, ((IEnumerable<NamedRealm>)refused.Error.Details!["realms"]).Select(static one => one.Realm));

        // Neither where the person saw others than the server names by then.
        refused = await Assert.ThrowsAsync<ChatPayException>(() => again.Device.SetPinAsync(Next, own, Cancellation));
        Assert.Equal(ClientErrors.VaultRealmsOther, refused.Name);
        refused = await Assert.ThrowsAsync<ChatPayException>(() => again.Device.RemovePinAsync(Cancellation));
        Assert.Equal(ClientErrors.VaultRealmsOther, refused.Name);
        Assert.Empty(_others.Asked);

        var shown = await again.Device.PinRealmsAsync(Cancellation);
        Assert.True(shown.AreOther);
        Assert.Equal(_others.Realms, shown.Realms.Select(static one => one.Realm));
        await again.Device.SetPinAsync(Next, shown, Cancellation);
        Assert.Equal(3, _others.Asked.Count(static type => type == VaultMessageType.Register2Request));
        Assert.Equal(PinLoss.None, await again.Device.PinLossAsync(Cancellation));
        Assert.Empty(await again.Device.KeyAlarmsAsync(Cancellation));
        Assert.False((await again.Device.PinRealmsAsync(Cancellation)).AreOther);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Other_realms_are_told_of_once_and_nothing_stays_of_them_when_the_PINs_are_named_again()
    {
        await using var host = await StartAsync();
        var store = new MemoryStore();
        await using (var ada = await SdkPerson.JoinAsync(host.Address, store))
        {
            await using var phone = await ada.OnAnotherDeviceAsync();
            await phone.Device.SetPinAsync(Pin, Cancellation);
        }

        // It has neither set the PIN nor used it, and goes by what it is told first.
        await ReopenAsync(host, store, _ => Eventually.TrueAsync(
            async () => await store.ReadAsync(StoreKeys.PinRealms, Cancellation) is not null, "it has looked"));
        _others.IsNamed = true;
        var handle = await ReopenAsync(host, store, AssertToldAndDismissAsync);


        // A guess that it has not seen yet comes with the next look.
        _others.Told = new([new(DateTimeOffset.UnixEpoch, new(VaultPerson.NewId()), VaultAttemptOutcome.Failed)]);
        await ReopenAsync(host, store, async again =>
        {
            await Eventually.TrueAsync(
                async () => (await again.Device.KeyAlarmsAsync(Cancellation)).Count > 0, "it has looked again");
            Assert.Equal(KeyAlarmKind.PinGuessed, Assert.Single(await again.Device.KeyAlarmsAsync(Cancellation)).Kind);
            Assert.Equal(PinLoss.RealmsOther, await again.Device.PinLossAsync(Cancellation));
        });
        _others.IsNamed = false;
        await ReopenAsync(host, store, static again => Eventually.TrueAsync(
            async () => await again.Device.PinLossAsync(Cancellation) == PinLoss.None, "all is as it was"));
        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, handle);
        await tablet.RecoverAsync(Pin, Cancellation);
        Assert.Empty(_others.Asked);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Who_sets_a_PIN_knows_where_it_is_before_any_look_has_found_it()
    {
        await using var host = await StartAsync();
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: Cheap);
        _fault.Around = async (context, carryOut) =>
        {
            if (await OtherRealms.SentAsync(context) == VaultMessageType.Recover1Request)
            {
                await HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal");
                return;
            }

            await _others.AroundAsync(context, carryOut);
        };
        await ada.Device.SetPinAsync(Pin, Cancellation);
        _others.IsNamed = true;
        Assert.True((await ada.Device.PinRealmsAsync(Cancellation)).AreOther);
    }

    /// <summary>Whether the device knows where the PIN is, or has only heard from the realms that it is not there.</summary>
    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Other_realms_are_spoken_of_no_more_when_the_first_are_named_though_too_few_of_them_answer(bool isKnown)
    {
        await using var host = await StartAsync();
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: Cheap);
        var store = new MemoryStore();
        await using (var phone = await SdkPerson.OpenAsync(host.Address, store, ada.Handle, approver: ada))
        {
        }

        await ada.Device.SetPinAsync(Pin, Cancellation);
        if (isKnown)
        {
            await store.WriteAsync(
                [new(StoreKeys.PinRealms, (await ada.Store.ReadAsync(StoreKeys.PinRealms, Cancellation))!)], Cancellation);
        }

        var view = await ada.Device.Client.VaultAsync(Cancellation);
        _fault.Around = (context, carryOut) => context.Request.Path == "/v1/vault"
            ? context.Response.WriteAsJsonAsync(view with { Threshold = 3 }, ProtocolJson.Create(), Cancellation) : carryOut();
        await ReopenAsync(host, store, AssertToldAsync);
        var silent = view.Realms.Skip(1).Select(static realm => $"/v1/vault/realms/{realm}").ToList();
        _fault.Around = (context, carryOut) => silent.Contains(context.Request.Path.Value!, StringComparer.Ordinal)
            ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        await ReopenAsync(host, store, static again => Eventually.TrueAsync(
            async () => await again.Device.PinLossAsync(Cancellation) == PinLoss.None, "it is said no more"));
        Assert.Equal(isKnown, await store.ReadAsync(StoreKeys.PinRealms, Cancellation) is not null);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_is_lost_stays_so_where_other_realms_are_named_and_is_set_anew_there()
    {
        await using var host = await StartAsync();
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: Cheap);
        await using (var phone = await SdkPerson.OpenAsync(host.Address, store, ada.Handle, approver: ada))
        {
            await ada.Device.SetPinAsync(Pin, Cancellation);
            await Eventually.TrueAsync(
                async () => await store.ReadAsync(StoreKeys.PinRealms, Cancellation) is not null, "it knows where the PIN is");
            await ada.Device.TurnOnArchiveAsync(Cancellation);
        }

        foreach (var realm in new[] { 1, 2, 3 })
        {
            await using var command = server.DataSource.CreateCommand(
                $"delete from realm_{realm}.vault_record where account_id = '{ada.Id}'");
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));
        }

        await ReopenAsync(
            host, store,
            static again => Eventually.TrueAsync(
                async () => await again.Device.PinLossAsync(Cancellation) == PinLoss.NotRegistered, "it knows of the loss"),
            static options => options with { RegistrationLook = TimeSpan.FromMilliseconds(50) });
        _others.IsNamed = true;
        await ReopenAsync(
            host, store,
            async again =>
            {
                await Eventually.TrueAsync(
                    async () => (await again.Device.KeyAlarmsAsync(Cancellation)).Any(
                        static alarm => alarm.Kind == KeyAlarmKind.RealmsOther), "it knows of other realms as well");
                Assert.Equal(PinLoss.NotRegistered, await again.Device.PinLossAsync(Cancellation));

                // The PIN that would bring back the archive's key, which this device has not, is gone.
                await again.Device.SetPinAsync(Next, await again.Device.PinRealmsAsync(Cancellation), Cancellation);
                Assert.Equal(PinLoss.None, await again.Device.PinLossAsync(Cancellation));
            },
            Cheap);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task No_archive_begins_on_a_PIN_that_is_lost_where_other_realms_are_named_since()
    {
        await using var host = await StartAsync();
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store, Cheap);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await ada.Device.DisposeAsync();
        _others.IsNamed = true;
        await ReopenAsync(host, store, AssertToldAsync);

        // As it was found before that.
        var seen = DeviceCore.Decode<VaultSeenRecord>((await store.ReadAsync(StoreKeys.VaultSeen, Cancellation))!);
        var loss = new SeenLoss(seen.Other!.Digest, PinLoss.Locked, DateTimeOffset.UnixEpoch, IsTold: true);
        await store.WriteAsync(
            [new(StoreKeys.VaultSeen, DeviceCore.Encode(seen with { Loss = loss }))], Cancellation);
        await ReopenAsync(host, store, static async again =>
        {
            Assert.Equal(PinLoss.Locked, await again.Device.PinLossAsync(Cancellation));
            var refused = await Assert.ThrowsAsync<ChatPayException>(() => again.Device.TurnOnArchiveAsync(Cancellation));
            Assert.Equal(ClientErrors.ArchiveNeedsPin, refused.Name);
        });
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_without_the_archives_key_sets_a_PIN_elsewhere_once_the_archive_is_off()
    {
        await using var host = await StartAsync();
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: Cheap);
        await using var phone = await SdkPerson.OpenAsync(host.Address, new MemoryStore(), ada.Handle, Cheap, approver: ada);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await Eventually.TrueAsync(
            async () => await phone.Store.ReadAsync(StoreKeys.PinRealms, Cancellation) is not null, "it knows where the PIN is");
        await ada.Device.TurnOnArchiveAsync(Cancellation);
        _others.IsNamed = true;
        var shown = await phone.Device.PinRealmsAsync(Cancellation);
        Assert.True(shown.AreOther);
        var needed = await Assert.ThrowsAsync<ChatPayException>(() => phone.Device.SetPinAsync(Next, shown, Cancellation));
        Assert.Equal(ClientErrors.PinNeeded, needed.Name);
        Assert.Contains("turn the archive off", needed.Message, StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => phone.Device.RecoverAsync(Pin, Cancellation));
        Assert.Equal(ClientErrors.VaultRealmsOther, refused.Name);
        Assert.Empty(_others.Asked);

        await phone.Device.TurnOffArchiveAsync(Cancellation);
        await phone.Device.SetPinAsync(Next, shown, Cancellation);
        Assert.Equal(PinLoss.None, await phone.Device.PinLossAsync(Cancellation));
    }

    /// <summary>A server may name its own when it is asked which there are, and others to who acts on that.</summary>
    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_is_removed_and_a_wait_cancelled_nowhere_but_where_the_PIN_is()
    {
        await using var host = await StartAsync();
        await using var ada = await SdkPerson.JoinAsync(host.Address, new MemoryStore(), Cheap);
        await ada.Device.SetPinAsync(Pin, Cancellation);

        _others.NameAfter(1);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.RemovePinAsync(Cancellation));
        Assert.Equal(ClientErrors.VaultRealmsOther, refused.Name);
        refused = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.CancelPinWaitAsync(Cancellation));
        Assert.Equal(ClientErrors.VaultRealmsOther, refused.Name);
        Assert.Empty(_others.Asked);

        _others.IsNamed = false;
        await using var next = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        await next.RecoverAsync(Pin, Cancellation);
        await ada.Device.RemovePinAsync(Cancellation);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task The_same_realms_at_other_addresses_are_other_realms()
    {
        await using var host = await StartAsync();
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: Cheap);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        var view = await ada.Device.Client.VaultAsync(Cancellation);
        var moved = view with
        {
            Hosts = [.. view.Realms.Select(realm => new RealmHostView(realm, new Uri("http://127.0.0.1:1/"), "Mallory's"))],
        };
        _fault.Around = (context, carryOut) => context.Request.Path == "/v1/vault"
            ? context.Response.WriteAsJsonAsync(moved, ProtocolJson.Create(), Cancellation) : carryOut();
        Assert.True((await ada.Device.PinRealmsAsync(Cancellation)).AreOther);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.SetPinAsync(Next, Cancellation));
        Assert.Equal(ClientErrors.VaultRealmsOther, refused.Name);
        Assert.Contains("Mallory's", refused.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_that_the_PIN_let_in_asks_no_other_realm_for_it()
    {
        await using var host = await StartAsync();
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: Cheap);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        _fault.Around = async (context, carryOut) =>
        {
            // What a guess costs has grown meanwhile, so the PIN is registered anew once it has opened: at no other realms.
            await _others.AroundAsync(context, carryOut);
            _others.IsNamed |= context.Request.Path == "/v1/keys/wrapped";
        };
        await tablet.RecoverAsync(Pin, Cancellation);
        Assert.True(tablet.IsApproved && _others.IsNamed);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => tablet.RecoverAsync(Pin, Cancellation));
        Assert.Equal(ClientErrors.VaultRealmsOther, refused.Name);
        Assert.Empty(_others.Asked);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_new_device_guesses_nothing_where_the_realms_have_the_PIN_as_one_of_another_set()
    {
        await using var host = await StartAsync();
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        var view = await ada.Device.Client.VaultAsync(Cancellation);
        _fault.Around = (context, carryOut) => context.Request.Path == "/v1/vault"
            ? context.Response.WriteAsJsonAsync(view with { Threshold = 3 }, ProtocolJson.Create(), Cancellation) : carryOut();
        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => tablet.RecoverAsync(Pin, Cancellation));
        Assert.Equal(ClientErrors.VaultRealmsOther, refused.Name);
        Assert.Empty((await ada.Device.Client.VaultAttemptsAsync(view.Realms[0], Cancellation)).Attempts);

        // A device that knows nothing of the PIN's realms is told the same by a look, and sets none unseen.
        await using var phone = await ada.OnAnotherDeviceAsync();
        await AssertToldAsync(phone);
        refused = await Assert.ThrowsAsync<ChatPayException>(() => phone.Device.SetPinAsync(Next, Cancellation));
        Assert.Equal(ClientErrors.VaultRealmsOther, refused.Name);
    }

    private static ChatPayDeviceOptions Cheap(ChatPayDeviceOptions options) => options with { PinHash = TestVault.Cheap };

    private static async Task AssertToldAsync(SdkPerson person)
    {
        await Eventually.TrueAsync(
            async () => await person.Device.PinLossAsync(Cancellation) == PinLoss.RealmsOther, "it knows of other realms");
        var alarm = Assert.Single(await person.Device.KeyAlarmsAsync(Cancellation), static alarm =>
            alarm.Kind is KeyAlarmKind.RealmsOther or KeyAlarmKind.PinLost);
        Assert.Equal((KeyAlarmKind.RealmsOther, person.Id), (alarm.Kind, alarm.Account));
    }

    private static async Task AssertToldAndDismissAsync(SdkPerson person)
    {
        await AssertToldAsync(person);
        foreach (var alarm in await person.Device.KeyAlarmsAsync(Cancellation))
        {
            await person.Device.DismissKeyAlarmAsync(alarm.Number, Cancellation);
        }
    }

    private static async Task<string> ReopenAsync(
        TestServer host, MemoryStore store, Func<SdkPerson, Task> look,
        Func<ChatPayDeviceOptions, ChatPayDeviceOptions>? with = null)
    {
        await using var device = await ChatPayDevice.OpenAsync(SdkPerson.Options(host.Address, store), Cancellation);
        var handle = device.Account.Handle;
        await device.DisposeAsync();
        await using var person = await SdkPerson.OpenAsync(host.Address, store, handle, with);
        await look(person);
        return handle;
    }

    private Task<TestServer> StartAsync()
    {
        _fault.Around = _others.AroundAsync;
        return TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
    }
}

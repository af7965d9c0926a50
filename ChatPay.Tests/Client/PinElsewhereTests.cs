using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>PINs whose setting was cut off, while the server names other realms than those that they went to.</summary>
public sealed class PinElsewhereTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const string Pin = "480279";
    private const string Next = "902741";

    private readonly HttpFault _fault = new();
    private readonly OtherRealms _others = new();
    private int _looks;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_looked_for_at_no_other_realms_and_settled_when_its_own_are_named_again(bool isRemoved)
    {
        await using var host = await StartAsync();
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store, Waiting);
        await CutOffAsync(ada);
        if (isRemoved)
        {
            await ada.Device.RemovePinAsync(Cancellation);
        }

        await ada.Device.DisposeAsync();
        _others.IsNamed = true;
        await using (var soon = await SdkPerson.OpenAsync(
            host.Address, store, ada.Handle,
            static options => Waiting(options) with { RegistrationLook = TimeSpan.FromMilliseconds(20) }))
        {
            await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref _looks) > 5), "it is looked for again and again");
            Assert.Equal(isRemoved, Assert.Single(await BegunAsync(soon)).Removed);
        }

        // Once nothing can be on its way any more each connection looks, and nothing else waits for it.
        await using (var later = await SdkPerson.OpenAsync(host.Address, store, ada.Handle, Cheap))
        {
            Volatile.Write(ref _looks, 0);
            await later.Device.RotateIdentityAsync(Cancellation);
            Assert.NotEqual(0, Volatile.Read(ref _looks));
            Assert.Single(await BegunAsync(later));
        }

        Assert.Empty(_others.Asked);
        _others.IsNamed = false;
        await using var again = await SdkPerson.OpenAsync(host.Address, store, ada.Handle, Cheap);
        await Eventually.TrueAsync(async () => (await BegunAsync(again)).Count == 0, "it is settled");
        Assert.Equal((isRemoved ? 0L : 3L, 1), (await StoredAsync(again), (await NamedAsync(again)).Count));
        if (!isRemoved)
        {
            await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
            await tablet.RecoverAsync(Pin, Cancellation);
            Assert.True(tablet.IsApproved);
        }
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_does_not_come_back_in_the_place_of_one_that_was_set_elsewhere_since(bool isSetByAnother)
    {
        await using var host = await StartAsync();
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store, Waiting);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await CutOffAsync(ada);
        _others.IsNamed = true;
        var setter = isSetByAnother ? phone : ada;
        await setter.Device.SetPinAsync(Next, await setter.Device.PinRealmsAsync(Cancellation), Cancellation);
        Assert.Single(await BegunAsync(ada));
        Assert.Equal(3, await StoredAsync(ada));
        await ada.Device.DisposeAsync();

        // As though it had looked there while the other device's PIN was told of.
        var place = (await setter.Store.ReadAsync(StoreKeys.PinRealms, Cancellation))!;
        await store.WriteAsync([new(StoreKeys.PinRealms, place)], Cancellation);
        _others.IsNamed = false;
        await using var again = await SdkPerson.OpenAsync(host.Address, store, ada.Handle, Cheap);
        await Eventually.TrueAsync(async () => (await BegunAsync(again)).Count == 0, "it is settled");
        Assert.Equal(0, await StoredAsync(again));
        Assert.Single(await NamedAsync(again));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Those_that_went_to_realms_that_are_named_no_more_keep_nobody_from_setting_another()
    {
        await using var host = await StartAsync();
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store, Waiting);
        await CutOffAsync(ada);
        await ada.Device.DisposeAsync();
        var begun = Assert.Single(await BegunAsync(ada));
        await store.WriteAsync(
            [
                new(StoreKeys.OwnKeys, DeviceCore.Encode(await OwnAsync(ada) with
                {
                    Registrations =
                    [
                        .. Enumerable.Range(1, OwnKeysRecord.RegistrationsKept)
                            .Select(_ => begun with { Version = VaultPerson.NewId() }),
                    ],
                })),
            ],
            Cancellation);
        _others.IsNamed = true;
        await using var again = await SdkPerson.OpenAsync(host.Address, store, ada.Handle, Cheap);
        await again.Device.SetPinAsync(Next, await again.Device.PinRealmsAsync(Cancellation), Cancellation);
        Assert.Equal(OwnKeysRecord.RegistrationsKept - 1, (await BegunAsync(again)).Count);
    }

    /// <summary>What a guess costs is not looked at here.</summary>
    private static ChatPayDeviceOptions Cheap(ChatPayDeviceOptions options) => options with { PinHash = TestVault.Cheap };

    /// <summary>A registration on its way is waited for longer than any test takes, and so is the next look at it.</summary>
    private static ChatPayDeviceOptions Waiting(ChatPayDeviceOptions options) => Cheap(options) with
    {
        RegistrationOnTheWay = TimeSpan.FromHours(1),
        RegistrationLook = TimeSpan.FromHours(1),
    };

    /// <summary>Sets a PIN that the realms get and of which nothing else comes.</summary>
    private async Task CutOffAsync(SdkPerson person)
    {
        _fault.Around = (context, carryOut) =>
            context.Request.Method == HttpMethods.Put
                ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : AroundAsync(context, carryOut);
        var cut = await Assert.ThrowsAsync<ChatPayException>(() => person.Device.SetPinAsync(Pin, Cancellation));
        Assert.Equal(ErrorCode.Internal, cut.Code);
        Assert.Single(await BegunAsync(person));
        _fault.Around = AroundAsync;
    }

    private Task AroundAsync(HttpContext context, Func<Task> carryOut)
    {
        if (context.Request.Path == "/v1/vault" && _others.IsNamed)
        {
            Interlocked.Increment(ref _looks);
        }

        return _others.AroundAsync(context, carryOut);
    }

    private Task<TestServer> StartAsync()
    {
        _fault.Around = AroundAsync;
        return TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
    }

    /// <summary>The digests that the person's chain has, in order; zeros where a PIN was removed.</summary>
    private static async Task<List<byte[]>> NamedAsync(SdkPerson person)
    {
        var chain = await person.Device.Client.KeyChainAsync(person.Id, 0, 0, Cancellation);
        return [.. chain.Entries
            .Select(static logged => KeyLogEntry.TryRead(logged.Entry, out var entry, out _) ? entry : null)
            .Where(static entry => entry?.Type == KeyLogEntryType.VaultConfigured)
            .Select(static entry => entry!.VaultDigest.ToArray())];
    }

    /// <summary>How many of the server's own realms have a registration.</summary>
    private async Task<long> StoredAsync(SdkPerson person)
    {
        await using var command = server.DataSource.CreateCommand(string.Join(
            " + ", Enumerable.Range(1, 3).Select(
                realm => $"(select count(*) from realm_{realm}.vault_record where account_id = '{person.Id}')"))
            .Insert(0, "select "));
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task<OwnKeysRecord> OwnAsync(SdkPerson person) =>
        DeviceCore.Decode<OwnKeysRecord>((await person.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!);

    private static async Task<IReadOnlyList<PendingRegistration>> BegunAsync(SdkPerson person) =>
        (await OwnAsync(person)).Begun();
}

using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Identity;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>PINs whose setting was cut off: what the realms come to have is named, and opens what the server has.</summary>
public sealed class DevicePinTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private readonly HttpFault _fault = new();
    private readonly ConcurrentQueue<(string Path, string Authorization, byte[] Body)> _late = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_arrives_in_the_middle_of_another_one_is_replaced_by_it()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: WithTime);
        await ada.Device.SetPinAsync("480279", Cancellation);
        await CutOffAsync(ada, "902741");
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var began = 0;
        _fault.Around = async (context, carryOut) =>
        {
            if (await IsRegistrationAsync(context))
            {
                // The late one comes first at all three realms.
                switch (Interlocked.Increment(ref began))
                {
                    case 1:
                        await ArriveAsync(host.Address, _late.Count);
                        arrived.SetResult();
                        break;
                    case 2 or 3:
                        await arrived.Task;
                        break;
                }
            }

            await carryOut();
        };
        await ada.Device.SetPinAsync("618305", Cancellation);
        _fault.Around = null;

        Assert.True(arrived.Task.IsCompletedSuccessfully);
        Assert.Empty(await BegunAsync(ada));
        await AssertOpensAsync(ada, "618305");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_arrives_after_another_one_was_cut_off_as_well_is_named()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store, WithTime);
        await ada.Device.SetPinAsync("480279", Cancellation);
        await CutOffAsync(ada, "902741");
        await CutOffAsync(ada, "618305");
        Assert.Equal(2, (await BegunAsync(ada)).Count);
        await ada.Device.DisposeAsync();
        await ArriveAsync(host.Address, 3);

        await using var again = await SdkPerson.OpenAsync(host.Address, store, ada.Handle, WithTime);
        await Eventually.TrueAsync(
            async () => (await BegunAsync(again)).Count == 0, "one is named in the chain, and the other one given up");
        Assert.Equal(2, await RegistrationsAsync(again));
        await AssertOpensAsync(again, "902741");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task No_more_PINs_are_begun_than_are_remembered()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: WithTime);
        for (var time = 0; time < OwnKeysRecord.RegistrationsKept; time++)
        {
            await CutOffAsync(ada, "902741");
        }

        await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.SetPinAsync("480279", Cancellation));
        Assert.Equal(
            _late.Count / 3, (await BegunAsync(ada)).Select(static begun => begun.Version).Distinct().Count());
        await ArriveAsync(host.Address, 3);
        await ada.Device.SetPinAsync("480279", Cancellation);
        await AssertOpensAsync(ada, "480279");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_arrives_while_the_device_stays_connected_is_named()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(
            host.Address, with: static options => WithTime(options) with { RegistrationLook = TimeSpan.FromMilliseconds(20) });
        await ada.Device.SetPinAsync("480279", Cancellation);
        await CutOffAsync(ada, "902741");
        var (looks, fails) = (0, 0);
        _fault.Around = (context, carryOut) =>
        {
            // A look that fails is not the last one.
            var isLook = context.Request.Path == "/v1/vault";
            return isLook && Interlocked.Increment(ref looks) > 2 && Interlocked.Increment(ref fails) <= 2
                ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        };
        await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref looks) > 5), "it is looked for");
        Assert.Single(await BegunAsync(ada));
        await ArriveAsync(host.Address, 3);
        await Eventually.TrueAsync(async () => (await BegunAsync(ada)).Count == 0, "it is named");
        await AssertOpensAsync(ada, "902741");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_was_cut_off_before_the_keys_were_stored_brings_them_back_nevertheless()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        var (store, handle) = await CutOffUnwrappedAsync(ada);

        await using var phone = await SdkPerson.OpenAsync(host.Address, store, handle);
        await Eventually.TrueAsync(async () => await RegistrationsAsync(phone) == 2, "the chain names the phone's PIN");
        Assert.False(await phone.Device.PinIsVoidAsync(Cancellation));
        await AssertOpensAsync(phone, "902741");
        Assert.Empty(await BegunAsync(phone));
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_PIN_that_would_leave_the_archives_key_behind_is_void_until_one_is_set_anew(bool isSetElsewhere)
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        var (store, handle) = await CutOffUnwrappedAsync(ada);
        await ada.Device.TurnOnArchiveAsync(Cancellation);
        var wrapped = await ada.Device.Client.WrappedKeysAsync(Cancellation);

        await using var phone = await SdkPerson.OpenAsync(host.Address, store, handle);
        await Eventually.TrueAsync(() => phone.Device.PinIsVoidAsync(Cancellation), "the phone knows that the PIN is void");
        Assert.Equal(1, await RegistrationsAsync(phone));
        Assert.Equal(wrapped.Revision, (await ada.Device.Client.WrappedKeysAsync(Cancellation)).Revision);

        await (isSetElsewhere ? ada : phone).Device.SetPinAsync("618305", Cancellation);
        await Eventually.TrueAsync(
            async () => !await phone.Device.PinIsVoidAsync(Cancellation), "the phone knows that another PIN was set");
        await AssertOpensAsync(phone, "618305");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_arrives_after_all_were_removed_is_removed_as_well()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(
            host.Address, store, static options => WithTime(options) with { RegistrationLook = TimeSpan.FromMilliseconds(20) });
        await CutOffAsync(ada, "902741");
        await ada.Device.SetPinAsync("480279", Cancellation);
        await ada.Device.RemovePinAsync(Cancellation);
        var begun = Assert.Single(await BegunAsync(ada));
        Assert.True(begun is { Removed: true, RootSecret: null });

        // One realm first, and when that has gone, the others.
        await ArriveAsync(host.Address, 1);
        await Eventually.TrueAsync(async () => await StoredAsync(ada) == 0, "the one that has come first is deleted");
        await ArriveAsync(host.Address, 2);
        await Eventually.TrueAsync(async () => await StoredAsync(ada) == 0, "so are those that came later");
        Assert.Equal(2, await RegistrationsAsync(ada));
        Assert.Single(await BegunAsync(ada));

        // Once none can arrive any more there is nothing to remember.
        await ada.Device.DisposeAsync();
        await using var again = await SdkPerson.OpenAsync(
            host.Address, store, ada.Handle, static options => options with { RegistrationOnTheWay = TimeSpan.Zero });
        await Eventually.TrueAsync(async () => (await BegunAsync(again)).Count == 0, "it is forgotten");
        Assert.Null((await OwnAsync(again)).RootSecret);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_first_PIN_that_no_realm_has_yet_is_removed_where_it_arrives_and_one_that_is_set_since_stays()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: WithTime);
        await CutOffAsync(ada, "902741");
        await ada.Device.RemovePinAsync(Cancellation);
        await ArriveAsync(host.Address, 3);
        Assert.Equal(3, await StoredAsync(ada));
        await ada.Device.SetPinAsync("618305", Cancellation);
        Assert.True(Assert.Single(await BegunAsync(ada)).Removed);

        // Another look, now that another PIN is there.
        await ada.Device.SetPinAsync("480279", Cancellation);
        Assert.Equal((3L, 2), (await StoredAsync(ada), await RegistrationsAsync(ada)));
        await AssertOpensAsync(ada, "480279");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_arrives_after_another_device_has_removed_all_is_removed_as_well()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(
            host.Address, with: static options => WithTime(options) with { RegistrationLook = TimeSpan.FromMilliseconds(20) });
        await using var phone = await ada.OnAnotherDeviceAsync();
        await CutOffAsync(ada, "902741");
        await phone.Device.SetPinAsync("480279", Cancellation);
        await phone.Device.RemovePinAsync(Cancellation);
        await Eventually.TrueAsync(
            async () => await BegunAsync(ada) is [{ Removed: true }], "the device hears of it");
        var late = (await BegunAsync(ada))[0].Digest;
        await ArriveAsync(host.Address, 3);
        await Eventually.TrueAsync(async () => await StoredAsync(ada) == 0, "it is deleted");

        // The other device may have begun more than once, as this one stored keys beside it.
        var named = await NamedAsync(ada);
        Assert.DoesNotContain(named, digest => digest.AsSpan().SequenceEqual(late));
        Assert.Equal(new byte[KeyLogEntry.DigestSize], named[^1]);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_whose_removal_was_cut_off_is_removed_when_it_is_asked_for_again()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await ada.Device.SetPinAsync("480279", Cancellation);
        _fault.Around = static (context, carryOut) => context.Request.Path == "/v1/keys/entries"
            ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.RemovePinAsync(Cancellation));
        _fault.Around = null;
        Assert.Equal((0L, 1), (await StoredAsync(ada), await RegistrationsAsync(ada)));
        await ada.Device.RemovePinAsync(Cancellation);
        Assert.Equal(2, await RegistrationsAsync(ada));
    }

    /// <summary>Between the device's look at the realms and what it posts, keys are stored that its PIN does not open.</summary>
    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_the_realms_have_is_named_also_where_another_device_stores_keys_at_that_moment()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store);
        await ada.Device.SetPinAsync("480279", Cancellation);
        _fault.Around = static (context, carryOut) => context.Request.Path == "/v1/keys/entries"
            ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.SetPinAsync("902741", Cancellation));
        await ada.Device.DisposeAsync();

        var (isLookedFor, stored) = (0, 0);
        _fault.Around = async (context, carryOut) =>
        {
            if (context.Request.Path.StartsWithSegments("/v1/vault/realms", StringComparison.Ordinal))
            {
                Volatile.Write(ref isLookedFor, 1);
            }
            else if (context.Request.Path == "/v1/keys/wrapped" && context.Request.Method == HttpMethods.Get
                && Volatile.Read(ref isLookedFor) == 1 && Interlocked.Increment(ref stored) == 1)
            {
                await StoreForeignAsync(ada);
            }

            await carryOut();
        };
        await using var again = await SdkPerson.OpenAsync(host.Address, store, ada.Handle);
        await Eventually.TrueAsync(async () => await RegistrationsAsync(again) == 2, "the chain names the PIN");
        await Eventually.TrueAsync(async () => (await BegunAsync(again)).Count == 0, "that is all");
        Assert.True(stored >= 1);
        await AssertOpensAsync(again, "902741");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_an_earlier_version_had_begun_is_named_where_the_realms_have_it_and_given_up_where_not()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        foreach (var hasArrived in new[] { true, false })
        {
            var store = new MemoryStore();
            await using var ada = await SdkPerson.JoinAsync(host.Address, store);
            await ada.Device.SetPinAsync("480279", Cancellation);
            await CutOffAsync(ada, "902741");
            await ada.Device.DisposeAsync();
            if (hasArrived)
            {
                await ArriveAsync(host.Address, 3);
            }

            // As it was written before: one registration, and of that its version and digest.
            var own = await OwnAsync(ada);
            var begun = Assert.Single(own.Begun());
            await store.WriteAsync(
                [
                    new(StoreKeys.OwnKeys, DeviceCore.Encode(own with
                    {
                        Registrations = null,
                        Pending = new PendingRegistration(begun.Version, begun.Digest),
                    })),
                ],
                Cancellation);
            await using var again = await SdkPerson.OpenAsync(host.Address, store, ada.Handle);
            await Eventually.TrueAsync(async () => (await BegunAsync(again)).Count == 0, "it is decided");
            Assert.Equal(hasArrived ? 2 : 1, await RegistrationsAsync(again));
            await AssertOpensAsync(again, hasArrived ? "902741" : "480279");
            _late.Clear();
        }
    }

    /// <summary>A registration on its way is waited for longer than any test takes.</summary>
    private static ChatPayDeviceOptions WithTime(ChatPayDeviceOptions options) =>
        options with { RegistrationOnTheWay = TimeSpan.FromHours(1) };

    /// <summary>A device that does not know the PIN's root secret sets another, and dies before the keys are stored.</summary>
    private async Task<(MemoryStore Store, string Handle)> CutOffUnwrappedAsync(SdkPerson ada)
    {
        var store = new MemoryStore();
        await using var phone = await SdkPerson.OpenAsync(ada.Device.Client.Address, store, ada.Handle, approver: ada);
        await ada.Device.SetPinAsync("480279", Cancellation);
        _fault.Around = static (context, carryOut) =>
            context.Request.Method == HttpMethods.Put && context.Request.Path == "/v1/keys/wrapped"
                ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        var cut = await Assert.ThrowsAsync<ChatPayException>(() => phone.Device.SetPinAsync("902741", Cancellation));
        Assert.Equal(ErrorCode.Internal, cut.Code);
        await phone.Device.DisposeAsync();
        _fault.Around = null;
        return (store, ada.Handle);
    }

    /// <summary>Sets a PIN whose requests are under way still when the device has given up waiting for their answers.</summary>
    private async Task CutOffAsync(SdkPerson person, string pin)
    {
        _fault.Around = async (context, carryOut) =>
        {
            if (await IsRegistrationAsync(context))
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body, Cancellation);
                _late.Enqueue((context.Request.Path, context.Request.Headers.Authorization.ToString(), body.ToArray()));
                await HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal");
            }
            else
            {
                await carryOut();
            }
        };
        var cut = await Assert.ThrowsAsync<ChatPayException>(() => person.Device.SetPinAsync(pin, Cancellation));
        Assert.Equal(ClientErrors.VaultUnavailable, cut.Name);
        _fault.Around = null;
    }

    /// <summary>The first of the requests that nobody waits for any more arrive.</summary>
    private async Task ArriveAsync(Uri address, int count)
    {
        using var http = new HttpClient { BaseAddress = address };
        for (var sent = 0; sent < count; sent++)
        {
            Assert.True(_late.TryDequeue(out var late));
            using var request = new HttpRequestMessage(HttpMethod.Post, late.Path) { Content = new ByteArrayContent(late.Body) };
            request.Content.Headers.ContentType = new("application/json");
            request.Headers.TryAddWithoutValidation("Authorization", late.Authorization);
            request.Headers.Add("Late", "yes");
            using var response = await http.SendAsync(request, Cancellation);
            var answer = JsonSerializer.Deserialize<VaultExchange>(
                await response.Content.ReadAsByteArrayAsync(Cancellation), WireFormat.Json)!;
            Assert.True(VaultMessage.TryRead<Register2Response>(answer.Message, out var stored, out _));
            stored.Dispose();
        }
    }

    private static async Task<bool> IsRegistrationAsync(HttpContext context)
    {
        if (context.Request.Method != HttpMethods.Post || context.Request.Headers.ContainsKey("Late")
            || !context.Request.Path.StartsWithSegments("/v1/vault/realms", StringComparison.Ordinal))
        {
            return false;
        }

        context.Request.EnableBuffering();
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, Cancellation);
        context.Request.Body.Position = 0;
        var exchange = JsonSerializer.Deserialize<VaultExchange>(body.ToArray(), WireFormat.Json)!;
        var isRegistration = VaultMessage.TryRead<Register2Request>(exchange.Message, out var request, out _);
        request?.Dispose();
        return isRegistration;
    }

    private static async Task AssertOpensAsync(SdkPerson person, string pin)
    {
        await using var tablet = await SdkPerson.NewDeviceAsync(person.Device.Client.Address, person.Handle);
        await tablet.RecoverAsync(pin, Cancellation);
        Assert.True(tablet.IsApproved);
    }

    private static async Task<int> RegistrationsAsync(SdkPerson person) => (await NamedAsync(person)).Count;

    /// <summary>The digests that the person's chain has, in order; zeros where a PIN was removed.</summary>
    private static async Task<List<byte[]>> NamedAsync(SdkPerson person)
    {
        var chain = await person.Device.Client.KeyChainAsync(person.Id, 0, 0, Cancellation);
        return [.. chain.Entries
            .Select(static logged => KeyLogEntry.TryRead(logged.Entry, out var entry, out _) ? entry : null)
            .Where(static entry => entry?.Type == KeyLogEntryType.VaultConfigured)
            .Select(static entry => entry!.VaultDigest.ToArray())];
    }

    /// <summary>How many realms have a registration.</summary>
    private async Task<long> StoredAsync(SdkPerson person)
    {
        await using var command = server.DataSource.CreateCommand(string.Join(
            " + ", Enumerable.Range(1, 3).Select(
                realm => $"(select count(*) from realm_{realm}.vault_record where account_id = '{person.Id}')"))
            .Insert(0, "select "));
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    /// <summary>Keys that a root secret wraps which nobody has.</summary>
    private static async Task StoreForeignAsync(SdkPerson person)
    {
        using var client = new ChatPayClient(person.Device.Client.Address, person.Device.Client.Token);
        var own = await OwnAsync(person);
        using var keys = AccountKeys.Of(own.IdentitySeed, own.ArchiveKey);
        var foreign = keys.Wrap(
            person.Id, RandomNumberGenerator.GetBytes(AccountKeys.RootSecretSize), RandomNumberGenerator.Fill);
        var view = await client.WrappedKeysAsync(Cancellation);
        await client.StoreWrappedKeysAsync(new(view.Revision, foreign), Cancellation);
    }

    private static async Task<OwnKeysRecord> OwnAsync(SdkPerson person) =>
        DeviceCore.Decode<OwnKeysRecord>((await person.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!);

    private static async Task<IReadOnlyList<PendingRegistration>> BegunAsync(SdkPerson person) =>
        (await OwnAsync(person)).Begun();
}

using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>
/// Of what others do at the vault an account's devices tell its person, once for each act, and lying realms crowd out nothing
/// else.
/// </summary>
public sealed class PinAlarmTests(ServerFixture server, PostgresFixture postgres) : IClassFixture<ServerFixture>
{
    private const string Pin = "480279";
    private const string Wrong = "736104";

    private readonly HttpFault _fault = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Whoever_opens_the_vault_and_does_not_come_into_the_account_is_told_of()
    {
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(server.Address, store);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await ada.Device.DisposeAsync();

        // One of the account's own comes in by the PIN, and forgives what a stranger tried.
        await using var guesser = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        await Assert.ThrowsAsync<ChatPayException>(() => guesser.RecoverAsync(Wrong, Cancellation));
        await using var phone = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        await phone.RecoverAsync(Pin, Cancellation);
        await using var thief = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        await OpenVaultAsync(thief);
        await ShiftAsync(server.DataSource, guesser.Id);

        await using var again = await SdkPerson.OpenAsync(
            server.Address, store, ada.Handle, static options => options with { EntersWithin = TimeSpan.Zero });
        await Eventually.TrueAsync(
            async () => await OfAsync(again, KeyAlarmKind.PinOpened) is { Count: > 0 }, "it is told of");
        Assert.Equal([thief.Id.ToString()], await OfAsync(again, KeyAlarmKind.PinOpened));
        Assert.Equal([guesser.Id.ToString()], await OfAsync(again, KeyAlarmKind.PinGuessed));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_stranger_that_opens_the_vault_is_told_of_while_the_device_is_connected()
    {
        await using var ada = await SdkPerson.JoinAsync(
            server.Address, with: static options => options with { EntersWithin = TimeSpan.FromMilliseconds(500) });
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await using var thief = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        await OpenVaultAsync(thief);
        await Eventually.TrueAsync(
            async () => await OfAsync(ada, KeyAlarmKind.PinOpened) is [var one] && one == thief.Id.ToString(),
            "it is told of");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task The_first_wrong_guess_after_a_PIN_was_set_is_told_of_on_every_device_that_stood_by()
    {
        // Of nodes that share no Redis the one that finds that a guess is over tells its own devices: there is one.
        var database = await postgres.CreateDatabaseAsync();
        await using var host = await TestServer.StartAsync(
            database, new Dictionary<string, string?>(StringComparer.Ordinal) { ["Vault:BeatSeconds"] = "1" });
        await using var source = NpgsqlDataSource.Create(database);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await using var guesser = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        await Assert.ThrowsAsync<ChatPayException>(() => guesser.RecoverAsync(Wrong, Cancellation));
        await ShiftAsync(source, guesser.Id);
        foreach (var person in new[] { ada, phone })
        {
            await Eventually.TrueAsync(
                async () => await OfAsync(person, KeyAlarmKind.PinGuessed) is [var one] && one == guesser.Id.ToString(),
                "it is told of");
        }
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_wait_that_is_begun_again_within_the_minute_alarms_again()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await using var thief = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        var vault = new PinVault(thief.Client, RandomNumberGenerator.Fill);
        for (var count = 1; count <= 2; count++)
        {
            Assert.True((await vault.BeginWaitAsync(Cancellation)).Step.IsOk);
            await Eventually.TrueAsync(
                async () => (await OfAsync(ada, KeyAlarmKind.PinWait)).Count >= count, "it is told of the wait");
            await ada.Device.CancelPinWaitAsync(Cancellation);
            Assert.Equal(count, (await OfAsync(ada, KeyAlarmKind.PinWait)).Count);
        }
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_wait_that_is_begun_at_other_realms_after_it_was_cancelled_alarms_again()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await using var thief = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        var realms = (await ada.Device.Client.VaultAsync(Cancellation)).Realms;
        await BeginAtAsync([realms[0]]);
        await Eventually.TrueAsync(
            async () => (await OfAsync(ada, KeyAlarmKind.PinWait)).Count == 1, "it is told of the wait");
        await ada.Device.CancelPinWaitAsync(Cancellation);
        await BeginAtAsync([realms[1], realms[2]]);
        await Eventually.TrueAsync(
            async () => (await OfAsync(ada, KeyAlarmKind.PinWait)).Count == 2, "it is told of the other wait");

        async Task BeginAtAsync(IEnumerable<Guid> some)
        {
            var paths = some.Select(static realm => $"/v1/vault/realms/{realm}").ToList();
            _fault.Around = (context, carryOut) => HttpMethods.IsPost(context.Request.Method)
                && context.Request.Headers.Authorization == $"Bearer {thief.Client.Token}"
                && !paths.Contains(context.Request.Path.Value!, StringComparer.Ordinal)
                ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
            await new PinVault(thief.Client, RandomNumberGenerator.Fill).BeginWaitAsync(Cancellation);
        }
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_realm_that_makes_up_guesses_crowds_out_no_other_alarm()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        var liar = (await ada.Device.Client.VaultAsync(Cancellation)).Realms[0];
        _fault.Around = (context, carryOut) => context.Request.Path == $"/v1/vault/realms/{liar}/attempts"
            ? context.Response.WriteAsJsonAsync(
                new VaultAttempts([.. Enumerable.Range(0, 5000).Select(at => new VaultAttempt(
                    DateTimeOffset.UnixEpoch.AddHours(at), new DeviceId(VaultPerson.NewId()), VaultAttemptOutcome.Failed))]),
                ProtocolJson.Create(), Cancellation)
            : carryOut();
        await using var thief = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        await new PinVault(thief.Client, RandomNumberGenerator.Fill).BeginWaitAsync(Cancellation);
        await Eventually.TrueAsync(
            async () => await OfAsync(ada, KeyAlarmKind.PinGuessed) is { Count: > 0 }, "it is told of guesses");
        Assert.Equal(KeyAlarms.PlacesOfRealms, (await OfAsync(ada, KeyAlarmKind.PinGuessed)).Count);
        var seen = DeviceCore.Decode<VaultSeenRecord>((await ada.Store.ReadAsync(StoreKeys.VaultSeen, Cancellation))!);
        Assert.InRange(seen.Failed!.Sum(static act => act.Parts.Count), Limits.VaultAttempts, 3 * Limits.VaultAttempts);

        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        await tablet.RecoverAsync(Pin, Cancellation);
        await Eventually.TrueAsync(
            async () => await OfAsync(ada, KeyAlarmKind.OwnKeysChanged) is { Count: 1 }, "it is told of the other device");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Alarms_of_other_kinds_have_all_their_places_beside_those_of_realms()
    {
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(server.Address, store);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await ada.Device.DisposeAsync();
        KeyAlarmKind[] kinds =
        [
            KeyAlarmKind.PinGuessed, KeyAlarmKind.PinWait, KeyAlarmKind.PinOpened, KeyAlarmKind.PinLost,
            KeyAlarmKind.RealmsOther, KeyAlarmKind.RealmLied,
        ];
        var places = kinds.Length * KeyAlarms.PlacesOfRealms;
        var alarms = Enumerable.Range(1, places + KeyAlarms.AlarmsKept - 1).Select(number =>
            new KeyAlarm(
                number, number <= places ? kinds[number % kinds.Length] : KeyAlarmKind.LogForked,
                DateTimeOffset.UnixEpoch, null, [$"{number}"]));
        await store.WriteAsync(
            [.. alarms.Select(static alarm => new StoreChange(StoreKeys.KeyAlarm(alarm.Number), DeviceCore.Encode(alarm)))],
            Cancellation);
        await using var tablet = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        await tablet.RecoverAsync(Pin, Cancellation);
        await using var again = await SdkPerson.OpenAsync(server.Address, store, ada.Handle);
        await Eventually.TrueAsync(
            async () => await OfAsync(again, KeyAlarmKind.OwnKeysChanged) is { Count: 1 }, "it is told of the other device");
    }

    /// <summary>Guesses that failed are forgiven as well as may be.</summary>
    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_recovery_whose_guesses_are_not_given_back_is_one_all_the_same()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await using var phone = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        await Assert.ThrowsAsync<ChatPayException>(() => phone.RecoverAsync(Wrong, Cancellation));
        var isUnwrapping = 0;
        _fault.Around = (context, carryOut) =>
        {
            if (context.Request.Path == "/v1/keys/wrapped")
            {
                Volatile.Write(ref isUnwrapping, 1);
            }

            return Volatile.Read(ref isUnwrapping) == 1 && context.Request.Path == "/v1/vault"
                ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        };
        await phone.RecoverAsync(Pin, Cancellation);
        Assert.True(phone.IsApproved);
        Assert.Equal(1, isUnwrapping);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task No_archive_begins_whose_key_no_PIN_brings_back()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        _fault.Around = static (context, carryOut) => context.Request.Method == HttpMethods.Put
            ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.SetPinAsync(Pin, Cancellation));
        var own = DeviceCore.Decode<OwnKeysRecord>((await ada.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!);
        Assert.NotNull(own.RootSecret);
        _fault.Around = static (context, carryOut) => context.Request.Path == "/v1/keys/entries"
            ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.TurnOnArchiveAsync(Cancellation));
        Assert.Equal(ClientErrors.ArchiveNeedsPin, refused.Name);
        Assert.False((await ada.Device.ArchiveStateAsync(Cancellation)).IsOn);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_that_was_approved_long_ago_and_comes_now_is_told_of()
    {
        var clock = new LateTime();
        await using var ada = await SdkPerson.JoinAsync(server.Address, with: options => options with
        {
            Session = options.Session with { Time = clock },
        });
        await using var prompt = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        await ada.ApproveAsync(prompt);
        await Eventually.TrueAsync(async () => await ApprovalsAsync(ada) == 0, "it has come, and is expected no more");
        await ada.Device.SetPinAsync(Pin, Cancellation);
        var store = new MemoryStore();
        string code;
        await using (var late = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, store), Cancellation))
        {
            await late.SignInAsync(ada.Handle, Person.Password, Cancellation);
            code = (await late.ApprovalCodeAsync(Cancellation))!;
        }

        await ada.Device.ApproveAsync(code, Cancellation);
        Assert.Equal(1, await ApprovalsAsync(ada));
        Assert.Empty(await ada.Device.KeyAlarmsAsync(Cancellation));
        clock.Late = TimeSpan.FromDays(8);
        await using var again = await ChatPayDevice.OpenAsync(SdkPerson.Options(server.Address, store), Cancellation);
        await Eventually.TrueAsync(
            async () => await OfAsync(ada, KeyAlarmKind.OwnKeysChanged) is { Count: 1 }, "it is told of the late device");
        await Eventually.TrueAsync(async () => await ApprovalsAsync(ada) == 0, "it is expected no more");
    }

    private static async Task<int> ApprovalsAsync(SdkPerson person) => DeviceCore.Decode<OwnKeysRecord>(
        (await person.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!).Approvals?.Count ?? 0;

    /// <summary>As a program would that has a session and the PIN, and wants nobody to know.</summary>
    private static async Task OpenVaultAsync(ChatPayDevice device)
    {
        var root = new byte[32];
        using var pin = TestVault.PinOf(Pin);
        var step = await new PinVault(device.Client, RandomNumberGenerator.Fill).RecoverAsync(pin, root, [], Cancellation);
        Assert.True(step.IsOk, step.Rejection.ToString());
    }

    /// <summary>The first evidence of each alarm of a kind.</summary>
    private static async Task<IReadOnlyList<string>> OfAsync(SdkPerson person, KeyAlarmKind kind) =>
    [
        .. (await person.Device.KeyAlarmsAsync(Cancellation)).Where(alarm => alarm.Kind == kind)
            .Select(static alarm => alarm.Evidence[0]),
    ];

    /// <summary>Two minutes long a guess might still have been the right one.</summary>
    private static async Task ShiftAsync(NpgsqlDataSource source, DeviceId device)
    {
        foreach (var realm in new[] { 1, 2, 3 })
        {
            await using var command = source.CreateCommand(
                $"update realm_{realm}.vault_attempt set at = now() - interval '2 minutes' where device_id = '{device}'");
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));
        }
    }
}

using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>
/// A PIN that the vault has no more: whoever tries it is told what happened, and the account's devices ask for another one.
/// </summary>
public sealed class PinLossTests(PostgresFixture postgres)
{
    private const string Pin = "480279";
    private const string Wrong = "736104";
    private const string Next = "902741";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Guesses_that_a_stranger_used_up_are_told_and_a_signed_in_device_sets_the_PIN_anew()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var host = await StartAsync(database);
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store, Cheap);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await using var stranger = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        for (var left = VaultLimits.Guesses - 1; left >= 0; left--)
        {
            var wrong = await Assert.ThrowsAsync<ChatPayException>(() => stranger.RecoverAsync(Wrong, Cancellation));
            Assert.Equal((ClientErrors.WrongPin, left), (wrong.Name, wrong.Error.Details!["guessesLeft"]));
        }

        // While one of them is open it may still turn out right: nothing is lost yet.
        var open = await Assert.ThrowsAsync<ChatPayException>(() => stranger.RecoverAsync(Pin, Cancellation));
        Assert.Equal(ClientErrors.VaultUsedUp, open.Name);
        await ExecuteAsync(database, [1, 2, 3], "update vault_attempt set at = now() - interval '2 minutes'");
        await AssertAsksAsync(ada, PinLoss.GuessesExhausted);
        await AssertRefusedAsync(stranger, ClientErrors.VaultExhausted);
        Assert.Contains(
            await ada.Device.KeyAlarmsAsync(Cancellation),
            alarm => alarm.Kind == KeyAlarmKind.PinGuessed && alarm.Evidence[0] == stranger.Id.ToString());

        // It says so for as long as it is so, and alarms no second time; a guess that it has not seen comes with the look.
        await DismissAsync(ada);
        await ada.Device.DisposeAsync();
        await ExecuteAsync(
            database, [1],
            "update vault_attempt set at = at - interval '1 hour', device_id = gen_random_uuid() "
            + "where id = (select id from vault_attempt limit 1)");
        await using var again = await SdkPerson.OpenAsync(host.Address, store, ada.Handle);
        await Eventually.TrueAsync(
            async () => (await again.Device.KeyAlarmsAsync(Cancellation)).Count > 0, "it has looked");
        Assert.Equal(
            KeyAlarmKind.PinGuessed, Assert.Single(await again.Device.KeyAlarmsAsync(Cancellation)).Kind);
        Assert.Equal(PinLoss.GuessesExhausted, await again.Device.PinLossAsync(Cancellation));
        await AssertSetAnewAsync(again, host);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task The_last_guess_that_is_open_still_is_no_loss()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var host = await StartAsync(database);
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: Cheap);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await ExecuteAsync(database, [1, 2, 3], "update vault_record set used = max_guesses - 1, attempts = max_guesses - 1");
        await using var stranger = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        var wrong = await Assert.ThrowsAsync<ChatPayException>(() => stranger.RecoverAsync(Wrong, Cancellation));
        Assert.Equal((ClientErrors.WrongPin, (object)0), (wrong.Name, wrong.Error.Details!["guessesLeft"]));
        Assert.Contains("no guess is left now", wrong.Message, StringComparison.Ordinal);
        var vault = new PinVault(ada.Device.Client, RandomNumberGenerator.Fill);
        Assert.Null((await vault.LookAsync(Cancellation)).Loss);
        await ExecuteAsync(database, [1, 2, 3], "update vault_attempt set at = now() - interval '2 minutes'");
        Assert.Equal(PinLoss.GuessesExhausted, (await vault.LookAsync(Cancellation)).Loss);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_restored_backup_is_told_and_a_signed_in_device_sets_the_PIN_anew()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var host = await StartAsync(database);
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await ada.Device.DisposeAsync();

        // One realm alone is no loss: two others have what is needed.
        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        var vault = new PinVault(tablet.Client, RandomNumberGenerator.Fill);
        await ExecuteAsync(database, [1], "update realm set beat = 0");
        await Eventually.TrueAsync(
            async () => await LockedAsync(database, [1]) == 1, "one realm is locked");
        Assert.Equal(PinLoss.None, (await vault.LookAsync(Cancellation)).Loss);

        await ExecuteAsync(database, [2], "update realm set beat = 0");
        await Eventually.TrueAsync(
            async () => await LockedAsync(database, [1, 2]) == 2, "two realms are locked");
        await AssertRefusedAsync(tablet, ClientErrors.VaultLocked);
        await using var again = await SdkPerson.OpenAsync(host.Address, store, ada.Handle);
        await AssertAsksAsync(again, PinLoss.Locked);
        await AssertSetAnewAsync(again, host);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_was_deleted_is_told_when_it_has_been_seen_twice_and_keeps_no_archive()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var host = await StartAsync(database);
        var store = new MemoryStore();
        await using var ada = await SdkPerson.JoinAsync(host.Address, store);
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await ada.Device.DisposeAsync();
        await ExecuteAsync(database, [1, 3], "delete from vault_record");
        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        await AssertRefusedAsync(tablet, ClientErrors.VaultNotRegistered);
        await using var again = await SdkPerson.OpenAsync(
            host.Address, store, ada.Handle,
            static options => options with { RegistrationLook = TimeSpan.FromMilliseconds(50) });
        await AssertAsksAsync(again, PinLoss.NotRegistered);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => again.Device.TurnOnArchiveAsync(Cancellation));
        Assert.Equal(ClientErrors.ArchiveNeedsPin, refused.Name);
        await AssertSetAnewAsync(again, host);
        await again.Device.TurnOnArchiveAsync(Cancellation);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_is_lost_is_set_anew_also_by_a_device_without_the_archives_key()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var host = await StartAsync(database);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await ada.Device.TurnOnArchiveAsync(Cancellation);
        var needed = await Assert.ThrowsAsync<ChatPayException>(() => phone.Device.SetPinAsync(Next, Cancellation));
        Assert.Equal(ClientErrors.PinNeeded, needed.Name);
        await ExecuteAsync(database, [1, 2, 3], "delete from vault_record");
        await AssertSetAnewAsync(phone, host);
    }

    /// <summary>Of what a guess costs nothing depends here, and there are many.</summary>
    private static ChatPayDeviceOptions Cheap(ChatPayDeviceOptions options) => options with { PinHash = TestVault.Cheap };

    private static Task<TestServer> StartAsync(string database) => TestServer.StartAsync(
        database, new Dictionary<string, string?>(StringComparer.Ordinal) { ["Vault:BeatSeconds"] = "1" });

    private static async Task AssertRefusedAsync(ChatPayDevice device, string name)
    {
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => device.RecoverAsync(Pin, Cancellation));
        Assert.Equal((name, false), (refused.Name, refused.Retryable));
        Assert.Contains("Set the PIN anew", refused.Message, StringComparison.Ordinal);
    }

    private static async Task AssertAsksAsync(SdkPerson person, PinLoss loss)
    {
        await Eventually.TrueAsync(
            async () => await person.Device.PinLossAsync(Cancellation) == loss, "the device knows that the PIN is lost");
        var alarm = Assert.Single(
            await person.Device.KeyAlarmsAsync(Cancellation), static alarm => alarm.Kind == KeyAlarmKind.PinLost);
        Assert.Equal((person.Id, loss.ToString()), (alarm.Account, alarm.Evidence[0]));
    }

    private static async Task AssertSetAnewAsync(SdkPerson person, TestServer host)
    {
        await person.Device.SetPinAsync(Next, Cancellation);
        Assert.Equal(PinLoss.None, await person.Device.PinLossAsync(Cancellation));
        Assert.DoesNotContain(
            await person.Device.KeyAlarmsAsync(Cancellation), static alarm => alarm.Kind == KeyAlarmKind.PinLost);
        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, person.Handle);
        await tablet.RecoverAsync(Next, Cancellation);
        Assert.True(tablet.IsApproved);
    }

    private static async Task DismissAsync(SdkPerson person)
    {
        foreach (var alarm in await person.Device.KeyAlarmsAsync(Cancellation))
        {
            await person.Device.DismissKeyAlarmAsync(alarm.Number, Cancellation);
        }
    }

    /// <summary>How many of the realms have begun another lineage than their records are of.</summary>
    private static async Task<int> LockedAsync(string database, IReadOnlyList<int> realms)
    {
        var locked = 0;
        foreach (var realm in realms)
        {
            await using var connection = await OpenAsync(database, realm);
            await using var command = new NpgsqlCommand(
                "select count(*)::int from vault_record v join realm r on r.lineage <> v.lineage", connection);
            locked += (int)(await command.ExecuteScalarAsync(Cancellation))!;
        }

        return locked;
    }

    private static async Task ExecuteAsync(string database, IReadOnlyList<int> realms, string sql)
    {
        foreach (var realm in realms)
        {
            await using var connection = await OpenAsync(database, realm);
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(Cancellation);
        }
    }

    private static async Task<NpgsqlConnection> OpenAsync(string database, int realm)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(database) { SearchPath = $"realm_{realm}", Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancellation);
        return connection;
    }
}

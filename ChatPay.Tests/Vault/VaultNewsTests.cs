using System.Security.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Tests.Cluster;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>
/// What an account's other devices hear of its vault, here over two nodes, and the wait in which they may object.
/// </summary>
public sealed class VaultNewsTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Pin = "480279";
    private const string Other = "736104";

    private string _database = "";
    private RedisProcess? _redis;
    private TwoNodes? _nodes;
    private Person? _ada;
    private Person? _elsewhere;
    private VaultPerson? _person;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync();
        _redis = await RedisProcess.StartNewAsync();
        _nodes = await TwoNodes.OverRedisAsync(_database, _redis);
        _ada = await Person.JoinAsync(_nodes.A.Address);
        _elsewhere = await _ada.OnAnotherDeviceAsync(_nodes.B.Address);
        _person = VaultPerson.Of(_ada);
        Assert.True((await _person.RegisterAsync(Pin)).IsOk);
    }

    public async ValueTask DisposeAsync()
    {
        await _elsewhere!.DisposeAsync();
        await _ada!.DisposeAsync();
        await _nodes!.DisposeAsync();
        await _redis!.DisposeAsync();
    }

    [Fact]
    public async Task A_guess_and_how_it_ended_is_told_to_a_device_on_another_node()
    {
        Assert.Equal(VaultRejection.WrongPin, (await _person!.RecoverAsync("480278")).Rejection);
        await HearAsync(signal => signal.Attempt is { Outcome: VaultAttemptOutcome.Open }, times: 3);
        Assert.True((await _person.RecoverAsync(Pin)).IsOk);
        var ended = await _elsewhere!.Keys.FirstAsync(
            signal => signal.Attempt is { Outcome: VaultAttemptOutcome.Succeeded });
        Assert.Equal((_ada!.Id, 0L, _ada.Device), (ended.Account, ended.Length, ended.Attempt!.Device));
        await HearAsync(signal => signal.Attempt is { Outcome: VaultAttemptOutcome.Open }, times: 6);
        var realms = (await _ada.Client.VaultAsync(Cancellation)).Realms;
        Assert.Equal(
            realms.Order(),
            _elsewhere.Keys.Items.Where(signal => signal.Attempt is not null)
                .Select(signal => signal.Attempt!.Realm!.Value).Distinct().Order());
    }

    [Fact]
    public async Task A_wait_is_told_to_other_devices_and_one_of_them_cancels_it_with_the_identity_key()
    {
        var mine = _person!.IdentityKey;
        var (begun, left) = await _person.Vault.BeginWaitAsync(Cancellation);
        Assert.True(begun.IsOk, begun.Rejection.ToString());
        Assert.InRange(left!.Value, TimeSpan.FromHours(71.9), TimeSpan.FromHours(72));
        await HearAsync(signal => signal.Wait is { State: VaultWaitState.Begun }, times: 3);
        Assert.Equal(_ada!.Device, (await WaitsAsync())[0]!.Device);

        // Who asks again waits no shorter and no longer.
        Assert.True((await _person.Vault.BeginWaitAsync(Cancellation)).Left <= left);
        _person.IdentityKey = TestVault.NewKey(RandomNumberGenerator.Fill);
        Assert.Equal(VaultRejection.WaitPending, (await _person.RegisterAsync(Other)).Rejection);
        Assert.Equal(VaultRejection.WaitPending, (await _person.Vault.DeleteAsync(Cancellation)).Rejection);

        var other = VaultPerson.Of(_elsewhere!, _person);
        Assert.Equal(
            VaultRejection.SignatureInvalid,
            (await other.Vault.CancelWaitAsync(_person.IdentityKey, Cancellation)).Rejection);
        Assert.True((await other.Vault.CancelWaitAsync(mine, Cancellation)).IsOk);
        await HearAsync(signal => signal.Wait is { State: VaultWaitState.Cancelled }, times: 3);
        Assert.All(await WaitsAsync(), Assert.Null);
        Assert.Equal(VaultRejection.SignatureInvalid, (await _person.RegisterAsync(Other)).Rejection);
        Assert.True((await _person.RecoverAsync(Pin)).IsOk);
    }

    [Fact]
    public async Task After_the_wait_what_was_asked_for_is_carried_out_when_asked_again()
    {
        _person!.IdentityKey = TestVault.NewKey(RandomNumberGenerator.Fill);
        Assert.True((await _person.Vault.BeginWaitAsync(Cancellation)).Step.IsOk);
        await SetWaitsAsync("now() - interval '8 days'");
        Assert.Equal(VaultRejection.SignatureInvalid, (await _person.RegisterAsync(Other)).Rejection);

        Assert.True((await _person.Vault.BeginWaitAsync(Cancellation)).Step.IsOk);
        await SetWaitsAsync("now() + interval '1 minute'");
        Assert.Equal(VaultRejection.WaitPending, (await _person.RegisterAsync(Other)).Rejection);
        await SetWaitsAsync("now() - interval '1 second'");
        Assert.True((await _person.RegisterAsync(Other)).IsOk);
        await HearAsync(signal => signal.Wait is { State: VaultWaitState.CarriedOut }, times: 3);
        Assert.True((await _person.RecoverAsync(Other)).IsOk);
        Assert.All(await WaitsAsync(), Assert.Null);

        // A registration that the identity key signs ends a wait as a statement does.
        Assert.True((await _person.Vault.BeginWaitAsync(Cancellation)).Step.IsOk);
        Assert.True((await _person.RegisterAsync(Pin)).IsOk);
        await HearAsync(signal => signal.Wait is { State: VaultWaitState.Cancelled }, times: 3);
        Assert.Equal(VaultRejection.SignatureInvalid, (await _person.Vault.DeleteAsync(Cancellation)).Rejection);

        Assert.True((await _person.Vault.BeginWaitAsync(Cancellation)).Step.IsOk);
        await SetWaitsAsync("now()");
        Assert.True((await _person.Vault.DeleteAsync(Cancellation)).IsOk);
        Assert.Equal(VaultRejection.NotRegistered, (await _person.RecoverAsync(Pin)).Rejection);
    }

    private Task HearAsync(Predicate<KeysSignal> which, int times) => Eventually.TrueAsync(
        () => Task.FromResult(_elsewhere!.Keys.Items.Count(signal => which(signal)) >= times), "the other device hears of it");

    private async Task<IReadOnlyList<VaultWait?>> WaitsAsync()
    {
        var waits = new List<VaultWait?>();
        foreach (var realm in (await _elsewhere!.Client.VaultAsync(Cancellation)).Realms)
        {
            waits.Add((await _elsewhere.Client.VaultAttemptsAsync(realm, Cancellation)).Wait);
        }

        return waits;
    }

    /// <summary>Lets time pass: the waits end when this says.</summary>
    private async Task SetWaitsAsync(string until)
    {
        for (var index = 1; index <= 3; index++)
        {
            await using var source = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(_database) { SearchPath = $"realm_{index}", Pooling = false });
            await using var command = source.CreateCommand($"update vault_record set wait_until = {until}");
            await command.ExecuteNonQueryAsync(Cancellation);
        }
    }
}

using System.Collections.Concurrent;
using System.Net;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Accounts;

/// <summary>Other features hear of new accounts and revoked devices, and what they fail at is done again.</summary>
public sealed class AccountLifecycleTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    [Fact]
    public async Task A_new_account_is_open_everywhere_before_its_owner_hears_of_it()
    {
        var feature = new Feature();
        await using var server = await StartAsync(feature);
        using var client = server.Client();
        var up = await client.SignUpAsync();

        Assert.Equal([up.Account.Id], feature.Opened);
        Assert.True(await IsDoneAsync("account", "opened_at", up.Account.Id.Value));
    }

    [Fact]
    public async Task A_feature_that_fails_keeps_nobody_from_signing_up_and_is_asked_again()
    {
        var failing = new Feature { FailuresLeft = 1 };
        var other = new Feature();
        await using var server = await StartAsync(failing, other);
        using var client = server.Client();
        var up = await client.SignUpAsync();

        Assert.Equal([up.Account.Id], other.Opened);
        Assert.DoesNotContain(up.Account.Id, failing.Opened);
        Assert.Contains("[2050]", server.Log, StringComparison.Ordinal);
        await EventuallyAsync(() => IsDoneAsync("account", "opened_at", up.Account.Id.Value));
        Assert.Contains(up.Account.Id, failing.Opened);
    }

    [Fact]
    public async Task What_a_dead_node_left_undone_another_does()
    {
        Guid account;
        await using (var dying = await StartAsync(new Feature { FailuresLeft = int.MaxValue }))
        {
            using var client = dying.Client();
            account = (await client.SignUpAsync()).Account.Id.Value;
            Assert.False(await IsDoneAsync("account", "opened_at", account));
        }

        var feature = new Feature();
        await using var server = await StartAsync(feature);
        await EventuallyAsync(() => IsDoneAsync("account", "opened_at", account));
        Assert.Contains(new AccountId(account), feature.Opened);
    }

    [Fact]
    public async Task A_revoked_device_is_dropped_everywhere_sooner_or_later()
    {
        var failing = new Feature();
        var other = new Feature();
        await using var server = await StartAsync(failing, other);
        using var client = server.Client();
        var request = AccountsClient.FreshSignUp();
        var up = await client.SignUpAsync(request);
        using var phone = server.Client();
        var gone = (await phone.SignInAsync(new SignInRequest(
            request.Handle, request.Password, AccountsClient.FreshDevice()))).Device.Id;

        failing.FailuresLeft = 2;
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/v1/devices/{gone}")).StatusCode);
        Assert.Contains((up.Account.Id, gone), other.Revoked);
        Assert.Contains(gone, other.Ended);
        await EventuallyAsync(() => IsDoneAsync("device", "dropped_at", gone.Value));
        Assert.Contains((up.Account.Id, gone), failing.Revoked);
    }

    [Fact]
    public async Task Whoever_is_signed_out_by_somebody_is_told_to_the_features()
    {
        var feature = new Feature();
        await using var server = await StartAsync(feature);
        using var client = server.Client();
        var request = AccountsClient.FreshSignUp();
        var up = await client.SignUpAsync(request);
        using var phone = server.Client();
        var other = await phone.SignInAsync(new SignInRequest(
            request.Handle, request.Password, AccountsClient.FreshDevice()));
        Assert.Empty(feature.Ended);

        await client.SendAsync(
            HttpMethod.Put, "/v1/me/password", new ChangePasswordRequest(request.Password, "heron-violin-311"));
        Assert.Equal([other.Device.Id], feature.Ended);

        await client.DeleteAsync("/v1/sessions/current");
        Assert.Equal([other.Device.Id, up.Device.Id], feature.Ended);
    }

    private Task<TestServer> StartAsync(params Feature[] features) => AccountsServer.StartAsync(
        database.ConnectionString,
        services =>
        {
            foreach (var feature in features)
            {
                services.AddSingleton<IAccountLifecycle>(feature);
            }
        },
        "Accounts:LifecycleRetrySeconds=1");

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), deadline.Token);
        }
    }

    private async Task<bool> IsDoneAsync(string table, string column, Guid id)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync();
        return await connection.ExecuteScalarAsync<bool>(
            $"select {column} is not null from {table} where id = @id", new { id });
    }

    /// <summary>A feature that notes what it hears, after failing as often as it is told to.</summary>
    private sealed class Feature : IAccountLifecycle
    {
        private int _failuresLeft;

        public int FailuresLeft
        {
            set => _failuresLeft = value;
        }

        public ConcurrentQueue<AccountId> Opened { get; } = [];

        public ConcurrentQueue<(AccountId Account, DeviceId Device)> Revoked { get; } = [];

        public ConcurrentQueue<DeviceId> Ended { get; } = [];

        public Task AccountOpenedAsync(AccountId account, CancellationToken cancellationToken) =>
            Note(() => Opened.Enqueue(account));

        public Task DeviceRevokedAsync(AccountId account, DeviceId device, CancellationToken cancellationToken) =>
            Note(() => Revoked.Enqueue((account, device)));

        public Task SessionsEndedAsync(DeviceId device, CancellationToken cancellationToken)
        {
            Ended.Enqueue(device);
            return Task.CompletedTask;
        }

        private Task Note(Action note)
        {
            if (Interlocked.Decrement(ref _failuresLeft) >= 0)
            {
                return Task.FromException(new InvalidOperationException("The feature is told to fail."));
            }

            note();
            return Task.CompletedTask;
        }
    }
}

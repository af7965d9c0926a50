using System.Collections.Concurrent;
using ChatPay.Core.Protocol;
using ChatPay.Server.KeyPackages;
using ChatPay.Tests.Accounts;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.KeyPackages;

public sealed class KeyPackageClaimTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Claimers = 50;

    private string _connectionString = "";
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _connectionString = await postgres.CreateDatabaseAsync();
        _server = await AccountsServer.StartAsync(_connectionString);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Claimers_at_the_same_time_get_distinct_packages_and_then_the_last_resort_one()
    {
        using var ana = await KeyPackagePerson.SignUpAsync(_server);
        using var ben = await KeyPackagePerson.SignUpAsync(_server);
        var lastResort = ana.Make();
        var packages = TestMls.KeyPackages(ana.Account, ana.Device, ana.SignatureKey, Claimers);
        await ana.UploadAsync(packages, lastResort);
        var claimed = new ConcurrentBag<string>();

        await Task.WhenAll(Enumerable.Range(0, Claimers).Select(async _ =>
        {
            var reply = await ben.ClaimAsync(ana.Account);
            claimed.Add(Convert.ToHexString(Assert.Single(reply.KeyPackages).KeyPackage));
        }));

        Assert.Equal(
            packages.Select(Convert.ToHexString).Order(StringComparer.Ordinal), claimed.Order(StringComparer.Ordinal));
        Assert.Equal(new KeyPackageCount(0, true), await ana.CountAsync());
        for (var again = 0; again < 2; again++)
        {
            var reply = await ben.ClaimAsync(ana.Account);
            Assert.Equal(lastResort, Assert.Single(reply.KeyPackages).KeyPackage);
            Assert.Empty(reply.Missing);
        }
    }

    [Fact]
    public async Task A_claim_gives_one_package_for_each_live_device_but_the_callers_and_names_those_without()
    {
        using var ana = await KeyPackagePerson.SignUpAsync(_server);
        using var anaToo = await ana.SecondDeviceAsync(_server);
        using var ben = await KeyPackagePerson.SignUpAsync(_server);
        using var cleo = await KeyPackagePerson.SignUpAsync(_server);
        await ana.UploadAsync([ana.Make(), ana.Make()]);
        await anaToo.UploadAsync([anaToo.Make()]);
        await cleo.UploadAsync([cleo.Make()]);

        var reply = await ana.ClaimAsync(ana.Account, ben.Account, cleo.Account, cleo.Account);

        Assert.Equal(
            [(ana.Account, anaToo.Device), (cleo.Account, cleo.Device)],
            reply.KeyPackages.Select(package => (package.Account, package.Device)));
        Assert.Equal([ben.Device], reply.Missing);
        Assert.Equal(2, (await ana.CountAsync()).OneTime);
    }

    [Fact]
    public async Task A_revoked_device_is_neither_claimed_nor_missing_and_its_packages_are_gone()
    {
        using var ana = await KeyPackagePerson.SignUpAsync(_server);
        using var anaToo = await ana.SecondDeviceAsync(_server);
        using var ben = await KeyPackagePerson.SignUpAsync(_server);
        await anaToo.UploadAsync([anaToo.Make()], anaToo.Make());
        Assert.True((await ana.RevokeAsync(anaToo.Device)).IsSuccessStatusCode);

        var reply = await ben.ClaimAsync(ana.Account);

        Assert.Empty(reply.KeyPackages);
        Assert.Equal([ana.Device], reply.Missing);
        Assert.Equal(0L, await ScalarAsync("select count(*) from key_package"));
    }

    [Fact]
    public async Task An_expired_package_is_neither_counted_nor_handed_out_and_swept()
    {
        using var ana = await KeyPackagePerson.SignUpAsync(_server);
        using var ben = await KeyPackagePerson.SignUpAsync(_server);
        await ana.UploadAsync([ana.Make()], ana.Make());
        await ScalarAsync("update key_package set not_after = now() - interval '1 second'");

        var reply = await ben.ClaimAsync(ana.Account);
        var swept = await _server.Services.GetRequiredService<KeyPackageStore>()
            .SweepAsync(TestContext.Current.CancellationToken);

        Assert.Equal([ana.Device], reply.Missing);
        Assert.Equal(new KeyPackageCount(0, false), await ana.CountAsync());
        Assert.Equal(2, swept);
    }

    [Fact]
    public async Task A_claim_with_an_unknown_account_takes_nothing()
    {
        using var ana = await KeyPackagePerson.SignUpAsync(_server);
        using var ben = await KeyPackagePerson.SignUpAsync(_server);
        await ana.UploadAsync([ana.Make()]);

        var unknown = await ben.TryClaimAsync(ana.Account, new AccountId(ana.Device.Value));
        var none = await ben.TryClaimAsync();

        Assert.Equal(ErrorCode.AccountUnknown, await AccountsClient.ErrorOfAsync(unknown));
        Assert.Equal(ErrorCode.InvalidArgument, await AccountsClient.ErrorOfAsync(none));
        Assert.Equal(1, (await ana.CountAsync()).OneTime);
    }

    [Fact]
    public async Task One_account_cannot_empty_anothers_stock_but_others_still_get_some()
    {
        await using var server = await AccountsServer.StartAsync(
            _connectionString, "KeyPackages:ClaimsPerPairBurst=3", "KeyPackages:ClaimsPerPairPerHour=1");
        using var ana = await KeyPackagePerson.SignUpAsync(server);
        using var ben = await KeyPackagePerson.SignUpAsync(server);
        using var cleo = await KeyPackagePerson.SignUpAsync(server);
        await ana.UploadAsync([.. TestMls.KeyPackages(ana.Account, ana.Device, ana.SignatureKey, 6)]);
        for (var claim = 0; claim < 3; claim++)
        {
            await ben.ClaimAsync(ana.Account);
        }

        var refused = await ben.TryClaimAsync(ana.Account);

        Assert.Equal(ErrorCode.TooManyRequests, await AccountsClient.ErrorOfAsync(refused));
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Assert.Single((await cleo.ClaimAsync(ana.Account)).KeyPackages);
        Assert.Equal(2, (await ana.CountAsync()).OneTime);
    }

    [Fact]
    public async Task A_device_is_told_when_its_stock_runs_low_and_learns_at_hello_what_is_left()
    {
        await using var ana = await Person.JoinAsync(_server.Address);
        using var ben = await KeyPackagePerson.SignUpAsync(_server);
        Assert.Equal(0, ana.Greeting.KeyPackagesLeft);
        var packages = TestMls.KeyPackages(ana.Id, ana.Device, ana.Key, Limits.KeyPackagesLowStock + 1);
        await ana.Client.UploadKeyPackagesAsync(new(packages, null), TestContext.Current.CancellationToken);

        await ben.ClaimAsync(ana.Id);
        Assert.Empty(ana.Controls.Items);
        await ben.ClaimAsync(ana.Id);

        await ana.Controls.FirstAsync(static signal => signal.Kind == ControlKind.KeyPackagesLow);
        Assert.Equal(Limits.KeyPackagesLowStock - 1, (await ana.ConnectAsync()).KeyPackagesLeft);
    }

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_connectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}

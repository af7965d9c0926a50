using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Accounts;

public sealed class AccountDirectoryTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await AccountsServer.StartAsync(
        database.ConnectionString, "Accounts:HandleLookupsPerMinute=20");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private AccountDirectory Directory => _server.Services.GetRequiredService<AccountDirectory>();

    [Fact]
    public async Task People_are_found_by_their_exact_handle_with_or_without_the_sign()
    {
        using var ana = _server.Client();
        using var bob = _server.Client();
        var up = await ana.SignUpAsync();
        await bob.SignUpAsync();
        foreach (var handle in (string[])[up.Account.Handle, "@" + up.Account.Handle, "%40" + up.Account.Handle])
        {
            Assert.Equal(
                up.Account,
                await AccountsClient.ReadAsync<AccountView>(await bob.GetAsync("/v1/accounts/by-handle/" + handle)));
        }
    }

    [Theory]
    [InlineData("nobody_here_yet", ErrorCode.AccountUnknown)]
    [InlineData("@nobody_here_yet", ErrorCode.AccountUnknown)]
    [InlineData("Ana", ErrorCode.HandleInvalid)]
    [InlineData("@@ana", ErrorCode.HandleInvalid)]
    [InlineData("a", ErrorCode.HandleInvalid)]
    [InlineData("%25", ErrorCode.HandleInvalid)]
    [InlineData("ana'--x", ErrorCode.HandleInvalid)]
    [InlineData("___", ErrorCode.HandleInvalid)]
    public async Task Other_handles_get_their_number(string handle, ErrorCode code)
    {
        using var client = _server.Client();
        await client.SignUpAsync();
        using var response = await client.GetAsync("/v1/accounts/by-handle/" + handle);
        Assert.Equal(code, await AccountsClient.ErrorOfAsync(response));
    }

    [Fact]
    public async Task Nobody_looks_up_the_whole_town_and_nobody_else_is_held_up_by_the_attempt()
    {
        using var curious = _server.Client();
        using var other = _server.Client();
        await curious.SignUpAsync();
        await other.SignUpAsync();
        for (var lookup = 0; lookup < 20; lookup++)
        {
            using var found = await curious.GetAsync("/v1/accounts/by-handle/nobody_here_yet");
            Assert.Equal(ErrorCode.AccountUnknown, await AccountsClient.ErrorOfAsync(found));
        }

        using var refused = await curious.GetAsync("/v1/accounts/by-handle/nobody_here_yet");
        Assert.Equal(ErrorCode.TooManyRequests, await AccountsClient.ErrorOfAsync(refused));
        Assert.NotNull(refused.Headers.RetryAfter);
        using var unhindered = await other.GetAsync("/v1/accounts/by-handle/nobody_here_yet");
        Assert.Equal(ErrorCode.AccountUnknown, await AccountsClient.ErrorOfAsync(unhindered));
    }

    [Fact]
    public async Task A_changed_name_shows_and_a_refused_one_does_not()
    {
        using var client = _server.Client();
        var up = await client.SignUpAsync();
        var ids = new[] { up.Account.Id, new AccountId(Guid.Empty) };
        var before = await Directory.GetAsync(ids, TestContext.Current.CancellationToken);
        Assert.Equal(up.Account, Assert.Single(before).Value);

        var renamed = await AccountsClient.ReadAsync<AccountView>(
            await client.SendAsync(HttpMethod.Patch, "/v1/me", new ChangeProfileRequest("  Zoe\u0308 ")));
        Assert.Equal(up.Account with { DisplayName = "Zoë" }, renamed);
        foreach (var bad in (string[])["", "a\u202Eb", new string('x', 65)])
        {
            using var response = await client.SendAsync(HttpMethod.Patch, "/v1/me", new ChangeProfileRequest(bad));
            Assert.Equal(ErrorCode.DisplayNameInvalid, await AccountsClient.ErrorOfAsync(response));
        }

        var after = await Directory.GetAsync(ids, TestContext.Current.CancellationToken);
        Assert.Equal(renamed, after[up.Account.Id]);
        var me = await AccountsClient.ReadAsync<MeReply>(await client.GetAsync("/v1/me"));
        Assert.Equal(renamed, me.Account);
    }

    [Fact]
    public async Task A_revoked_device_is_known_and_not_live()
    {
        using var client = _server.Client();
        using var phone = _server.Client();
        var request = AccountsClient.FreshSignUp();
        var up = await client.SignUpAsync(request);
        var second = await phone.SignInAsync(new SignInRequest(
            request.Handle, request.Password, AccountsClient.FreshDevice()));
        Assert.Equal([up.Device.Id, second.Device.Id], await LiveAsync(up.Account.Id));

        await client.DeleteAsync($"/v1/devices/{second.Device.Id}");

        Assert.Equal([up.Device.Id], await LiveAsync(up.Account.Id));
        var gone = await Directory.GetDeviceAsync(second.Device.Id, TestContext.Current.CancellationToken);
        Assert.NotNull(gone);
        Assert.True(gone.Revoked);
        Assert.Equal(up.Account.Id, gone.Account);
        Assert.Equal(second.Device.SignatureKey, gone.SignatureKey);
        Assert.Null(await Directory.GetDeviceAsync(new DeviceId(Guid.Empty), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_cache_forgets_in_time_and_never_holds_more_than_it_may()
    {
        var time = new ManualTime();
        var cache = new GenerationCache<int, int>(TimeSpan.FromSeconds(2), capacity: 10, time);
        cache.Set(1, 1);
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.True(cache.TryGet(1, out _));
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.False(cache.TryGet(1, out _));

        for (var key = 0; key < 1000; key++)
        {
            cache.Set(key, key);
        }

        Assert.InRange(Enumerable.Range(0, 1000).Count(key => cache.TryGet(key, out _)), 5, 10);
        Assert.True(cache.TryGet(999, out _));
        cache.Remove(999);
        Assert.False(cache.TryGet(999, out _));
        cache.RemoveWhere(_ => true);
        Assert.DoesNotContain(Enumerable.Range(0, 1000), key => cache.TryGet(key, out _));
    }

    private async Task<IEnumerable<DeviceId>> LiveAsync(AccountId account) =>
        (await Directory.LiveDevicesAsync([account], TestContext.Current.CancellationToken))
            .Select(device => device.Device);
}

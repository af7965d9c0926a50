using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Accounts;

public sealed class SessionTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private readonly List<TestServer> _nodes = [];
    private TestServer _server = null!;

    /// <summary>Checks of sessions are remembered as long as they may be, so that what is not forgotten shows.</summary>
    public async ValueTask InitializeAsync() => _server = await AccountsServer.StartAsync(database.ConnectionString);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in (TestServer[])[.. _nodes, _server])
        {
            await node.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("GET", "/v1/me")]
    [InlineData("PATCH", "/v1/me")]
    [InlineData("PUT", "/v1/me/password")]
    [InlineData("GET", "/v1/devices")]
    [InlineData("DELETE", "/v1/devices/00000000-0000-0000-0000-000000000000")]
    [InlineData("DELETE", "/v1/sessions/current")]
    [InlineData("GET", "/v1/accounts/by-handle/ana")]
    public async Task Nothing_of_an_account_is_open_without_a_session(string method, string path)
    {
        using var client = _server.Client();
        foreach (var token in (string?[])[null, "x", new string('A', 43), new string('=', 43), new string('A', 9000)])
        {
            client.Token = token;
            using var response = await client.SendAsync(new HttpMethod(method), path, method is "GET" or "DELETE" ? null : "{}");
            Assert.Equal(ErrorCode.Unauthenticated, await AccountsClient.ErrorOfAsync(response));
        }
    }

    [Fact]
    public async Task A_bearer_header_decides_alone_even_beside_a_good_cookie()
    {
        using var client = _server.Client();
        await client.SignUpAsync(AccountsClient.FreshSignUp("cookie"));
        client.Token = new string('A', 43);
        using var response = await client.GetAsync("/v1/me");
        Assert.Equal(ErrorCode.Unauthenticated, await AccountsClient.ErrorOfAsync(response));
    }

    [Fact]
    public async Task A_signed_out_session_is_over_at_once_and_the_device_stays()
    {
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp();
        var up = await client.SignUpAsync(request);
        await AssertIsInAsync(client);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync("/v1/sessions/current")).StatusCode);
        await AssertIsOutAsync(client, ErrorCode.Unauthenticated);

        var again = await client.SignInAsync(new SignInRequest(
            request.Handle, request.Password, request.Device, up.Device.Id));
        Assert.Equal(up.Device.Id, again.Device.Id);
    }

    [Fact]
    public async Task Revoking_a_device_ends_it_here_at_once_and_on_another_node_within_two_seconds()
    {
        await using var otherNode = await AccountsServer.StartAsync(database.ConnectionString);
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp();
        await client.SignUpAsync(request);
        using var lost = otherNode.Client();
        var phone = await lost.SignInAsync(new SignInRequest(
            request.Handle, request.Password, AccountsClient.FreshDevice()));
        using var lostHere = _server.Client();
        lostHere.Token = lost.Token;
        await AssertIsInAsync(lost);
        await AssertIsInAsync(lostHere);

        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/v1/devices/{phone.Device.Id}")).StatusCode);
        var clock = Stopwatch.StartNew();
        await AssertIsOutAsync(lostHere, ErrorCode.DeviceRevoked);
        while ((await lost.GetAsync("/v1/devices")).IsSuccessStatusCode)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2.5), "The other node still lets the device in.");
        }

        await AssertIsOutAsync(lost, ErrorCode.DeviceRevoked);
        await AssertIsInAsync(client);
        var devices = await AccountsClient.ReadAsync<IReadOnlyList<DeviceView>>(await client.GetAsync("/v1/devices"));
        Assert.DoesNotContain(devices, device => device.Id == phone.Device.Id);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/v1/devices/{phone.Device.Id}")).StatusCode);
    }

    [Fact]
    public async Task A_device_may_revoke_itself_and_its_cookie_goes()
    {
        using var client = _server.Client();
        var up = await client.SignUpAsync(AccountsClient.FreshSignUp("cookie"));
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/v1/devices/{up.Device.Id}")).StatusCode);
        Assert.DoesNotContain(client.Cookies.GetAllCookies(), cookie => cookie.Name == "chatpay" && !cookie.Expired);
        await AssertIsOutAsync(client, ErrorCode.Unauthenticated);
    }

    [Fact]
    public async Task Nobody_revokes_anothers_device()
    {
        using var ana = _server.Client();
        using var bob = _server.Client();
        var anaUp = await ana.SignUpAsync();
        await bob.SignUpAsync();
        foreach (var id in (Guid[])[anaUp.Device.Id.Value, Guid.Empty])
        {
            using var response = await bob.DeleteAsync($"/v1/devices/{id}");
            Assert.Equal(ErrorCode.DeviceUnknown, await AccountsClient.ErrorOfAsync(response));
        }

        using var noId = await bob.DeleteAsync("/v1/devices/mine");
        Assert.Equal(ErrorCode.NotFound, await AccountsClient.ErrorOfAsync(noId));
        await AssertIsInAsync(ana);
    }

    [Fact]
    public async Task Changing_the_password_ends_all_other_sessions_and_the_old_password()
    {
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp();
        await client.SignUpAsync(request);
        using var otherDevice = _server.Client();
        await otherDevice.SignInAsync(new SignInRequest(request.Handle, request.Password, AccountsClient.FreshDevice()));
        using var sameDevice = _server.Client();
        await sameDevice.SignInAsync(new SignInRequest(request.Handle, request.Password, request.Device));
        await AssertIsInAsync(otherDevice);
        await AssertIsInAsync(sameDevice);

        const string Fresh = "heron-violin-311";
        using var changed = await client.SendAsync(
            HttpMethod.Put, "/v1/me/password", new ChangePasswordRequest(request.Password, Fresh));
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);

        await AssertIsInAsync(client);
        await AssertIsOutAsync(otherDevice, ErrorCode.Unauthenticated);
        await AssertIsOutAsync(sameDevice, ErrorCode.Unauthenticated);
        using var old = await otherDevice.PostAsync("/v1/sessions", new SignInRequest(
            request.Handle, request.Password, AccountsClient.FreshDevice()));
        Assert.Equal(ErrorCode.BadCredentials, await AccountsClient.ErrorOfAsync(old));
        await otherDevice.SignInAsync(new SignInRequest(request.Handle, Fresh, AccountsClient.FreshDevice()));
    }

    [Fact]
    public async Task A_sign_in_that_verified_the_old_password_is_too_late_after_the_change()
    {
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp();
        await client.SignUpAsync(request);
        var verified = await _server.Services.GetRequiredService<AccountStore>().FindForSignInAsync(
            request.Handle, null, 0, TestContext.Current.CancellationToken);
        using var changed = await client.SendAsync(
            HttpMethod.Put, "/v1/me/password", new ChangePasswordRequest(request.Password, "heron-violin-311"));
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);

        var session = new NewSession(new byte[32], new byte[32], AddressMark: 0, IdleDays: 30, MaxDays: 365);
        var opened = await _server.Services.GetRequiredService<SessionStore>().SignInAsync(
            verified!, null, new DeviceId(Guid.Empty), AccountsClient.FreshDevice(), session, rehashed: null,
            TestContext.Current.CancellationToken);

        Assert.Null(opened);
        Assert.Single(await AccountsClient.ReadAsync<IReadOnlyList<DeviceView>>(await client.GetAsync("/v1/devices")));
    }

    [Fact]
    public async Task A_password_change_that_is_refused_changes_nothing()
    {
        using var client = _server.Client();
        using var other = _server.Client();
        var request = AccountsClient.FreshSignUp();
        await client.SignUpAsync(request);
        await other.SignInAsync(new SignInRequest(request.Handle, request.Password, AccountsClient.FreshDevice()));
        (ChangePasswordRequest Request, ErrorCode Code)[] table =
        [
            (new(request.Password, "short"), ErrorCode.PasswordLength),
            (new(request.Password, "password1234"), ErrorCode.PasswordCommon),
            (new(request.Password, request.Handle + "!!"), ErrorCode.PasswordCommon),
            (new("walrus-teapot-95", "heron-violin-311"), ErrorCode.BadCredentials),
            (new("", "heron-violin-311"), ErrorCode.BadCredentials),
        ];
        foreach (var (change, code) in table)
        {
            using var response = await client.SendAsync(HttpMethod.Put, "/v1/me/password", change);
            Assert.Equal(code, await AccountsClient.ErrorOfAsync(response));
        }

        using var malformed = await client.SendAsync(HttpMethod.Put, "/v1/me/password", """{"currentPassword":"x"}""");
        Assert.Equal(ErrorCode.MalformedRequest, await AccountsClient.ErrorOfAsync(malformed));
        await AssertIsInAsync(other);
        await other.SignInAsync(new SignInRequest(request.Handle, request.Password, AccountsClient.FreshDevice()));
    }

    [Fact]
    public async Task Use_moves_a_sessions_end_at_most_once_a_minute_and_never_past_a_year()
    {
        using var client = _server.Client();
        var up = await client.SignUpAsync();
        var hash = SHA256.HashData(System.Buffers.Text.Base64Url.DecodeFromChars(up.Token));

        await AgeAsync(hash, "last_used_at = now() - interval '30 seconds', expires_at = now() + interval '5 days'");
        await AssertIsInAsync(client);
        Assert.InRange(await LeftAsync(hash), TimeSpan.FromDays(4.9), TimeSpan.FromDays(5));

        await AgeAsync(hash, "last_used_at = now() - interval '2 minutes'");
        await AssertIsInAsync(await FreshNodeAsync(up.Token));
        Assert.InRange(await LeftAsync(hash), TimeSpan.FromDays(29.9), TimeSpan.FromDays(30));

        await AgeAsync(hash, "last_used_at = now() - interval '2 minutes', created_at = now() - interval '360 days'");
        await AssertIsInAsync(await FreshNodeAsync(up.Token));
        Assert.InRange(await LeftAsync(hash), TimeSpan.FromDays(4.9), TimeSpan.FromDays(5));

        await AgeAsync(hash, "expires_at = now() - interval '1 second'");
        await AssertIsOutAsync(await FreshNodeAsync(up.Token), ErrorCode.Unauthenticated);
    }

    [Fact]
    public async Task A_device_has_four_sessions_at_most_and_the_longest_unused_gives_way()
    {
        var request = AccountsClient.FreshSignUp();
        var clients = new List<AccountsClient> { _server.Client() };
        await clients[0].SignUpAsync(request);
        for (var further = 0; further < 4; further++)
        {
            clients.Add(_server.Client());
            await clients[^1].SignInAsync(new SignInRequest(request.Handle, request.Password, request.Device));
        }

        await AssertIsOutAsync(clients[0], ErrorCode.Unauthenticated);
        foreach (var client in clients[1..])
        {
            await AssertIsInAsync(client);
        }
    }

    /// <summary>A node that remembers nothing, so that the database decides.</summary>
    private async Task<AccountsClient> FreshNodeAsync(string? token)
    {
        _nodes.Add(await AccountsServer.StartAsync(database.ConnectionString, "Accounts:SessionCacheMs=0"));
        var client = _nodes[^1].Client();
        client.Token = token;
        return client;
    }

    /// <summary>By a request that looks at nothing but the session.</summary>
    private static async Task AssertIsInAsync(AccountsClient client)
    {
        using var response = await client.GetAsync("/v1/devices");
        await AccountsClient.ReadAsync<IReadOnlyList<DeviceView>>(response);
    }

    private static async Task AssertIsOutAsync(AccountsClient client, ErrorCode code)
    {
        using var response = await client.GetAsync("/v1/devices");
        Assert.Equal(code, await AccountsClient.ErrorOfAsync(response));
    }

    private async Task AgeAsync(byte[] tokenHash, string assignments)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync();
        Assert.Equal(1, await connection.ExecuteAsync(
            $"update session set {assignments} where token_hash = @tokenHash", new { tokenHash }));
    }

    private async Task<TimeSpan> LeftAsync(byte[] tokenHash)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync();
        return await connection.ExecuteScalarAsync<TimeSpan>(
            "select expires_at - now() from session where token_hash = @tokenHash", new { tokenHash });
    }
}

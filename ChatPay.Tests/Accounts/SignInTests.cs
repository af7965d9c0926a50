using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Dapper;
using Xunit;

namespace ChatPay.Tests.Accounts;

public sealed class SignInTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await AccountsServer.StartAsync(database.ConnectionString);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Signing_in_adds_a_device()
    {
        using var first = _server.Client();
        var request = AccountsClient.FreshSignUp();
        var up = await first.SignUpAsync(request);
        using var second = _server.Client();
        var reply = await second.SignInAsync(new SignInRequest(
            request.Handle, request.Password, AccountsClient.FreshDevice(" Phone ")));

        Assert.Equal(up.Account, reply.Account);
        Assert.NotEqual(up.Device.Id, reply.Device.Id);
        Assert.NotEqual(up.Token, reply.Token, StringComparer.Ordinal);
        Assert.Equal("Phone", reply.Device.Name, StringComparer.Ordinal);
        var devices = await DevicesAsync(second);
        Assert.Equal([up.Device.Id, reply.Device.Id], devices.Select(device => device.Id));
        Assert.Equal([false, true], devices.Select(device => device.Current));
    }

    [Fact]
    public async Task A_device_signs_in_again_by_its_id_or_by_its_key_and_stays_one()
    {
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp();
        var up = await client.SignUpAsync(request);

        var byId = await client.SignInAsync(new SignInRequest(
            request.Handle, request.Password, request.Device, up.Device.Id));
        var byKey = await client.SignInAsync(new SignInRequest(request.Handle, request.Password, request.Device));

        Assert.Equal(up.Device.Id, byId.Device.Id);
        Assert.Equal(up.Device.Id, byKey.Device.Id);
        Assert.Single(await DevicesAsync(client));
    }

    [Fact]
    public async Task A_device_must_be_the_accounts_live_and_have_the_same_key()
    {
        using var ana = _server.Client();
        using var bob = _server.Client();
        var anaRequest = AccountsClient.FreshSignUp();
        var bobRequest = AccountsClient.FreshSignUp();
        var anaUp = await ana.SignUpAsync(anaRequest);
        var bobUp = await bob.SignUpAsync(bobRequest);
        var gone = await ana.SignInAsync(new SignInRequest(
            anaRequest.Handle, anaRequest.Password, AccountsClient.FreshDevice()));
        await ana.DeleteAsync($"/v1/devices/{gone.Device.Id}");
        using var client = _server.Client();
        var good = new SignInRequest(anaRequest.Handle, anaRequest.Password, anaRequest.Device, anaUp.Device.Id);
        (SignInRequest Request, ErrorCode Code)[] table =
        [
            (good with { DeviceId = bobUp.Device.Id, Device = bobRequest.Device }, ErrorCode.DeviceUnknown),
            (good with { DeviceId = new DeviceId(Guid.Empty) }, ErrorCode.DeviceUnknown),
            (good with { DeviceId = gone.Device.Id }, ErrorCode.DeviceRevoked),
            (good with { Device = AccountsClient.FreshDevice() }, ErrorCode.DeviceKeyMismatch),
            (good with { DeviceId = null, Device = bobRequest.Device }, ErrorCode.DeviceKeyMismatch),
            (good with { DeviceId = null, Device = new NewDevice("x", gone.Device.SignatureKey) }, ErrorCode.DeviceRevoked),
            (good with { Password = "walrus-teapot-95" }, ErrorCode.BadCredentials),
            (good with { Password = "" }, ErrorCode.BadCredentials),
            (good with { Password = new string('x', 9_000) }, ErrorCode.BadCredentials),
            (good with { Handle = AccountsClient.FreshHandle() }, ErrorCode.BadCredentials),
            (good with { Handle = "Ana" }, ErrorCode.HandleInvalid),
            (good with { Device = good.Device with { Name = "a\u202Eb" } }, ErrorCode.DeviceNameInvalid),
            (good with { Device = good.Device with { SignatureKey = new byte[33] } }, ErrorCode.InvalidArgument),
            (good with { Session = "" }, ErrorCode.InvalidArgument),
        ];
        var before = await CountAsync();
        foreach (var (request, code) in table)
        {
            Assert.Equal(code, await AccountsClient.ErrorOfAsync(await client.PostAsync("/v1/sessions", request)));
        }

        Assert.Equal(before, await CountAsync());
        await client.SignInAsync(good);
    }

    [Fact]
    public async Task An_unknown_handle_is_answered_as_a_wrong_password_is()
    {
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp();
        await client.SignUpAsync(request);
        var known = await client.PostAsync("/v1/sessions", new SignInRequest(
            request.Handle, "walrus-teapot-95", AccountsClient.FreshDevice()));
        var unknown = await client.PostAsync("/v1/sessions", new SignInRequest(
            AccountsClient.FreshHandle(), "walrus-teapot-95", AccountsClient.FreshDevice()));

        Assert.Equal(
            await known.Content.ReadAsStringAsync(), await unknown.Content.ReadAsStringAsync(), StringComparer.Ordinal);
    }

    [Fact]
    public async Task The_eleventh_device_is_refused_until_one_is_revoked()
    {
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp();
        await client.SignUpAsync(request);
        var responses = await Task.WhenAll(Enumerable.Range(0, Limits.DevicesPerAccount + 2).Select(async _ =>
        {
            using var other = _server.Client();
            return await other.PostAsync("/v1/sessions", new SignInRequest(
                request.Handle, request.Password, AccountsClient.FreshDevice()));
        }));

        // In flight an attempt counts against its address, so some had to wait; none of those got a device either.
        var codes = new List<ErrorCode>();
        foreach (var refused in responses.Where(response => !response.IsSuccessStatusCode))
        {
            codes.Add(await AccountsClient.ErrorOfAsync(refused));
        }

        Assert.All(codes, code => Assert.True(code is ErrorCode.TooManyDevices or ErrorCode.TooManyRequests));
        while ((await DevicesAsync(client)).Count < Limits.DevicesPerAccount)
        {
            using var other = _server.Client();
            await other.SignInAsync(new SignInRequest(request.Handle, request.Password, AccountsClient.FreshDevice()));
        }

        var eleventh = new SignInRequest(request.Handle, request.Password, AccountsClient.FreshDevice());
        Assert.Equal(
            ErrorCode.TooManyDevices, await AccountsClient.ErrorOfAsync(await client.PostAsync("/v1/sessions", eleventh)));
        var last = (await DevicesAsync(client))[^1];
        Assert.True((await client.DeleteAsync($"/v1/devices/{last.Id}")).IsSuccessStatusCode);
        await client.SignInAsync(eleventh);
    }

    [Fact]
    public async Task A_hash_made_with_old_parameters_is_renewed_at_the_next_sign_in()
    {
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp();
        await client.SignUpAsync(request);
        Assert.Contains("m=8192,t=1,", await PasswordHashAsync(request.Handle), StringComparison.Ordinal);

        await using var stronger = await AccountsServer.StartAsync(
            database.ConnectionString, "Accounts:PasswordMemoryKib=16384", "Accounts:PasswordPasses=2");
        using var later = stronger.Client();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => SignInAgainAsync(stronger, request)));
        var renewed = await PasswordHashAsync(request.Handle);
        Assert.Contains("m=16384,t=2,", renewed, StringComparison.Ordinal);

        await SignInAgainAsync(stronger, request);
        Assert.Equal(renewed, await PasswordHashAsync(request.Handle), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Fifty_people_sign_in_at_once()
    {
        var requests = new List<SignUpRequest>();
        for (var person = 0; person < 50; person++)
        {
            using var client = _server.Client();
            requests.Add(AccountsClient.FreshSignUp());
            await client.SignUpAsync(requests[^1]);
        }

        await Task.WhenAll(requests.Select(request => SignInAgainAsync(_server, request)));
    }

    [Fact]
    public async Task More_than_the_queue_holds_are_told_to_come_back()
    {
        await using var small = await AccountsServer.StartAsync(
            database.ConnectionString, "Accounts:PasswordConcurrency=1", "Accounts:PasswordQueueCapacity=1",
            "Accounts:PasswordMemoryKib=65536", "Accounts:PasswordPasses=3");
        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using var client = small.Client();
            return await client.PostAsync("/v1/accounts", AccountsClient.FreshSignUp());
        }));

        Assert.Contains(responses, response => response.IsSuccessStatusCode);
        Assert.Contains(responses, response => !response.IsSuccessStatusCode);
        foreach (var refused in responses.Where(response => !response.IsSuccessStatusCode))
        {
            Assert.Equal(ErrorCode.Overloaded, await AccountsClient.ErrorOfAsync(refused));
        }
    }

    private static async Task SignInAgainAsync(TestServer server, SignUpRequest request)
    {
        using var client = server.Client();
        await client.SignInAsync(new SignInRequest(request.Handle, request.Password, request.Device));
    }

    private static async Task<IReadOnlyList<DeviceView>> DevicesAsync(AccountsClient client) =>
        await AccountsClient.ReadAsync<IReadOnlyList<DeviceView>>(await client.GetAsync("/v1/devices"));

    private async Task<string> PasswordHashAsync(string handle)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync();
        return (await connection.ExecuteScalarAsync<string>(
            "select password_hash from account where handle = @handle", new { handle }))!;
    }

    private async Task<long> CountAsync()
    {
        await using var connection = await database.DataSource.OpenConnectionAsync();
        return await connection.ExecuteScalarAsync<long>(
            "select (select count(*) from account) + (select count(*) from device) + (select count(*) from session)");
    }
}

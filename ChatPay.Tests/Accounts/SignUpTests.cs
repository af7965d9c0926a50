using System.Net;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Dapper;
using Xunit;

namespace ChatPay.Tests.Accounts;

public sealed class SignUpTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await AccountsServer.StartAsync(database.ConnectionString);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Signing_up_opens_account_device_and_session()
    {
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp() with { DisplayName = "  Ana Lovelace " };
        var response = await client.PostAsync("/v1/accounts", request);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.True(response.Headers.CacheControl?.NoStore);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        var reply = await AccountsClient.ReadAsync<SessionReply>(response);
        Assert.Equal(request.Handle, reply.Account.Handle, StringComparer.Ordinal);
        Assert.Equal("Ana Lovelace", reply.Account.DisplayName, StringComparer.Ordinal);
        Assert.Equal(request.Device.SignatureKey, reply.Device.SignatureKey);
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData(request.Device.SignatureKey)), reply.Device.Fingerprint,
            StringComparer.Ordinal);
        Assert.True(reply.Device.Current);
        Assert.Equal(7, reply.Account.Id.Value.Version);
        Assert.Equal(43, reply.Token!.Length);
        Assert.InRange(reply.ExpiresAt - reply.Device.CreatedAt, TimeSpan.FromDays(29.9), TimeSpan.FromDays(30.1));

        client.Token = reply.Token;
        var me = await AccountsClient.ReadAsync<MeReply>(await client.GetAsync("/v1/me"));
        Assert.Equal(reply.Account, me.Account);
        Assert.Equal(reply.Device.Id, me.Device.Id);
    }

    [Theory]
    [InlineData("http", "chatpay", false)]
    [InlineData("https", "__Host-chatpay", true)]
    public async Task A_browser_gets_its_secrets_in_cookies_that_scripts_and_other_sites_cannot_have(
        string scheme, string name, bool secure)
    {
        using var client = _server.Client();
        client.Headers.Add("X-Forwarded-Proto", scheme);
        client.Headers.Remove("Origin");
        client.Headers.Add("Origin", $"{scheme}://{_server.Address.Authority}");
        client.From = "192.0.2.7";
        var response = await client.PostAsync("/v1/accounts", AccountsClient.FreshSignUp("cookie"));

        var reply = await AccountsClient.ReadAsync<SessionReply>(response);
        Assert.Null(reply.Token);
        Assert.Null(reply.DeviceToken);
        var cookies = response.Headers.GetValues("Set-Cookie").ToList();
        Assert.Equal(2, cookies.Count);
        Assert.Single(cookies, cookie => cookie.StartsWith(name + "=", StringComparison.Ordinal));
        Assert.Single(cookies, cookie => cookie.StartsWith(name + "-device=", StringComparison.Ordinal));
        Assert.All(cookies, cookie =>
        {
            var flags = cookie.Split("; ")[1..];
            Assert.Contains("httponly", flags, StringComparer.OrdinalIgnoreCase);
            Assert.Contains("samesite=strict", flags, StringComparer.OrdinalIgnoreCase);
            Assert.Contains("path=/", flags, StringComparer.OrdinalIgnoreCase);
            Assert.Equal(secure, flags.Contains("secure", StringComparer.OrdinalIgnoreCase));
            Assert.DoesNotContain(flags, flag => flag.StartsWith("domain", StringComparison.OrdinalIgnoreCase));
        });
    }

    [Fact]
    public async Task The_cookie_signs_requests_in_and_signing_out_takes_it_back()
    {
        using var client = _server.Client();
        var reply = await client.SignUpAsync(AccountsClient.FreshSignUp("cookie"));
        Assert.Null(client.Token);
        var me = await AccountsClient.ReadAsync<MeReply>(await client.GetAsync("/v1/me"));
        Assert.Equal(reply.Account, me.Account);

        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync("/v1/sessions/current")).StatusCode);
        var left = Assert.Single(client.Cookies.GetAllCookies(), cookie => !cookie.Expired);
        Assert.Equal("chatpay-device", left.Name, StringComparer.Ordinal);
        Assert.Equal(ErrorCode.Unauthenticated, await AccountsClient.ErrorOfAsync(await client.GetAsync("/v1/me")));
    }

    [Fact]
    public async Task Neither_the_password_nor_a_token_is_stored_or_logged()
    {
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp() with { Password = "Quokka-lantern-58" };
        var reply = await client.SignUpAsync(request);
        using var browser = _server.Client();
        await browser.SignInAsync(new SignInRequest(
            request.Handle, request.Password, AccountsClient.FreshDevice(), Session: "cookie"));
        await AccountsClient.ErrorOfAsync(await client.PostAsync("/v1/sessions", new SignInRequest(
            request.Handle, "Quokka-lantern-59", AccountsClient.FreshDevice())));

        var rows = await DumpAsync(database);
        string[] secrets =
        [
            request.Password, "Quokka-lantern-59", reply.Token!, reply.DeviceToken!,
            .. browser.Cookies.GetAllCookies().Select(cookie => cookie.Value),
        ];
        Assert.Equal(6, secrets.Length);
        foreach (var secret in secrets)
        {
            var hex = secret.Length == 43
                ? Convert.ToHexStringLower(System.Buffers.Text.Base64Url.DecodeFromChars(secret))
                : Convert.ToHexStringLower(Encoding.UTF8.GetBytes(secret));
            Assert.DoesNotContain(secret, rows, StringComparison.Ordinal);
            Assert.DoesNotContain(hex, rows, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, _server.Log, StringComparison.Ordinal);
        }

        var tokenHash = SHA256.HashData(System.Buffers.Text.Base64Url.DecodeFromChars(reply.Token));
        Assert.Contains(Convert.ToHexStringLower(tokenHash), rows, StringComparison.Ordinal);
        Assert.Contains("$argon2id$v=19$m=8192,t=1,p=1$", rows, StringComparison.Ordinal);
        Assert.Contains("[2000]", _server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_is_wrong_gets_its_number_and_changes_nothing()
    {
        using var client = _server.Client();
        var taken = await client.SignUpAsync(AccountsClient.FreshSignUp() with { Handle = "marie_curie" });
        var before = await CountAsync();
        var good = AccountsClient.FreshSignUp();
        (SignUpRequest Request, ErrorCode Code)[] table =
        [
            (good with { Handle = "Ana" }, ErrorCode.HandleInvalid),
            (good with { Handle = "" }, ErrorCode.HandleInvalid),
            (good with { Handle = "ana\u0000" }, ErrorCode.HandleInvalid),
            (good with { Handle = new string('x', 10_000) }, ErrorCode.HandleInvalid),
            (good with { Handle = "adm1n" }, ErrorCode.HandleReserved),
            (good with { Handle = "marie_curie" }, ErrorCode.HandleTaken),
            (good with { Handle = "mariecurie" }, ErrorCode.HandleLookalike),
            (good with { Handle = "rnar1e_cur1e" }, ErrorCode.HandleLookalike),
            (good with { Password = "short" }, ErrorCode.PasswordLength),
            (good with { Password = new string('x', 129) }, ErrorCode.PasswordLength),
            (good with { Password = "password1234" }, ErrorCode.PasswordCommon),
            (good with { Password = "my-" + good.Handle + "-is" }, ErrorCode.PasswordCommon),
            (good with { DisplayName = " " }, ErrorCode.DisplayNameInvalid),
            (good with { DisplayName = new string('x', 65) }, ErrorCode.DisplayNameInvalid),
            (good with { DisplayName = "Ana\u202Egro" }, ErrorCode.DisplayNameInvalid),
            (good with { Device = good.Device with { Name = "" } }, ErrorCode.DeviceNameInvalid),
            (good with { Device = good.Device with { Name = "\u0007" } }, ErrorCode.DeviceNameInvalid),
            (good with { Device = good.Device with { SignatureKey = new byte[31] } }, ErrorCode.InvalidArgument),
            (good with { Device = good.Device with { SignatureKey = [] } }, ErrorCode.InvalidArgument),
            (good with { Device = good.Device with { SignatureKey = new byte[32] } }, ErrorCode.InvalidArgument),
            (good with { Device = good.Device with { SignatureKey = [2, .. new byte[31]] } }, ErrorCode.InvalidArgument),
            (good with { Device = good.Device with { SignatureKey = taken.Device.SignatureKey } },
                ErrorCode.DeviceKeyMismatch),
            (good with { Session = "both" }, ErrorCode.InvalidArgument),
        ];
        foreach (var (request, code) in table)
        {
            Assert.Equal(code, await AccountsClient.ErrorOfAsync(await client.PostAsync("/v1/accounts", request)));
        }

        Assert.Equal(before, await CountAsync());
        await client.SignUpAsync(good);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"handle":"bruno","displayName":"B","password":"walrus-teapot-94"}""")]
    [InlineData("""{"handle":"bruno","displayName":"B","password":"walrus-teapot-94","device":null}""")]
    [InlineData("""{"handle":1,"displayName":"B","password":"walrus-teapot-94","device":{"name":"x","signatureKey":""}}""")]
    [InlineData("""{"handle":"bruno","displayName":"B","password":null,"device":{"name":"x","signatureKey":""}}""")]
    [InlineData("""{"handle":"bruno","displayName":"B","password":"p","device":{"name":"x","signatureKey":"not base64!"}}""")]
    [InlineData("""{"handle":"\ud800","displayName":"B","password":"p","device":{"name":"x","signatureKey":""}}""")]
    public async Task Malformed_bodies_are_refused_as_such(string body)
    {
        using var client = _server.Client();
        var before = await CountAsync();
        Assert.Equal(
            ErrorCode.MalformedRequest, await AccountsClient.ErrorOfAsync(await client.PostAsync("/v1/accounts", body)));
        Assert.Equal(
            ErrorCode.MalformedRequest, await AccountsClient.ErrorOfAsync(await client.PostAsync("/v1/sessions", body)));
        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task A_body_too_large_is_refused_before_it_is_read()
    {
        using var client = _server.Client();
        var huge = AccountsClient.FreshSignUp() with { DisplayName = new string('x', 100_000) };
        Assert.Equal(ErrorCode.TooLarge, await AccountsClient.ErrorOfAsync(await client.PostAsync("/v1/accounts", huge)));
    }

    [Fact]
    public async Task Of_look_alikes_that_sign_up_at_once_one_gets_in()
    {
        string[] handles = ["oscar_llm", "0scar_lim", "osscar1m", "oscarlm", "oscar_1im", "o_scar_lm"];
        var responses = await Task.WhenAll(handles.Select(async handle =>
        {
            using var client = _server.Client();
            return await client.PostAsync("/v1/accounts", AccountsClient.FreshSignUp() with { Handle = handle });
        }));

        Assert.Single(responses, response => response.IsSuccessStatusCode);
        foreach (var refused in responses.Where(response => !response.IsSuccessStatusCode))
        {
            Assert.Equal(ErrorCode.HandleLookalike, await AccountsClient.ErrorOfAsync(refused));
        }
    }

    [Fact]
    public async Task A_closed_server_takes_nobody_new_and_lets_the_others_in()
    {
        using var client = _server.Client();
        var request = AccountsClient.FreshSignUp();
        await client.SignUpAsync(request);
        await using var closed = await AccountsServer.StartAsync(database.ConnectionString, "Accounts:SignUpOpen=false");
        using var late = closed.Client();

        var refused = await late.PostAsync("/v1/accounts", AccountsClient.FreshSignUp());
        Assert.Equal(ErrorCode.SignUpClosed, await AccountsClient.ErrorOfAsync(refused));
        await late.SignInAsync(new SignInRequest(request.Handle, request.Password, AccountsClient.FreshDevice()));
    }

    /// <summary>Every row of the tables that accounts write, as text; bytes as hex.</summary>
    private static async Task<string> DumpAsync(DatabaseFixture database)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync();
        var rows = await connection.QueryAsync<string>(
            """
            select row_to_json(a)::text from account a
            union all select row_to_json(d)::text from device d
            union all select row_to_json(s)::text from session s
            """);
        return string.Join('\n', rows);
    }

    private async Task<long> CountAsync()
    {
        await using var connection = await database.DataSource.OpenConnectionAsync();
        return await connection.ExecuteScalarAsync<long>(
            "select (select count(*) from account) + (select count(*) from device) + (select count(*) from session)");
    }
}

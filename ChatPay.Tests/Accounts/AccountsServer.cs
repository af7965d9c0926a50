using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Accounts;

/// <summary>Servers with light password hashes, and with a proxy that tells them where requests come from.</summary>
internal static class AccountsServer
{
    /// <param name="settings">Configuration, each <c>Section:Key=value</c>.</param>
    public static Task<TestServer> StartAsync(string connectionString, params string[] settings) =>
        StartAsync(connectionString, configure: null, settings);

    public static Task<TestServer> StartAsync(
        string connectionString, Action<IServiceCollection>? configure, params string[] settings)
    {
        var configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Database:MaxPoolSize"] = "20",
            ["Accounts:PasswordMemoryKib"] = "8192",
            ["Accounts:PasswordPasses"] = "1",
            ["Hosting:TrustedProxies:0"] = "127.0.0.1",
        };
        foreach (var setting in settings)
        {
            var parts = setting.Split('=', 2);
            configuration[parts[0]] = parts[1];
        }

        return TestServer.StartAsync(connectionString, configuration, configure: configure);
    }

    public static AccountsClient Client(this TestServer server) => new(server.Address);
}

/// <summary>One device's way to the server: a cookie jar, perhaps a bearer token, perhaps another address.</summary>
internal sealed class AccountsClient : IDisposable
{
    public const string Password = "walrus-teapot-94";

    private static readonly JsonSerializerOptions Json = MakeJson();
    private readonly HttpClient _http;
    private static int s_handles;

    public AccountsClient(Uri address)
    {
        Cookies = new CookieContainer();
        _http = new HttpClient(new SocketsHttpHandler { CookieContainer = Cookies }) { BaseAddress = address };
        _http.DefaultRequestHeaders.Add("Origin", address.GetLeftPart(UriPartial.Authority));
    }

    public CookieContainer Cookies { get; }

    public string? Token
    {
        get => _http.DefaultRequestHeaders.Authorization?.Parameter;
        set => _http.DefaultRequestHeaders.Authorization =
            value is null ? null : new AuthenticationHeaderValue("Bearer", value);
    }

    /// <summary>The address the server sees, as its trusted proxy says.</summary>
    public string? From
    {
        set
        {
            _http.DefaultRequestHeaders.Remove("X-Forwarded-For");
            if (value is not null)
            {
                _http.DefaultRequestHeaders.Add("X-Forwarded-For", value);
            }
        }
    }

    public HttpRequestHeaders Headers => _http.DefaultRequestHeaders;

    /// <summary>A handle that no other of this run looks like: letters only, of those that nothing is folded to.</summary>
    public static string FreshHandle()
    {
        var number = Interlocked.Increment(ref s_handles);
        var handle = "zz";
        for (var digit = 0; digit < 6; digit++)
        {
            handle += "abcdefghjk"[number % 10] + (digit % 2 == 0 ? "t" : "q");
            number /= 10;
        }

        return handle;
    }

    public static NewDevice FreshDevice(string name = "Test device")
    {
        using var key = TestMls.NewSignatureKey();
        return new NewDevice(name, TestMls.PublicKeyOf(key));
    }

    public static SignUpRequest FreshSignUp(string session = "token") =>
        new(FreshHandle(), "Test Person", Password, FreshDevice(), session);

    /// <summary>Signs up with a token and uses it from here on.</summary>
    public async Task<SessionReply> SignUpAsync(SignUpRequest? request = null)
    {
        var reply = await ReadAsync<SessionReply>(await PostAsync("/v1/accounts", request ?? FreshSignUp()));
        Token = reply.Token;
        return reply;
    }

    public async Task<SessionReply> SignInAsync(SignInRequest request)
    {
        var reply = await ReadAsync<SessionReply>(await PostAsync("/v1/sessions", request));
        Token = reply.Token;
        return reply;
    }

    public Task<HttpResponseMessage> PostAsync(string path, object body) => SendAsync(HttpMethod.Post, path, body);

    public Task<HttpResponseMessage> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<HttpResponseMessage> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body switch
        {
            null => null,
            string raw => new StringContent(raw, System.Text.Encoding.UTF8, "application/json"),
            _ => JsonContent.Create(body, body.GetType(), options: Json),
        };
        return await _http.SendAsync(request);
    }

    public static async Task<T> ReadAsync<T>(HttpResponseMessage response)
    {
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<T>(Json))!;
    }

    /// <summary>The numbered error, in the shape every error has.</summary>
    public static async Task<ErrorCode> ErrorOfAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.False(response.IsSuccessStatusCode, text);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType, StringComparer.Ordinal);
        using var body = JsonDocument.Parse(text);
        var code = (ErrorCode)body.RootElement.GetProperty("code").GetInt32();
        Assert.Equal(ErrorCatalogue.NameOf(code), body.RootElement.GetProperty("name").GetString(), StringComparer.Ordinal);
        Assert.Equal(ErrorCatalogue.HttpStatusOf(code), (int)response.StatusCode);
        Assert.Equal(ErrorCatalogue.IsRetryable(code), body.RootElement.GetProperty("retryable").GetBoolean());
        Assert.False(string.IsNullOrEmpty(body.RootElement.GetProperty("detail").GetString()));
        return code;
    }

    public void Dispose() => _http.Dispose();

    private static JsonSerializerOptions MakeJson()
    {
        var options = new JsonSerializerOptions();
        ProtocolJson.Configure(options);
        return options;
    }
}

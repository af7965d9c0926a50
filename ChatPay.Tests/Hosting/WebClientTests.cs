using System.Net;
using System.Text.Json;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Hosting;

/// <summary>How the built web client is served, and what every answer tells the browser.</summary>
public sealed class WebClientTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private TestServer? _server;
    private HttpClient? _client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "assets"));
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "index.html"), "<!doctype html>the page", Cancel);
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "assets", "index-D9.js"), "the script", Cancel);
        _server = await TestServer.StartAsync(database.ConnectionString, new Dictionary<string, string?>
        {
            ["Hosting:WebFolder"] = _folder.Path,
            ["Hosting:TrustedProxies:0"] = "127.0.0.1",
        });
        _client = _server.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        await _server!.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/index.html")]
    [InlineData("/chats/0199")]
    public async Task The_page_is_asked_for_again_every_time(string path)
    {
        using var reply = await GetAsync(path);
        Assert.Equal("<!doctype html>the page", await reply.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("text/html", reply.Content.Headers.ContentType?.MediaType);
        Assert.Equal("no-cache", reply.Headers.CacheControl?.ToString());
    }

    [Fact]
    public async Task Assets_are_kept_for_ever()
    {
        using var reply = await GetAsync("/assets/index-D9.js");
        Assert.Equal("the script", await reply.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("public, max-age=31536000, immutable", Assert.Single(reply.Headers.GetValues("Cache-Control")));
    }

    [Theory]
    [InlineData("/assets/missing.js")]
    [InlineData("/../index.html.bak")]
    [InlineData("/v1/missing")]
    [InlineData("/openapi/v2.json")]
    public async Task What_is_not_there_is_an_error_and_not_the_page(string path)
    {
        using var reply = await GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, reply.StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/assets/index-D9.js")]
    [InlineData("/health/live")]
    [InlineData("/v1/missing")]
    public async Task Every_answer_carries_the_security_headers(string path)
    {
        using var reply = await GetAsync(path);
        var policy = Header(reply, "Content-Security-Policy")
            .Split(';', StringSplitOptions.TrimEntries)
            .Select(directive => directive.Split(' ', 2))
            .ToDictionary(parts => parts[0], parts => parts[1]);
        Assert.Equal("'none'", policy["default-src"]);
        Assert.Equal("'self' 'wasm-unsafe-eval'", policy["script-src"]);
        Assert.Equal("'self'", policy["style-src"]);
        Assert.Equal("'self'", policy["worker-src"]);
        Assert.Equal("'none'", policy["frame-ancestors"]);
        Assert.Equal("'none'", policy["base-uri"]);
        Assert.Equal($"'self' ws://{_server!.Address.Authority}", policy["connect-src"]);
        Assert.DoesNotContain(
            policy.Values.SelectMany(value => value.Split(' ')),
            source => source is "'unsafe-inline'" or "'unsafe-eval'" or "'unsafe-hashes'");
        Assert.Equal("nosniff", Header(reply, "X-Content-Type-Options"));
        Assert.Equal("DENY", Header(reply, "X-Frame-Options"));
        Assert.Equal("no-referrer", Header(reply, "Referrer-Policy"));
        Assert.Equal("same-origin", Header(reply, "Cross-Origin-Opener-Policy"));
        Assert.Equal("same-origin", Header(reply, "Cross-Origin-Resource-Policy"));
        Assert.Contains("camera=(self)", Header(reply, "Permissions-Policy"), StringComparison.Ordinal);
        Assert.False(reply.Headers.Contains("Server"));
        Assert.False(reply.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Behind_a_tls_proxy_that_is_trusted_the_browser_is_told_to_stay_on_tls()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/", UriKind.Relative));
        request.Headers.Add("X-Forwarded-Proto", "https");
        using var reply = await _client!.SendAsync(request, Cancel);
        Assert.Equal("max-age=63072000", Header(reply, "Strict-Transport-Security"));
        var policy = Header(reply, "Content-Security-Policy");
        Assert.Contains($"wss://{_server!.Address.Authority}", policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_that_is_not_trusted_is_not_believed()
    {
        await using var server = await TestServer.StartAsync(database.ConnectionString);
        using var client = server.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/health/live", UriKind.Relative));
        request.Headers.Add("X-Forwarded-Proto", "https");
        using var reply = await client.SendAsync(request, Cancel);
        Assert.False(reply.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Openapi_describes_every_rest_endpoint_with_its_errors()
    {
        using var reply = await GetAsync("/openapi/v1.json");
        using var document = JsonDocument.Parse(await reply.Content.ReadAsStringAsync(Cancel));
        var paths = document.RootElement.GetProperty("paths").EnumerateObject().ToList();
        Assert.NotEmpty(paths);
        foreach (var path in paths)
        {
            Assert.Matches("^/(v1|health|log)/", path.Name);
            var documented = path.Value.EnumerateObject()
                .Where(_ => path.Name.StartsWith("/v1/", StringComparison.Ordinal))
                .SelectMany(method => method.Value.GetProperty("responses").EnumerateObject())
                .Where(response => response.Name[0] is '4' or '5')
                .ToList();
            Assert.True(
                documented.Count > 0 || !path.Name.StartsWith("/v1/", StringComparison.Ordinal),
                path.Name + " documents no error");
            Assert.All(
                documented,
                response => Assert.True(
                    response.Value.GetProperty("content").TryGetProperty("application/problem+json", out _), path.Name));
        }
    }

    [Fact]
    public async Task Openapi_demands_the_token_where_the_server_does()
    {
        using var reply = await GetAsync("/openapi/v1.json");
        using var document = JsonDocument.Parse(await reply.Content.ReadAsStringAsync(Cancel));
        var open = document.RootElement.GetProperty("paths").EnumerateObject()
            .Where(path => path.Name.StartsWith("/v1/", StringComparison.Ordinal))
            .SelectMany(path => path.Value.EnumerateObject(), (path, method) => (path.Name, Method: method))
            .Where(operation => !operation.Method.Value.TryGetProperty("security", out var security)
                || !security[0].TryGetProperty("bearer", out _))
            .Select(operation => $"{operation.Method.Name} {operation.Name}");
        Assert.Equal(["post /v1/accounts", "post /v1/sessions"], open.Order(StringComparer.Ordinal));
    }

    private static string Header(HttpResponseMessage reply, string name) => Assert.Single(reply.Headers.GetValues(name));

    private Task<HttpResponseMessage> GetAsync(string path) => _client!.GetAsync(new Uri(path, UriKind.Relative), Cancel);
}

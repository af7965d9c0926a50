using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Hosting;

/// <summary>Whatever goes wrong over HTTP, the answer is an entry of the catalogue in one shape.</summary>
public sealed class HttpErrorTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private const string Secret = "select secret from /home/someone";
    private static readonly string[] s_members = ["code", "detail", "name", "retryable", "status", "title", "type"];

    private TestServer? _server;
    private HttpClient? _client;

    private HttpClient Client => _client!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(
            database.ConnectionString,
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["Hosting:AllowedOrigins:0"] = "https://app.example" },
            map: Map);
        _client = _server.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        await _server!.DisposeAsync();
    }

    [Theory]
    [InlineData("{", HttpStatusCode.BadRequest, ErrorCode.MalformedRequest)]
    [InlineData("", HttpStatusCode.BadRequest, ErrorCode.MalformedRequest)]
    [InlineData("null", HttpStatusCode.BadRequest, ErrorCode.MalformedRequest)]
    [InlineData("[]", HttpStatusCode.BadRequest, ErrorCode.MalformedRequest)]
    [InlineData("""{"displayName":3}""", HttpStatusCode.BadRequest, ErrorCode.MalformedRequest)]
    [InlineData("""{"displayName":null}""", HttpStatusCode.BadRequest, ErrorCode.MalformedRequest)]
    [InlineData("{}", HttpStatusCode.BadRequest, ErrorCode.MalformedRequest)]
    [InlineData("""{"displayName":"a","displayName":"b"}""", HttpStatusCode.BadRequest, ErrorCode.MalformedRequest)]
    public async Task Malformed_json_is_refused(string body, HttpStatusCode status, ErrorCode code)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var reply = await Client.PostAsync(Url("/v1/test/echo"), content, Cancel);
        await AssertErrorAsync(reply, status, code);
    }

    [Fact]
    public async Task An_unknown_member_is_passed_over()
    {
        using var content = new StringContent("""{"displayName":"a","later":1}""", Encoding.UTF8, "application/json");
        using var reply = await Client.PostAsync(Url("/v1/test/echo"), content, Cancel);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/v1/nothing", HttpStatusCode.NotFound, ErrorCode.NotFound)]
    [InlineData("GET", "/v1", HttpStatusCode.NotFound, ErrorCode.NotFound)]
    [InlineData("GET", "/health/nothing", HttpStatusCode.NotFound, ErrorCode.NotFound)]
    [InlineData("DELETE", "/v1/test/echo", HttpStatusCode.MethodNotAllowed, ErrorCode.MethodNotAllowed)]
    [InlineData("POST", "/nowhere", HttpStatusCode.NotFound, ErrorCode.NotFound)]
    public async Task An_address_that_is_not_there_is_refused(
        string method, string path, HttpStatusCode status, ErrorCode code)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), Url(path));
        using var reply = await Client.SendAsync(request, Cancel);
        await AssertErrorAsync(reply, status, code);
    }

    [Fact]
    public async Task Another_content_type_is_refused()
    {
        using var content = new StringContent("displayName=a", Encoding.UTF8, "application/x-www-form-urlencoded");
        using var reply = await Client.PostAsync(Url("/v1/test/echo"), content, Cancel);
        await AssertErrorAsync(reply, HttpStatusCode.UnsupportedMediaType, ErrorCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused()
    {
        using var reply = await Client.PostAsJsonAsync(
            Url("/v1/test/echo"), new { displayName = new string('a', Limits.HttpBodyBytes) }, Cancel);
        await AssertErrorAsync(reply, HttpStatusCode.RequestEntityTooLarge, ErrorCode.TooLarge);
    }

    [Theory]
    [InlineData("/v1/test/bug", HttpStatusCode.InternalServerError, ErrorCode.Internal)]
    [InlineData("/v1/test/sql", HttpStatusCode.InternalServerError, ErrorCode.Internal)]
    [InlineData("/v1/test/lost", HttpStatusCode.ServiceUnavailable, ErrorCode.Unavailable)]
    public async Task A_bug_answers_without_stack_sql_or_path_and_is_logged(
        string path, HttpStatusCode status, ErrorCode code)
    {
        using var reply = await Client.GetAsync(Url(path), Cancel);
        var body = await AssertErrorAsync(reply, status, code);
        Assert.DoesNotContain("secret", body, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", body, StringComparison.Ordinal);
        Assert.Contains("[201]", _server!.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://evil.example", null, false)]
    [InlineData("null", null, false)]
    [InlineData("http://localhost", null, false)]
    [InlineData(null, "session=x", false)]
    [InlineData("own", "session=x", true)]
    [InlineData("https://app.example", "session=x", true)]
    [InlineData(null, null, true)]
    public async Task A_page_of_another_origin_may_change_nothing(string? origin, string? cookie, bool allowed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Url("/v1/test/echo"))
        {
            Content = JsonContent.Create(new { displayName = "a" }),
        };
        await AssertOriginAsync(request, origin, cookie, allowed, HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("https://evil.example", "session=x", false)]
    [InlineData(null, "session=x", false)]
    public async Task A_page_of_another_origin_may_not_open_the_hub(string? origin, string? cookie, bool allowed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Url("/hub"));
        await AssertOriginAsync(request, origin, cookie, allowed, HttpStatusCode.OK);
    }

    [Fact]
    public async Task Too_many_requests_are_told_when_to_come_back()
    {
        await using var server = await TestServer.StartAsync(
            database.ConnectionString,
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["RateLimits:ReadsPerMinute"] = "2" },
            map: Map);
        using var client = server.CreateClient();
        for (var count = 0; count < 2; count++)
        {
            using var early = await client.GetAsync(Url("/v1/test/limited"), Cancel);
            Assert.Equal(HttpStatusCode.OK, early.StatusCode);
        }

        using var reply = await client.GetAsync(Url("/v1/test/limited"), Cancel);
        await AssertErrorAsync(reply, HttpStatusCode.TooManyRequests, ErrorCode.TooManyRequests, "details");
        Assert.InRange(reply.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Uri Url(string path) => new(path, UriKind.Relative);

    private static void Map(WebApplication app)
    {
        app.MapPost("/v1/test/echo", (ChangeProfileRequest request) => request);
        app.MapGet("/v1/test/bug", string () => throw new InvalidOperationException(Secret));
        app.MapGet("/v1/test/sql", string () => throw new PostgresException(Secret, "ERROR", "ERROR", "42601"));
        app.MapGet("/v1/test/lost", string () => throw new NpgsqlException(Secret, new IOException(Secret)));
        app.MapGet("/v1/test/limited", () => "here").RequireRateLimiting(ChatPay.Server.Hosting.RateLimitPolicies.Reads);
    }

    private static async Task<string> AssertErrorAsync(
        HttpResponseMessage reply, HttpStatusCode status, ErrorCode code, params string[] more)
    {
        var text = await reply.Content.ReadAsStringAsync(Cancel);
        Assert.True(reply.StatusCode == status, $"{reply.StatusCode}: {text}");
        Assert.Equal("application/problem+json", reply.Content.Headers.ContentType?.MediaType);
        using var body = JsonDocument.Parse(text);
        Assert.Equal(
            s_members.Concat(more).Order(StringComparer.Ordinal),
            body.RootElement.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
        Assert.Equal((int)code, body.RootElement.GetProperty("code").GetInt32());
        Assert.Equal(ErrorCatalogue.NameOf(code), body.RootElement.GetProperty("name").GetString());
        Assert.Equal((int)status, body.RootElement.GetProperty("status").GetInt32());
        Assert.Equal("nosniff", Assert.Single(reply.Headers.GetValues("X-Content-Type-Options")));
        return text;
    }

    private async Task AssertOriginAsync(
        HttpRequestMessage request, string? origin, string? cookie, bool allowed, HttpStatusCode status)
    {
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin == "own" ? Client.BaseAddress!.GetLeftPart(UriPartial.Authority) : origin);
        }

        if (cookie is not null)
        {
            request.Headers.Add("Cookie", cookie);
        }

        using var reply = await Client.SendAsync(request, Cancel);
        if (allowed)
        {
            Assert.Equal(status, reply.StatusCode);
        }
        else
        {
            await AssertErrorAsync(reply, HttpStatusCode.Forbidden, ErrorCode.ForbiddenOrigin);
        }
    }
}

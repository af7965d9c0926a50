using System.Net;
using System.Text.Json;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Exports through the public door: headers, refusals, bounds. Each test is somebody new.</summary>
public sealed class ExportHttpTests(ExportHttpTests.Fixture fixture)
    : IClassFixture<ExportHttpTests.Fixture>, IAsyncLifetime
{
    private Person _anna = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _anna = await Person.SignUpAsync(fixture.Server.Address);

    public ValueTask DisposeAsync() => _anna.DisposeAsync();

    [Theory]
    [InlineData("csv", "text/csv; charset=utf-8; header=present", ".csv")]
    [InlineData("json", "application/json", ".json")]
    [InlineData("ofx", "application/x-ofx", ".ofx")]
    [InlineData("camt053", "application/xml", ".camt053.xml")]
    public async Task A_file_says_what_it_is_and_is_kept_nowhere(string format, string contentType, string extension)
    {
        using var response = await GetAsync($"/v1/wallet/EUR/export?format={format}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(contentType, response.Content.Headers.ContentType?.ToString());
        var disposition = response.Content.Headers.ContentDisposition!;
        Assert.Equal("attachment", disposition.DispositionType);
        Assert.Matches("^chatpay-EUR-20[0-9]{6}-20[0-9]{6}\\.", disposition.FileName);
        Assert.EndsWith(extension, disposition.FileName, StringComparison.Ordinal);
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.NotEmpty(await response.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Theory]
    [InlineData("XAU", "format=csv", "asset_unknown")]
    [InlineData("EUR", "", "csv, json, ofx, camt053")]
    [InlineData("EUR", "format=pdf", "csv, json, ofx, camt053")]
    [InlineData("EUR", "format=csv&from=now", "RFC 3339")]
    [InlineData("EUR", "format=csv&from=2026-02-01&to=2026-01-01", "begins before it ends")]
    [InlineData("EUR", "format=csv&to=2999-01-01", "What to names has not happened yet")]
    [InlineData("EUR", "format=camt053&from=2999-01-01", "What from names has not happened yet")]
    [InlineData("POINTS", "format=camt053", "ISO 4217")]
    [InlineData("FUN", "format=camt053", "ISO 4217")]
    [InlineData("FUN", "format=ofx", "ISO 4217")]
    [InlineData("USD", "format=camt053", "at most 5 decimals")]
    public async Task What_cannot_be_had_is_said_in_a_sentence(string asset, string query, string said)
    {
        using var response = await GetAsync($"/v1/wallet/{asset}/export?{query}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains(said, await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POINTS", "csv")]
    [InlineData("POINTS", "json")]
    [InlineData("USD", "ofx")]
    public async Task Points_and_nine_decimals_have_forms_as_well(string asset, string format)
    {
        using var response = await GetAsync($"/v1/wallet/{asset}/export?format={format}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Strangers_get_nothing()
    {
        using var stranger = fixture.Server.CreateClient();
        using var response = await stranger.GetAsync("/v1/wallet/EUR/export?format=csv", Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task Exports_have_a_budget_of_their_own()
    {
        for (var count = 0; count < 8; count++)
        {
            using var granted = await GetAsync("/v1/wallet/EUR/export?format=csv");
            Assert.Equal(HttpStatusCode.OK, granted.StatusCode);
        }

        using var refused = await GetAsync("/v1/wallet/EUR/export?format=csv");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        using var read = await GetAsync("/v1/wallet/EUR/statement");
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
    }

    [Fact]
    public async Task OpenAPI_names_the_operations_and_the_forms_of_a_file()
    {
        using var client = fixture.Server.CreateClient();
        using var document = JsonDocument.Parse(await client.GetStringAsync("/openapi/v1.json", Cancel));
        var paths = document.RootElement.GetProperty("paths");
        var export = paths.GetProperty("/v1/wallet/{asset}/export").GetProperty("get");
        Assert.Equal("ExportStatement", export.GetProperty("operationId").GetString());
        Assert.Equal(
            ["application/json", "application/x-ofx", "application/xml", "text/csv"],
            export.GetProperty("responses").GetProperty("200").GetProperty("content").EnumerateObject()
                .Select(content => content.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["asset", "format", "from", "to"],
            export.GetProperty("parameters").EnumerateArray()
                .Select(parameter => parameter.GetProperty("name").GetString()).Order(StringComparer.Ordinal));
        Assert.Equal(
            "ReadBalance",
            paths.GetProperty("/v1/wallet/{asset}/balance").GetProperty("get").GetProperty("operationId").GetString());
    }

    [Fact]
    public async Task A_reader_who_goes_away_frees_the_place()
    {
        using (var gone = await GetAsync("/v1/wallet/EUR/export?format=csv", HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.Equal(HttpStatusCode.OK, gone.StatusCode);
        }

        var gate = fixture.Server.Services.GetRequiredService<ExportGate>();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
        Result<IDisposable> place;
        while ((place = gate.Enter(_anna.Id)).Error is not null)
        {
            await Task.Delay(10, deadline.Token);
        }

        place.Value.Dispose();
    }

    [Fact]
    public async Task The_client_hands_out_the_file_as_it_comes()
    {
        await using var file = await _anna.Client.ExportAsync("EUR", "json", null, null, Cancel);
        var export = (await JsonSerializer.DeserializeAsync<StatementExport>(file, ProtocolJson.Create(), Cancel))!;
        Assert.Equal(_anna.Id, export.Owner.Id);
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => _anna.Client.ExportAsync("EUR", "pdf", DateTimeOffset.UnixEpoch, null, Cancel));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
    }

    [Fact]
    public void An_account_has_one_export_at_a_time_and_a_node_a_few()
    {
        var gate = new ExportGate(Options.Create(new LedgerOptions { ExportsAtOnce = 2 }));
        var ids = fixture.Server.Services.GetRequiredService<Server.Hosting.IdFactory>();
        var (first, second, third) =
            (new AccountId(ids.NewUuid()), new AccountId(ids.NewUuid()), new AccountId(ids.NewUuid()));
        var place = gate.Enter(first).Value;
        Assert.Equal(ErrorCode.TooManyRequests, gate.Enter(first).Error?.Code);
        Assert.True(gate.Enter(second).IsOk);
        Assert.Equal(ErrorCode.Overloaded, gate.Enter(third).Error?.Code);
        place.Dispose();
        place.Dispose();
        Assert.True(gate.Enter(third).IsOk);
        Assert.Equal(ErrorCode.Overloaded, gate.Enter(first).Error?.Code);
    }

    private async Task<HttpResponseMessage> GetAsync(
        string path, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        using var client = fixture.Server.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new("Bearer", _anna.Client.Token);
        return await client.SendAsync(request, completion, Cancel);
    }

    /// <summary>A server with money, points, a currency of its own and one with very many decimals.</summary>
    public sealed class Fixture(PostgresFixture postgres) : IAsyncLifetime
    {
        public TestServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await TestServer.StartAsync(
            await postgres.CreateDatabaseAsync(),
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["Ledger:Assets:0:Code"] = "EUR",
                ["Ledger:Assets:0:Exponent"] = "2",
                ["Ledger:Assets:1:Code"] = "POINTS",
                ["Ledger:Assets:1:Kind"] = "Unit",
                ["Ledger:Assets:2:Code"] = "FUN",
                ["Ledger:Assets:3:Code"] = "USD",
                ["Ledger:Assets:3:Exponent"] = "9",
                ["RateLimits:ExportsPerMinute"] = "8",
            });

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}

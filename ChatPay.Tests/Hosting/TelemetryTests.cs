using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Xunit;

namespace ChatPay.Tests.Hosting;

/// <summary>What a collector is sent by a server that people use, and what it is never sent.</summary>
public sealed class TelemetryTests(PostgresFixture postgres)
{
    private const long AmountMinor = 77_321;

    private static readonly string[] s_metrics =
    [
        "chatpay.connections", "chatpay.pushes", "chatpay.frame_pushes", "chatpay.outbound_depth", "chatpay.hub_call",
        "chatpay.delivery_lag", "chatpay.fanout_waiting", "chatpay.commit_batch", "chatpay.commit_latency",
        "chatpay.commit_waiting", "chatpay.transfers", "chatpay.card_actions", "chatpay.sign_ups", "chatpay.sign_ins",
        "chatpay.head_check", "chatpay.ready", "db.client.operation.duration", "http.server.request.duration",
        "kestrel.active_connections", "dotnet.process.cpu.time",
    ];

    private static readonly string[] s_spans =
    [
        "GET /v1/accounts/by-handle/{handle}", "http.response.status_code", "ChatPay.Server.Realtime.ChatHub/CardAct",
        "chatpay.code", "ChatPay.GroupCommit", "chatpay.commands", "Npgsql", "db.query.text", "insert into",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_traces_and_logs_arrive_and_tell_nothing_of_what_people_say_and_pay()
    {
        await using var collector = await OtlpReceiver.StartAsync(Cancellation);
        await using var server = await StartAsync(collector, "OTEL_EXPORTER_OTLP_ENDPOINT", collector.Address);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var post = TestCards.Post(CardKind.Transfer, group.Id, group.Epoch, ada.Id, ben.Id, AmountMinor);
        await ada.CardActAsync(post, Cancellation);
        await ben.Events.FirstAsync(e => e.Kind == EventKind.Card);
        await LookUpAsync(server.Address, ada, ben);
        await using var again = await ada.OnAnotherDeviceAsync();
        await WaitForAsync(collector, "metrics", s_metrics);
        await WaitForAsync(collector, "traces", s_spans);
        await WaitForAsync(collector, "logs", ["signed up", "SignInService", "node-of-the-test"]);
        Assert.Equal(0, await server.StopAsync());

        string[] secrets =
        [
            Person.Password, "a+fairly", ada.Client.Token!, again.Client.Token!, "secret-in-a-query", "secret-in-baggage",
            ada.Client.Account!.Handle, ben.Client.Account!.Handle, "77321", "773.21",
            Encoding.Latin1.GetString(post.Post!.Body)[..24], Convert.ToBase64String(post.Post.Body)[..24],
            Encoding.Latin1.GetString(post.Post.DetailCommit),
        ];
        foreach (var signal in new[] { "metrics", "traces", "logs" })
        {
            var received = collector.Received(signal);
            Assert.Empty(secrets.Where(secret => received.Contains(secret, StringComparison.Ordinal)));
        }

        // Logs name who came and went; numbers and spans name nobody, and no conversation and card either.
        string[] ids = [$"{ada.Id}", $"{ben.Id}", $"{ada.Device}", $"{group.Id}", $"{post.Card}"];
        var numbersAndSpans = collector.Received("metrics") + collector.Received("traces");
        Assert.Empty(ids.Where(id => numbersAndSpans.Contains(id, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("HttpProtobuf", HttpProtocols.Http1)]
    [InlineData("Grpc", HttpProtocols.Http2)]
    public async Task A_collector_may_be_named_in_the_settings_and_traces_kept_to_none(
        string transport, HttpProtocols protocols)
    {
        await using var collector = await OtlpReceiver.StartAsync(Cancellation, protocols);
        await using var server = await StartAsync(
            collector, "Telemetry__OtlpEndpoint", collector.Address, ratio: "0", transport);
        await using var ada = await Person.JoinAsync(server.Address);
        await LookUpAsync(server.Address, ada, ada);
        await WaitForAsync(collector, "metrics", ["chatpay.hub_call"]);
        await WaitForAsync(collector, "logs", ["signed up"]);
        await server.StopAsync();

        // Not even for a caller whose own headers ask for it.
        Assert.Equal("", collector.Received("traces"));
    }

    [Fact]
    public void Nothing_listens_where_no_collector_is_named() => Assert.DoesNotContain(
        ServerHost.CreateBuilder([]).Services,
        service => (service.ImplementationType ?? service.ImplementationInstance?.GetType())?.FullName?
            .Contains("OpenTelemetry", StringComparison.Ordinal) is true
            || service.ImplementationType == typeof(HealthWatch));

    [Fact]
    public void What_a_later_framework_adds_to_spans_is_taken_out_until_it_is_known()
    {
        using var privacy = new SpanPrivacy();
        using var span = new Activity("GET /v1/accounts/by-handle/{handle}");
        span.SetTag("http.route", "/v1/accounts/by-handle/{handle}").SetTag("chatpay.code", 0)
            .SetTag("url.path", "/v1/accounts/by-handle/ada").SetTag("url.query", "?access_token=1")
            .SetTag("user_agent.original", "x").SetTag("client.address", "192.0.2.1").SetTag("db.query.parameter.p1", "ada");

        privacy.OnEnd(span);

        Assert.Equal(["http.route", "chatpay.code"], span.TagObjects.Select(tag => tag.Key));
    }

    private async Task<ServerProcess> StartAsync(
        OtlpReceiver collector, string endpointName, string endpoint, string ratio = "1", string transport = "HttpProtobuf")
    {
        Assert.NotEmpty(collector.Address);
        var server = new ServerProcess(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Database__ConnectionString"] = await postgres.CreateDatabaseAsync(),
            [endpointName] = endpoint,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["Telemetry__OtlpTransport"] = transport,
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
            ["OTEL_RESOURCE_ATTRIBUTES"] = "service.instance.id=node-of-the-test",
            ["Telemetry__TraceSampleRatio"] = ratio,
            ["Telemetry__MetricIntervalSeconds"] = "1",
        });
        await server.StartAsync();
        return server;
    }

    /// <summary>As a client that traces itself and puts into a request what does not belong there.</summary>
    private static async Task LookUpAsync(Uri address, Person who, Person whom)
    {
        using var client = new HttpClient { BaseAddress = address };
        using var request = new HttpRequestMessage(
            HttpMethod.Get, $"v1/accounts/by-handle/{whom.Client.Account!.Handle}?access_token=secret-in-a-query");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", who.Client.Token);
        request.Headers.Add("traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01");
        request.Headers.Add("baggage", "who=secret-in-baggage");
        using var answer = await client.SendAsync(request, Cancellation);
        answer.EnsureSuccessStatusCode();
    }

    private static Task WaitForAsync(OtlpReceiver collector, string signal, string[] names) => Eventually.TrueAsync(
        () => Task.FromResult(names.All(name => collector.Received(signal).Contains(name, StringComparison.Ordinal))),
        $"{signal} hold all of {string.Join(", ", names)}");
}

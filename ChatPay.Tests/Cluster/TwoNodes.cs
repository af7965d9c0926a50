using System.Globalization;
using System.Text.Json;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cluster;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Cluster;

/// <summary>Two nodes on one database, and where wanted a Redis between them.</summary>
internal sealed class TwoNodes : IAsyncDisposable
{
    /// <summary>Longer than any test waits: what arrives in time has come by a hint.</summary>
    public const int Never = 60_000;

    private TwoNodes(TestServer a, TestServer b) => (A, B) = (a, b);

    public TestServer A { get; }

    public TestServer B { get; }

    /// <param name="redis">Its address; empty for none.</param>
    public static async Task<TwoNodes> StartAsync(string connectionString, string redis, int headCheckMs = 2000)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Cluster:Redis"] = redis,
            ["Cluster:HeadCheckMs"] = headCheckMs.ToString(CultureInfo.InvariantCulture),
            ["Cluster:RedisSilenceMs"] = "1000",
        };
        var a = await TestServer.StartAsync(connectionString, settings);
        var b = await TestServer.StartAsync(connectionString, settings);
        return new(a, b);
    }

    public static async Task<TwoNodes> OverRedisAsync(string connectionString, RedisProcess redis, int headCheckMs = Never)
    {
        var nodes = await StartAsync(connectionString, redis.Address, headCheckMs);
        await nodes.HearEachOtherAsync();
        return nodes;
    }

    /// <summary>Until both hear themselves through Redis.</summary>
    public Task HearEachOtherAsync() => Eventually.TrueAsync(() => Task.FromResult(IsUp(A) && IsUp(B)), "both are up");

    public static bool IsUp(TestServer node) => node.Services.GetRequiredService<ClusterNode>().IsRedisUp;

    /// <summary>A transfer in the conversation, accepted.</summary>
    public static async Task PayAsync(TestGroup group, Person payer, Person payee, long amountMinor)
    {
        var posted = await payer.CardActAsync(
            TestCards.Post(CardKind.Transfer, group.Id, group.Epoch, payer.Id, payee.Id, amountMinor),
            TestContext.Current.CancellationToken);
        await payee.CardActAsync(
            TestCards.Act(posted.Card, CardActionKind.Accept), TestContext.Current.CancellationToken);
    }

    /// <summary>What <c>/health/ready</c> says.</summary>
    public static async Task<string> HealthAsync(TestServer node)
    {
        using var client = node.CreateClient();
        using var answer = await client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return body.RootElement.GetProperty("status").GetString()!;
    }

    public async ValueTask DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
    }
}

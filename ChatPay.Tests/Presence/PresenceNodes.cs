using System.Globalization;
using ChatPay.Server.Cluster;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace ChatPay.Tests.Presence;

/// <summary>Nodes with as much patience as a test wants.</summary>
internal static class PresenceNodes
{
    /// <summary>Longer than any test waits.</summary>
    public const int Never = 300;

    public static Task<TestServer> StartAsync(
        DatabaseFixture database, int offlineAfterSeconds = 0, string redis = "", int nodeTtlSeconds = Never) =>
        TestServer.StartAsync(database.ConnectionString, new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Presence:OfflineAfterSeconds"] = offlineAfterSeconds.ToString(CultureInfo.InvariantCulture),
            ["Presence:NodeTtlSeconds"] = nodeTtlSeconds.ToString(CultureInfo.InvariantCulture),
            ["Cluster:Redis"] = redis,
            ["Cluster:RedisSilenceMs"] = "1000",
        });

    public static Task HearingRedisAsync(params TestServer[] nodes) => Eventually.TrueAsync(
        () => Task.FromResult(nodes.All(node => node.Services.GetRequiredService<ClusterNode>().IsRedisUp)),
        "all nodes hear Redis");
}

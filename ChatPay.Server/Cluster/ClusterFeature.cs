using ChatPay.Server.Hosting;

namespace ChatPay.Server.Cluster;

/// <summary>Several nodes on one database: what they tell each other, and how each finds what it was not told.</summary>
internal static class ClusterFeature
{
    public static void AddCluster(this IServiceCollection services)
    {
        services.AddValidatedOptions<ClusterOptions>(ClusterOptions.Section);
        services.AddSingleton<ClusterNode>();
        services.AddSingleton<HintOutbox>();
        services.AddSingleton<RedisAccess>();
        services.AddSingleton<WatchStore>();
        services.AddSingleton<HeadWatch>();
        services.AddSingleton<MemberWatch>();
        services.AddSingleton<FoundStore>();
        services.AddSingleton<SignalWatch>();
        services.AddSingleton<WalletWatch>();
        services.AddSingleton<HintReceiver>();
        services.AddHostedService(provider => provider.GetRequiredService<HintReceiver>());
        services.AddHostedService<RedisRelay>();
        services.AddHostedService<ClusterWatch>();
    }
}

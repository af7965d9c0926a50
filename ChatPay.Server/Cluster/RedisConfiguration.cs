using ChatPay.Server.Hosting;
using StackExchange.Redis;

namespace ChatPay.Server.Cluster;

/// <summary>The operator's connection string, with what this server relies on.</summary>
internal static class RedisConfiguration
{
    private const int ConnectTimeoutMs = 2000;
    private const int KeepAliveSeconds = 10;

    /// <exception cref="StartupException">It cannot be read.</exception>
    public static ConfigurationOptions Parse(string text)
    {
        try
        {
            var configuration = ConfigurationOptions.Parse(text);
            if (configuration.EndPoints.Count == 0)
            {
                throw new StartupException("Cluster:Redis names no host.");
            }

            // A Redis that is away at the start is waited for like one that goes away later.
            configuration.AbortOnConnectFail = false;
            configuration.ConnectTimeout = ConnectTimeoutMs;
            configuration.ConnectRetry = 1;
            configuration.KeepAlive = KeepAliveSeconds;

            // The library's own connecting by name fails after a first refusal on some platforms.
            configuration.ResolveDns = true;
            configuration.ClientName = "chatpay";

            // Nobody is to reconfigure a node through Redis.
            configuration.ConfigurationChannel = "";
            configuration.TieBreaker = "";
            return configuration;
        }
        catch (ArgumentException exception)
        {
            throw new StartupException("Cluster:Redis is not host:port, nor in StackExchange.Redis's form.", exception);
        }
    }
}

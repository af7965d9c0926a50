using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace ChatPay.Server.Cluster;

/// <summary>
/// Keeps a connection to Redis, or goes on trying: whoever publishes or hears hints lives in a <see cref="RedisSession"/>.
/// The client library reconnects by itself; a session that hears nothing for long in spite of it is replaced.
/// </summary>
internal sealed partial class RedisRelay(
    ClusterNode node, RedisAccess access, HintOutbox outbox, HintReceiver receiver, Realtime.FeedChanges changes,
    Realtime.ConnectionRegistry registry, Realtime.Rechecks rechecks, IOptions<ClusterOptions> options, TimeProvider time,
    ILogger<RedisRelay> logger) : BackgroundService
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (outbox.IsOn)
        {
            // Before anybody can say Hello.
            changes.Want();
            node.IsRedisUp = false;
        }

        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!outbox.IsOn)
        {
            return;
        }

        // Not on the path of the start: nothing that a node promises needs Redis.
        await Task.Yield();
        var configuration = RedisConfiguration.Parse(options.Value.Redis);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                using var redis = await ConnectionMultiplexer.ConnectAsync(configuration);
                var session = new RedisSession(
                    redis, node, outbox, receiver, changes, registry, rechecks, options.Value, time, logger);
                access.Database = redis.GetDatabase();
                await session.RunAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                Log.SessionFailed(logger, exception);
            }
            finally
            {
                access.Database = null;
            }

            node.IsRedisUp = false;
            await Task.Delay(s_pause, time, stoppingToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4110, LogLevel.Warning, "The connection to Redis failed and is made anew")]
        public static partial void SessionFailed(ILogger logger, Exception exception);
    }
}

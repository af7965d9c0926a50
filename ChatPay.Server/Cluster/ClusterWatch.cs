using ChatPay.Server.Conversations;
using ChatPay.Server.Database;
using ChatPay.Server.Realtime;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.Server.Cluster;

/// <summary>
/// What makes hints mere hints: every so often, and at once where something may have been missed, this node compares what
/// its connections have been given with the database.
/// </summary>
internal sealed partial class ClusterWatch(
    Rechecks rechecks, HeadWatch heads, MemberWatch members, SignalWatch signals, WalletWatch wallets, Lineage lineage,
    NpgsqlDataSource database, IOptions<ClusterOptions> options, TimeProvider time,
    ILogger<ClusterWatch> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(options.Value.HeadCheckMs), time);
        var tick = timer.WaitForNextTickAsync(stoppingToken).AsTask();
        var wake = rechecks.WaitAsync(stoppingToken).AsTask();
        while (true)
        {
            await Task.WhenAny(tick, wake);
            var regular = tick.IsCompleted;
            if (regular)
            {
                await tick;
                tick = timer.WaitForNextTickAsync(stoppingToken).AsTask();
            }

            if (wake.IsCompleted)
            {
                await wake;
                wake = rechecks.WaitAsync(stoppingToken).AsTask();
            }

            await CheckAsync(regular, stoppingToken);
        }
    }

    private async Task CheckAsync(bool regular, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var (all, newMembers, newHeads) = rechecks.Take();
        try
        {
            if (regular || all || newMembers)
            {
                await members.CheckAsync(cancellationToken);
            }

            if (regular || all)
            {
                await heads.CheckAsync(cancellationToken);
                await lineage.CheckAsync(cancellationToken);
                await signals.CheckAsync(cancellationToken);
                await wallets.CheckAsync(all, cancellationToken);
                ClusterMetrics.Checked(time.GetElapsedTime(started).TotalMilliseconds);
            }
            else if (newHeads.Count > 0)
            {
                await heads.CheckAsync(newHeads, cancellationToken);
            }
        }
        catch (Exception exception)
            when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Whatever it is: the next round looks at everything again, and not before its time.
            Log.CheckFailed(logger, exception);
            database.ForgetTainted(exception);
            members.Distrust();
            signals.Distrust();
            rechecks.Missed(all);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4120, LogLevel.Warning, "What was delivered could not be compared with the database")]
        public static partial void CheckFailed(ILogger logger, Exception exception);
    }
}

using Microsoft.Extensions.Options;

namespace ChatPay.Server.Conversations;

/// <summary>
/// Removes events that are kept no longer. Whoever has not read them by then goes on at the log's new beginning; nodes
/// that sweep at once leave each other alone.
/// </summary>
internal sealed partial class RetentionSweeper(
    RetentionStore store, IOptions<ConversationOptions> options, TimeProvider time, ILogger<RetentionSweeper> logger)
    : BackgroundService
{
    /// <summary>Removes all that is due now.</summary>
    /// <returns>How many events this node has removed.</returns>
    public async Task<long> SweepAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        long removed = 0;
        if (options.Value.DefaultRetentionDays is { } usual)
        {
            removed += await SweepAsync(0, usual, cancellationToken);
        }

        foreach (var days in await store.SettingsAsync(cancellationToken))
        {
            removed += await SweepAsync(days, days, cancellationToken);
        }

        if (removed > 0)
        {
            var elapsedMs = time.GetElapsedTime(started).TotalMilliseconds;
            ConversationMetrics.Swept(elapsedMs);
            Log.Swept(logger, removed, (long)elapsedMs);
        }

        return removed;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.RetentionSweepSeconds), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Log.SweepFailed(logger, exception);
            }
        }
    }

    /// <summary>Every pass brings each log it looks at further, or out of sight, so there is an end.</summary>
    private async Task<long> SweepAsync(int setting, int days, CancellationToken cancellationToken)
    {
        long removed = 0;
        while (true)
        {
            var started = time.GetTimestamp();
            var pass = await store.SweepAsync(setting, days, options.Value.RetentionBatch, cancellationToken);
            ConversationMetrics.Removed(pass.Events);
            removed += pass.Events;
            if (pass.Logs == 0)
            {
                return removed;
            }

            // As long a rest as the work took, so that at most half of one connection's time goes into tidying.
            await Task.Delay(time.GetElapsedTime(started), time, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4300, LogLevel.Information, "{Count} events were removed that are kept no longer, in {ElapsedMs} ms")]
        public static partial void Swept(ILogger logger, long count, long elapsedMs);

        [LoggerMessage(4301, LogLevel.Warning, "Events that are kept no longer could not be removed; trying again")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}

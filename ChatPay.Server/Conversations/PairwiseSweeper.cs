namespace ChatPay.Server.Conversations;

/// <summary>Forgets pairwise requests that are too old to be repeated.</summary>
internal sealed partial class PairwiseSweeper(
    DeviceMessageStore store, TimeProvider time, ILogger<PairwiseSweeper> logger) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (await store.ForgetSentAsync(stoppingToken) > 0)
                {
                    // Until nothing is left.
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                Log.SweepFailed(logger, exception);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4220, LogLevel.Warning, "Old pairwise requests could not be forgotten; it is tried again")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}

using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.KeyPackages;

/// <summary>
/// Deletes key packages that nobody may get any more. Claims never hand them out whether or not this has run; it only
/// keeps the table small.
/// </summary>
internal sealed partial class KeyPackageSweeper(
    KeyPackageStore store, IOptions<KeyPackageOptions> options, TimeProvider time, ILogger<KeyPackageSweeper> logger)
    : BackgroundService, IAccountLifecycle
{
    public Task DeviceRevokedAsync(AccountId account, DeviceId device, CancellationToken cancellationToken) =>
        store.DeleteOfDeviceAsync(device, cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(options.Value.SweepMinutes), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var deleted = await store.SweepAsync(stoppingToken);
                Log.Swept(logger, deleted);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Log.SweepFailed(logger, exception);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2510, LogLevel.Debug, "{Count} key packages had expired or belonged to revoked devices")]
        public static partial void Swept(ILogger logger, int count);

        [LoggerMessage(2511, LogLevel.Warning, "Expired key packages could not be deleted")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}

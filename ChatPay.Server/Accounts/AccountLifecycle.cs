using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Accounts;

/// <summary>
/// Tells the other features that accounts and devices came and went. It does so right after the commit, and what failed or was
/// cut short is found again in the database (<c>account.opened_at</c> and <c>device.dropped_at</c> are still null) and
/// done again by any node, until every feature has succeeded.
/// </summary>
internal sealed partial class AccountLifecycle(
    IServiceProvider services, AccountStore accounts, DeviceStore devices, SessionStore sessions,
    IOptions<AccountOptions> options, TimeProvider time, ILogger<AccountLifecycle> logger) : BackgroundService
{
    private const int AccountsPerRound = 100;

    private static readonly TimeSpan SessionCleaningInterval = TimeSpan.FromHours(1);

    /// <summary>Features, resolved late: some of them use accounts themselves.</summary>
    private readonly Lazy<IAccountLifecycle[]> _features = new(() => [.. services.GetServices<IAccountLifecycle>()]);

    public async Task OpenedAsync(AccountId account, CancellationToken cancellationToken)
    {
        if (await ForAllAsync("opening an account", feature =>
            feature.AccountOpenedAsync(account, cancellationToken)))
        {
            await accounts.MarkOpenedAsync(account, cancellationToken);
        }
    }

    public async Task RevokedAsync(AccountId account, DeviceId device, CancellationToken cancellationToken)
    {
        if (await ForAllAsync("dropping a device", feature =>
            feature.DeviceRevokedAsync(account, device, cancellationToken)))
        {
            await devices.MarkDroppedAsync(device, cancellationToken);
        }
    }

    /// <summary>A hint for this node's connections; on other nodes they find out by checking their sessions.</summary>
    public Task SessionsEndedAsync(DeviceId device, CancellationToken cancellationToken) =>
        ForAllAsync("closing connections", feature => feature.SessionsEndedAsync(device, cancellationToken));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.LifecycleRetrySeconds), time);
        var cleanedAt = time.GetTimestamp();
        try
        {
            do
            {
                try
                {
                    await CatchUpAsync(stoppingToken);
                    if (time.GetElapsedTime(cleanedAt) >= SessionCleaningInterval)
                    {
                        cleanedAt = time.GetTimestamp();
                        Log.SessionsDeleted(logger, await sessions.DeleteOldAsync(stoppingToken));
                    }
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    Log.RoundFailed(logger, exception);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        foreach (var account in await accounts.UnopenedAsync(AccountsPerRound, cancellationToken))
        {
            await OpenedAsync(account, cancellationToken);
        }

        foreach (var (account, device) in await devices.UndroppedAsync(AccountsPerRound, cancellationToken))
        {
            await RevokedAsync(account, device, cancellationToken);
        }
    }

    /// <summary>One feature's failure does not keep the others from their part.</summary>
    private async Task<bool> ForAllAsync(string what, Func<IAccountLifecycle, Task> call)
    {
        var succeeded = true;
        foreach (var feature in _features.Value)
        {
            try
            {
                await call(feature);
            }
            catch (Exception exception)
            {
                succeeded = false;
                Log.FeatureFailed(logger, feature.GetType().Name, what, exception);
            }
        }

        return succeeded;
    }

    private static partial class Log
    {
        [LoggerMessage(2050, LogLevel.Error, "{Feature} failed at {What}; it is tried again")]
        public static partial void FeatureFailed(ILogger logger, string feature, string what, Exception exception);

        [LoggerMessage(2051, LogLevel.Error, "Looking for unfinished work of accounts failed; it is tried again")]
        public static partial void RoundFailed(ILogger logger, Exception exception);

        [LoggerMessage(2052, LogLevel.Debug, "Deleted {Sessions} sessions that ended long ago")]
        public static partial void SessionsDeleted(ILogger logger, int sessions);
    }
}

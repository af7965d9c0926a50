using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.Server.Presence;

/// <summary>
/// Decides what others are to see of who came and went on this node: whoever hides is not shown, and whoever comes back at
/// once was never away.
/// </summary>
internal sealed partial class PresenceRounds(
    PresenceBook book, PresenceSignals signals, PresenceStore store, NpgsqlDataSource database,
    IOptions<PresenceOptions> options, TimeProvider time, ILogger<PresenceRounds> logger) : BackgroundService
{
    private const int AccountsPerQuery = 5000;

    /// <summary>How often everybody is looked at anew, whatever was heard.</summary>
    private static readonly TimeSpan s_doubt = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        var tick = timer.WaitForNextTickAsync(stoppingToken).AsTask();
        var work = signals.Work.WaitToReadAsync(stoppingToken).AsTask();
        var doubtedAt = time.GetTimestamp();
        try
        {
            while (true)
            {
                await Task.WhenAny(tick, work);
                if (work.IsCompleted)
                {
                    await work;
                    signals.Work.TryRead(out _);
                    work = signals.Work.WaitToReadAsync(stoppingToken).AsTask();
                }

                if (tick.IsCompleted)
                {
                    await tick;
                    tick = timer.WaitForNextTickAsync(stoppingToken).AsTask();
                    if (time.GetElapsedTime(doubtedAt) >= s_doubt)
                    {
                        doubtedAt = time.GetTimestamp();
                        book.Doubt();
                    }
                }

                await DecideAsync(stoppingToken);
                await PartAsync(stoppingToken);
                await SeeOffAsync(book.Overdue(), TimeSpan.FromSeconds(options.Value.OfflineAfterSeconds), stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Other nodes see them until this one's time is up; by then they are back, or this is when they were last seen.
            await SeeOffAsync(book.Shown(), TimeSpan.Zero, CancellationToken.None);
        }
    }

    private async Task DecideAsync(CancellationToken cancellationToken)
    {
        foreach (var accounts in book.TakeUndecided().Chunk(AccountsPerQuery))
        {
            try
            {
                book.Decide(accounts, await store.HiddenAsync(accounts, cancellationToken));
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                // Nobody is shown of whom it is not known that they may be.
                Failed("decide", exception);
                foreach (var account in accounts)
                {
                    book.Changed(account);
                }

                await Task.Delay(s_interval, time, cancellationToken);
            }
        }
    }

    private async Task PartAsync(CancellationToken cancellationToken)
    {
        foreach (var account in book.TakeParted())
        {
            var related = book.Related(account);
            if (related.Count == 0)
            {
                continue;
            }

            try
            {
                var sharing = await store.SharingAsync(account, related, cancellationToken);
                book.Estrange(account, related.Except(sharing.Select(one => one.Account)).ToHashSet());
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                Failed("part", exception);
                book.Parted(account);
                await Task.Delay(s_interval, time, cancellationToken);
            }
        }
    }

    private async Task SeeOffAsync(
        IReadOnlyList<AccountId> gone, TimeSpan ago, CancellationToken cancellationToken)
    {
        foreach (var accounts in gone.Chunk(AccountsPerQuery))
        {
            IReadOnlyDictionary<AccountId, DateTimeOffset> seen =
                new Dictionary<AccountId, DateTimeOffset>();
            try
            {
                seen = await store.SeenAsync(accounts, ago, cancellationToken);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                // They are gone all the same, only it is not known since when.
                Failed("see off", exception);
            }

            book.Leave(accounts, seen);
        }
    }

    private void Failed(string what, Exception exception)
    {
        database.ForgetTainted(exception);
        PresenceMetrics.Failed(what);
        Log.RoundFailed(logger, what, exception);
    }

    private static partial class Log
    {
        [LoggerMessage(4200, LogLevel.Warning, "The database did not answer while presence was looked after ({What})")]
        public static partial void RoundFailed(ILogger logger, string what, Exception exception);
    }
}

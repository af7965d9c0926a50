using System.Security.Cryptography;
using ChatPay.Core.Cards;
using ChatPay.Server.Database.GroupCommit;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Cards;

/// <summary>
/// Expires cards whose time is up, through the write path. It only tidies: acting on such a card is refused already, by
/// the clock of the acting transaction, and nodes that sweep at once do not disturb each other.
/// </summary>
internal sealed partial class CardSweeper(
    CardStore store, PayCodeStore codes, GroupCommitter committer, TimeProvider time, IOptions<CardOptions> options,
    ILogger<CardSweeper> logger) : BackgroundService
{
    private const int NodesApartMs = 100;

    /// <summary>Expires what is overdue now.</summary>
    /// <returns>How many cards this node closed.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var closed = 0;
        Card? last = null;
        while (true)
        {
            var overdue = await store.ReadOverdueAsync(last, options.Value.SweepBatch, cancellationToken);
            var outcomes = await Task.WhenAll(overdue.Select(
                card => committer.SubmitAsync(new ExpireCardCommand(card), cancellationToken)));
            var closedNow = outcomes.Count(outcome => outcome is { IsOk: true, Value: true });
            closed += closedNow;
            CardMetrics.Expired(closedNow);
            foreach (var outcome in outcomes)
            {
                if (outcome.Error is { Retryable: false } error)
                {
                    Log.NotExpired(logger, error.Code);
                }
            }

            // Those that cannot end now do not keep the others from it.
            if (overdue.Count < options.Value.SweepBatch)
            {
                return closed;
            }

            last = overdue[^1];
        }
    }

    /// <summary>Reminds of splits that are old enough.</summary>
    /// <returns>How many this node reminded of.</returns>
    public async Task<int> RemindAsync(CancellationToken cancellationToken)
    {
        var age = TimeSpan.FromSeconds(options.Value.RemindAfterSeconds);
        var due = await store.ReadToRemindAsync(age, options.Value.SweepBatch, cancellationToken);
        var outcomes = await Task.WhenAll(due.Select(
            card => committer.SubmitAsync(new RemindCardCommand(card), cancellationToken)));
        return outcomes.Count(outcome => outcome is { IsOk: true, Value: true });
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await GoRoundAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Whoever stops it by itself wants the server to go on.
        }
    }

    private async Task GoRoundAsync(CancellationToken stoppingToken)
    {
        var interval = TimeSpan.FromMilliseconds(options.Value.SweepIntervalMs);

        // Nodes that start together sweep apart.
        await Task.Delay(
            TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(options.Value.SweepIntervalMs)), time, stoppingToken);
        while (true)
        {
            var pause = interval;
            try
            {
                await SweepAsync(stoppingToken);
                await RemindAsync(stoppingToken);
                await codes.RemoveOldAsync(options.Value.SweepBatch, stoppingToken);

                // A card ends when it is due, not when the next look comes.
                // Nodes do not all come for it at the same instant.
                if (await store.ReadNextDueAsync(stoppingToken) is { } due && due < interval)
                {
                    pause = due + TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(NodesApartMs));
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Log.SweepFailed(logger, exception);
            }

            await Task.Delay(pause, time, stoppingToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(5100, LogLevel.Warning, "Overdue cards could not be swept; trying again")]
        public static partial void SweepFailed(ILogger logger, Exception exception);

        [LoggerMessage(5101, LogLevel.Error, "An overdue card did not expire: {Code}. Run: ledger verify")]
        public static partial void NotExpired(ILogger logger, Core.Protocol.ErrorCode code);
    }
}

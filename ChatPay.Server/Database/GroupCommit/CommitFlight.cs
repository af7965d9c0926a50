using System.Diagnostics;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>
/// A batch's first attempt, on its way to its commit while the batch after it is being decided. What was decided on the
/// results of earlier flights is committed only after them, and falls with them.
/// </summary>
/// <param name="earlier">The flights that have not landed; the attempt's set follows theirs.</param>
/// <param name="span">Ends when the flight has landed; null while nobody listens.</param>
internal sealed class CommitFlight(CommitAttempt attempt, CommitFlight[] earlier, Activity? span = null)
{
    private readonly TaskCompletionSource<bool> _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _landed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _started = Stopwatch.GetTimestamp();
    private CommitFlight[] _earlier = earlier;

    public IReadOnlyList<WriteCommand> Batch => attempt.Batch;

    public WriteSet Set => attempt.Set;

    /// <summary>What went wrong with the attempt; null also where it fell with an earlier one.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Whether the attempt has ended without a commit.</summary>
    public bool HasFailed => _committed.Task is { IsCompleted: true, Result: false };

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

    /// <summary>Ends when the callers have their answers, after this attempt or another. Never fails.</summary>
    public Task Landed => _landed.Task;

    /// <summary>Loads and decides; what goes wrong is kept for <see cref="LandAsync"/>.</summary>
    public async Task DecideAsync(CancellationToken cancellationToken)
    {
        try
        {
            attempt.Declare();
            if (Set.WaitsForEarlier)
            {
                foreach (var flight in _earlier)
                {
                    await flight.Landed;
                }

                Set.ForgetEarlier();
                Set.Declared();
                _earlier = [];
            }

            await attempt.DecideAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            Failure = exception;
        }
        finally
        {
            Set.ForgetEarlier();
        }
    }

    /// <summary>Writes and commits, then answers: by <paramref name="land"/>, which is told whether it committed.</summary>
    public async Task LandAsync(Func<bool, Task> land, CancellationToken cancellationToken)
    {
        try
        {
            var committed = await TryCommitAsync(cancellationToken);
            if (!committed)
            {
                Set.Abandon();
            }

            _committed.SetResult(committed);
            foreach (var flight in _earlier)
            {
                // One after the other, so that nobody is told of a later state first.
                await flight.Landed;
            }

            await land(committed);
        }
        finally
        {
            // A chain of flights would keep every batch there ever was.
            _earlier = [];
            _committed.TrySetResult(false);
            span?.SetTag("chatpay.first_attempt", HasFailed ? "failed" : "committed").Dispose();
            _landed.SetResult();
        }
    }

    private async Task<bool> TryCommitAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Before anybody is told: an attempt that failed holds its locks until it is rolled back.
            await using var rollback = attempt;
            if (Failure is not null)
            {
                return false;
            }

            if (Set.IsSpeculative)
            {
                if (!_earlier.All(flight => flight._committed.Task.IsCompleted))
                {
                    await attempt.WriteAsync(cancellationToken);
                }

                foreach (var flight in _earlier)
                {
                    if (!await flight._committed.Task)
                    {
                        return false;
                    }
                }
            }

            await attempt.CommitAsync(cancellationToken);
            return true;
        }
        catch (Exception exception)
        {
            Failure = exception;
            return false;
        }
    }
}

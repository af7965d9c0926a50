using System.Diagnostics;
using System.Threading.Channels;
using ChatPay.Core.Protocol;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>
/// The one write path: command, bounded queue, batch, one transaction, acknowledge, fan out. Whatever has gathered while
/// the last batch was decided becomes the next one, so a lone command commits at once and a busy queue fills batches.
/// A batch is first tried in a <see cref="CommitFlight"/>, beside the one before it; whatever goes wrong there is tried
/// again alone, with every row locked.
/// </summary>
internal sealed partial class GroupCommitter(
    CommitSource source, IEnumerable<IWriteRowsFactory> features, IOptions<GroupCommitOptions> options, TimeProvider time,
    ILogger<GroupCommitter> logger) : BackgroundService
{
    /// <summary>How often it is looked whether a crowd has gathered beside a batch that holds rows.</summary>
    private static readonly TimeSpan s_gatherEvery = TimeSpan.FromMilliseconds(2);

    private readonly IWriteRowsFactory[] _features = [.. features];
    private readonly Channel<WriteCommand> _queue = Channel.CreateBounded<WriteCommand>(
        new BoundedChannelOptions(options.Value.QueueCapacity) { SingleReader = true });
    private readonly List<WriteCommand> _gathered = [];
    private readonly Queue<CommitFlight> _flights = new();
    private readonly Caution _caution = new();
    private readonly DatabaseRun _run = new(time);

    /// <summary>
    /// Queues a command and waits for its outcome. A caller that stops waiting does not take the command back: it is
    /// decided all the same, and the same ids ask for its outcome again.
    /// </summary>
    public Task<Result<T>> SubmitAsync<T>(WriteCommand<T> command, CancellationToken cancellationToken)
    {
        // Counted first, lest it be taken out before it was in.
        GroupCommitMetrics.Waiting(1);
        if (!_queue.Writer.TryWrite(command))
        {
            GroupCommitMetrics.Waiting(-1);
            GroupCommitMetrics.Overloaded();
            return Task.FromResult<Result<T>>(
                new Error(ErrorCode.Overloaded, "The server has too much to do right now. Try again in a moment."));
        }

        return command.Completion.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (_gathered.Count > 0 || await _queue.Reader.WaitToReadAsync(stoppingToken))
            {
                // A batch that has begun is finished even while the host stops: its callers are still connected.
                await PostAsync(CancellationToken.None);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            _queue.Writer.TryComplete();
            await LandAsync(leaving: 0);
            while (TakeBatch() is { Count: > 0 } left)
            {
                FailAll(left, new Error(ErrorCode.Unavailable, "The server is stopping. Try again in a moment."));
            }
        }
    }

    /// <summary>Takes what has gathered and sends it on its way; returns when the next batch may be decided.</summary>
    private async Task PostAsync(CancellationToken cancellationToken)
    {
        var batch = await TakeBesideAsync();
        if (batch is null)
        {
            await LandAsync(leaving: 0);
            batch = TakeBatch();
        }

        if (_caution.TakeOne())
        {
            await LandAsync(leaving: 0);
            using var itsSpan = CommitSpan.Begin(batch);
            await CommitWithRetriesAsync(batch, cancellationToken);
            return;
        }

        CommitFlight[] earlier = [.. _flights.Where(flight => !flight.Landed.IsCompleted)];
        var set = new WriteSet(_features, [.. earlier.Select(flight => flight.Set)]);
        var attempt = new CommitAttempt(source, batch, set, _run, options.Value.LockTimeoutMs);
        var flight = new CommitFlight(attempt, earlier, CommitSpan.Begin(batch));
        _flights.Enqueue(flight);
        await flight.DecideAsync(cancellationToken);

        // Elsewhere, because building the statements takes time in which the next batch can be decided.
        _ = Task.Run(() => flight.LandAsync(committed => EndAsync(flight, committed, cancellationToken), cancellationToken),
            cancellationToken);
    }

    /// <summary>
    /// A batch to go beside those on their way, where a crowd waits; null where they have to land first. Beside a batch that
    /// holds rows locked go only commands of other places: the others would wait for it, in the database and with what they have.
    /// </summary>
    private async Task<List<WriteCommand>?> TakeBesideAsync()
    {
        var most = Math.Max(1, options.Value.CrowdSize);
        if (_gathered.Count + _queue.Reader.Count < most)
        {
            return null;
        }

        await LandAsync(options.Value.Flights - 1);
        while (true)
        {
            // After a failure nothing is decided on top of what is being tried again.
            if (_flights.Any(flight => flight.HasFailed))
            {
                return null;
            }

            CommitFlight[] holding = [.. _flights.Where(flight => !flight.Landed.IsCompleted && flight.Set.HoldsRows)];
            if (holding.Length == 0)
            {
                return TakeBatch();
            }

            HashSet<Guid?> places = [.. holding.SelectMany(flight => flight.Batch).Select(command => command.Place)];
            if (TakeElsewhere(places, most) is { } batch)
            {
                return batch;
            }

            await Task.WhenAny([.. holding.Select(flight => flight.Landed), Task.Delay(s_gatherEvery, time)]);
        }
    }

    /// <summary>What waits for none of the places, in its order; null where that is no crowd.</summary>
    private List<WriteCommand>? TakeElsewhere(HashSet<Guid?> places, int most)
    {
        Gather();
        var batch = new List<WriteCommand>();
        var left = new List<WriteCommand>();
        foreach (var command in _gathered)
        {
            // What comes behind a command that waits, and may touch the same, waits as well.
            if (batch.Count < options.Value.BatchSize && !places.Contains(null) && !places.Contains(command.Place))
            {
                batch.Add(command);
            }
            else
            {
                left.Add(command);
                places.Add(command.Place);
            }
        }

        if (batch.Count < most)
        {
            return null;
        }

        _gathered.Clear();
        _gathered.AddRange(left);
        GroupCommitMetrics.Waiting(-batch.Count);
        return batch;
    }

    private List<WriteCommand> TakeBatch()
    {
        Gather();
        var batch = _gathered.GetRange(0, Math.Min(_gathered.Count, options.Value.BatchSize));
        _gathered.RemoveRange(0, batch.Count);
        GroupCommitMetrics.Waiting(-batch.Count);
        return batch;
    }

    /// <summary>Takes commands out of the queue, up to a batch's size beyond those of a batch that may be left behind.</summary>
    private void Gather()
    {
        while (_gathered.Count < 2 * options.Value.BatchSize && _queue.Reader.TryRead(out var command))
        {
            _gathered.Add(command);
        }
    }

    /// <summary>Waits until at most so many flights are left.</summary>
    private async Task LandAsync(int leaving)
    {
        while (_flights.TryPeek(out var oldest) && (_flights.Count > leaving || oldest.Landed.IsCompleted))
        {
            await oldest.Landed;
            _flights.Dequeue();
        }
    }

    private async Task EndAsync(CommitFlight flight, bool committed, CancellationToken cancellationToken)
    {
        if (committed)
        {
            GroupCommitMetrics.Committed(flight.Batch.Count, flight.Elapsed.TotalMilliseconds);
            Complete(flight.Batch, flight.Set);
            _caution.Succeeded();
            return;
        }

        if (flight.Failure is PostgresException
            {
                SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.LockNotAvailable
                    or PostgresErrorCodes.UniqueViolation
            })
        {
            // Another node was there first: with a version, a lock, or the same id or entry. For a while nothing is
            // decided here that is not locked.
            GroupCommitMetrics.Conflicted();
            _caution.Conflicted();
        }
        else if (flight.Failure is { } failure && IsRetryable(failure))
        {
            Log.Retrying(logger, flight.Batch.Count, 0, StateOf(failure));
        }

        ForgetIfLost(flight.Failure);
        await CommitWithRetriesAsync(flight.Batch, cancellationToken);
    }

    private static void Complete(IReadOnlyList<WriteCommand> batch, WriteSet set)
    {
        // Fan-out first: what a caller is told of others then leaves together with its answer, in one system call.
        foreach (var rows in set.InLockOrder)
        {
            rows.Committed();
        }

        // One after another behind that, not each before it.
        foreach (var command in batch)
        {
            ThreadPool.UnsafeQueueUserWorkItem(command, preferLocal: false);
        }
    }

    private async Task CommitWithRetriesAsync(IReadOnlyList<WriteCommand> batch, CancellationToken cancellationToken)
    {
        var delayMs = options.Value.RetryDelayMs;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var started = Stopwatch.GetTimestamp();
                var set = new WriteSet(_features);
                await using (var commit = new CommitAttempt(source, batch, set, _run))
                {
                    commit.Declare();
                    await commit.DecideAsync(cancellationToken);
                    await commit.CommitAsync(cancellationToken);
                }

                GroupCommitMetrics.Committed(batch.Count, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                Complete(batch, set);
                return;
            }
            catch (Exception exception) when (IsRetryable(exception) && attempt < options.Value.MaxAttempts)
            {
                // The same ids again: what a lost connection did commit is found as a duplicate.
                Log.Retrying(logger, batch.Count, attempt, StateOf(exception));
                ForgetIfLost(exception);
                await Task.Delay(delayMs, cancellationToken);
                delayMs *= 2;
            }
            catch (Exception exception) when (IsRetryable(exception) && !IsCollision(exception))
            {
                Log.GaveUp(logger, batch.Count, attempt, exception);
                FailAll(batch, new Error(ErrorCode.Unavailable, "The database cannot be reached. Try again in a moment."));
                return;
            }
            catch (Exception exception) when (batch.Count > 1)
            {
                // One command that throws must not take the others down: find it by committing one at a time.
                Log.Splitting(logger, batch.Count, exception);
                foreach (var command in batch)
                {
                    await CommitWithRetriesAsync([command], cancellationToken);
                }

                return;
            }
            catch (Exception exception)
            {
                Log.CommandFailed(logger, batch[0].GetType().Name, exception);
                FailAll(batch, new Error(
                    ErrorCode.Internal, "Something went wrong on our side. Asking again with the same id tells what was done."));
                return;
            }
        }
    }

    private static bool IsRetryable(Exception exception) =>
        DatabaseTrouble.IsPassing(exception) || IsCollision(exception) || exception is DatabaseReplacedException
        || exception is PostgresException
        {
            SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure
                or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled,
        };

    /// <summary>The database went away under the attempt, or is no longer the one to write to.</summary>
    private static bool IsLoss(Exception? exception) => exception switch
    {
        PostgresException answered => answered.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
            or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.ReadOnlySqlTransaction,
        DatabaseReplacedException => true,
        null => false,
        _ => DatabaseTrouble.IsPassing(exception),
    };

    /// <summary>
    /// Another node wrote the same new key between our load and our write. Loading again finds it as a duplicate; if it
    /// keeps happening, one command is wrong and the batch is split to find it.
    /// </summary>
    private static bool IsCollision(Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };

    private static string StateOf(Exception exception) => exception is PostgresException answered ? answered.SqlState
        : exception.InnerException is TimeoutException ? "timeout" : "connection";

    private void ForgetIfLost(Exception? failure)
    {
        source.Forget(failure);
        if (IsLoss(failure))
        {
            foreach (var feature in _features)
            {
                feature.DatabaseLost();
            }

            _run.Forget();
        }
    }

    private static void FailAll(IReadOnlyList<WriteCommand> batch, Error error)
    {
        foreach (var command in batch)
        {
            command.Fail(error);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3000, LogLevel.Warning, "A batch of {Commands} commands is tried again after attempt {Attempt}: {State}")]
        public static partial void Retrying(ILogger logger, int commands, int attempt, string state);

        [LoggerMessage(3001, LogLevel.Error, "A batch of {Commands} commands was given up after {Attempts} attempts")]
        public static partial void GaveUp(ILogger logger, int commands, int attempts, Exception exception);

        [LoggerMessage(3002, LogLevel.Error, "A batch of {Commands} commands failed and is tried command by command")]
        public static partial void Splitting(ILogger logger, int commands, Exception exception);

        [LoggerMessage(3003, LogLevel.Error, "A {Command} failed")]
        public static partial void CommandFailed(ILogger logger, string command, Exception exception);
    }
}

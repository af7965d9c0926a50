using System.Diagnostics;
using System.Threading.Channels;
using ChatPay.Core.Protocol;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>
/// The one write path: command, bounded queue, batch, one transaction, acknowledge, fan out. Whatever has gathered while
/// the last batch committed becomes the next one, so a lone command commits at once and a busy queue fills batches.
/// </summary>
internal sealed partial class GroupCommitter(
    NpgsqlDataSource dataSource, IEnumerable<IWriteRowsFactory> features, IOptions<GroupCommitOptions> options,
    ILogger<GroupCommitter> logger) : BackgroundService
{
    private readonly IWriteRowsFactory[] _features = [.. features];
    private readonly Channel<WriteCommand> _queue = Channel.CreateBounded<WriteCommand>(
        new BoundedChannelOptions(options.Value.QueueCapacity) { SingleReader = true });

    /// <summary>
    /// Queues a command and waits for its outcome. A caller that stops waiting does not take the command back: it is
    /// decided all the same, and the same ids ask for its outcome again.
    /// </summary>
    public async Task<Result<T>> SubmitAsync<T>(WriteCommand<T> command, CancellationToken cancellationToken)
    {
        if (!_queue.Writer.TryWrite(command))
        {
            GroupCommitMetrics.Overloaded();
            return new Error(ErrorCode.Overloaded, "The server has too much to do right now. Try again in a moment.");
        }

        return await command.Completion.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<WriteCommand>(options.Value.BatchSize);
        try
        {
            while (await _queue.Reader.WaitToReadAsync(stoppingToken))
            {
                batch.Clear();
                while (batch.Count < options.Value.BatchSize && _queue.Reader.TryRead(out var command))
                {
                    batch.Add(command);
                }

                // A batch that has begun is finished even while the host stops: its callers are still connected.
                await CommitWithRetriesAsync(batch, CancellationToken.None);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            _queue.Writer.TryComplete();
            while (_queue.Reader.TryRead(out var command))
            {
                command.Fail(new Error(ErrorCode.Unavailable, "The server is stopping. Try again in a moment."));
            }
        }
    }

    private async Task CommitWithRetriesAsync(List<WriteCommand> batch, CancellationToken cancellationToken)
    {
        var delayMs = options.Value.RetryDelayMs;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var started = Stopwatch.GetTimestamp();
                var set = await CommitAsync(batch, cancellationToken);
                GroupCommitMetrics.Committed(batch.Count, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                foreach (var command in batch)
                {
                    command.Complete();
                }

                foreach (var rows in set.InLockOrder)
                {
                    rows.Committed();
                }

                return;
            }
            catch (NpgsqlException exception) when (IsRetryable(exception) && attempt < options.Value.MaxAttempts)
            {
                // The same ids again: what a lost connection did commit is found as a duplicate.
                Log.Retrying(logger, batch.Count, attempt, exception.SqlState ?? "connection");
                await Task.Delay(delayMs, cancellationToken);
                delayMs *= 2;
            }
            catch (NpgsqlException exception) when (IsRetryable(exception) && !IsCollision(exception))
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
                FailAll(batch, new Error(ErrorCode.Internal, "Something went wrong on our side. Nothing was changed."));
                return;
            }
        }
    }

    /// <summary>One attempt, in two round trips: load with locks, then write and commit.</summary>
    private async Task<WriteSet> CommitAsync(List<WriteCommand> batch, CancellationToken cancellationToken)
    {
        var set = new WriteSet(_features);
        foreach (var command in batch)
        {
            command.Declare(set);
        }

        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using (var loads = new NpgsqlBatch(connection))
        {
            loads.BatchCommands.Add(new NpgsqlBatchCommand("begin"));
            foreach (var rows in set.InLockOrder)
            {
                rows.AddLoads(loads);
            }

            loads.BatchCommands.Add(new NpgsqlBatchCommand("select clock_timestamp()"));
            await using var reader = await loads.ExecuteReaderAsync(cancellationToken);
            var results = new LoadReader(reader);
            foreach (var rows in set.InLockOrder)
            {
                await rows.ReadLoadsAsync(results, cancellationToken);
            }

            var clock = await results.NextAsync(cancellationToken);
            await clock.ReadAsync(cancellationToken);
            set.Now = clock.GetFieldValue<DateTimeOffset>(0);
        }

        foreach (var command in batch)
        {
            command.Decide(set);
        }

        await using var writes = new NpgsqlBatch(connection);
        foreach (var rows in set.InLockOrder)
        {
            rows.AddWrites(writes);
        }

        writes.BatchCommands.Add(new NpgsqlBatchCommand("commit"));
        await writes.ExecuteNonQueryAsync(cancellationToken);
        return set;
    }

    private static bool IsRetryable(NpgsqlException exception) =>
        exception.IsTransient || exception is not PostgresException || exception.SqlState is
            PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure
            or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.CrashShutdown || IsCollision(exception);

    /// <summary>
    /// Another node wrote the same new key between our load and our write. Loading again finds it as a duplicate; if it
    /// keeps happening, one command is wrong and the batch is split to find it.
    /// </summary>
    private static bool IsCollision(NpgsqlException exception) => exception.SqlState is PostgresErrorCodes.UniqueViolation;

    private static void FailAll(List<WriteCommand> batch, Error error)
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

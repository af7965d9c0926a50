using System.Globalization;
using Npgsql;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>One attempt at a batch, in one transaction: load and decide, write, commit.</summary>
/// <param name="lockTimeoutMs">How long to wait for a lock of another transaction; null for as long as it takes.</param>
/// <param name="run">The run of PostgreSQL that anything remembered is from; null where nothing is.</param>
internal sealed class CommitAttempt(
    CommitSource source, IReadOnlyList<WriteCommand> batch, WriteSet set, int? lockTimeoutMs = null,
    DatabaseRun? run = null)
    : IAsyncDisposable
{
    private NpgsqlConnection? _connection;
    private bool _written;

    public IReadOnlyList<WriteCommand> Batch => batch;

    public WriteSet Set => set;

    /// <summary>The first round trip: begin, load, read the clock; then every command decides in memory.</summary>
    public async Task DecideAsync(CancellationToken cancellationToken)
    {
        foreach (var command in batch)
        {
            command.Declare(set);
        }

        _connection = await source.OpenAsync(cancellationToken);
        await using (var loads = new NpgsqlBatch(_connection))
        {
            loads.BatchCommands.Add(new NpgsqlBatchCommand("begin"));
            if (lockTimeoutMs is { } timeoutMs)
            {
                loads.BatchCommands.Add(new NpgsqlBatchCommand(
                    string.Create(CultureInfo.InvariantCulture, $"set local lock_timeout = {timeoutMs}")));
            }

            foreach (var rows in set.InLockOrder)
            {
                rows.AddLoads(loads);
            }

            loads.BatchCommands.Add(new NpgsqlBatchCommand(
                "select clock_timestamp(), pg_postmaster_start_time()"));
            await using var reader = await loads.ExecuteReaderAsync(cancellationToken);
            var results = new LoadReader(reader);
            foreach (var rows in set.InLockOrder)
            {
                await rows.ReadLoadsAsync(results, cancellationToken);
            }

            var clock = await results.NextAsync(cancellationToken);
            await clock.ReadAsync(cancellationToken);
            set.Now = clock.GetFieldValue<DateTimeOffset>(0);
            if (set.IsSpeculative)
            {
                run?.Check(clock.GetFieldValue<DateTimeOffset>(1));
            }
        }

        foreach (var command in batch)
        {
            command.Decide(set);
        }

        foreach (var rows in set.InLockOrder)
        {
            rows.Decided();
        }
    }

    /// <summary>Writes what need not wait for the batch before; <see cref="CommitAsync"/> does it otherwise.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        await using var writes = new NpgsqlBatch(_connection);
        AddWrites(writes);
        if (writes.BatchCommands.Count > 0)
        {
            await writes.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>The last round trip: what is not written yet, and commit.</summary>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        await using var writes = new NpgsqlBatch(_connection);
        AddWrites(writes);
        foreach (var rows in set.InWriteOrder)
        {
            rows.AddLastWrites(writes);
        }

        writes.BatchCommands.Add(new NpgsqlBatchCommand("commit"));
        await writes.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Rolls back what was not committed.</summary>
    public ValueTask DisposeAsync() => _connection?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void AddWrites(NpgsqlBatch writes)
    {
        if (_written)
        {
            return;
        }

        _written = true;
        foreach (var rows in set.InWriteOrder)
        {
            rows.AddWrites(writes);
        }
    }
}

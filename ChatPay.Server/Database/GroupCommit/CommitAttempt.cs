using System.Globalization;
using Npgsql;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>One attempt at a batch, in one transaction: load and decide, write, commit.</summary>
/// <param name="lockTimeoutMs">How long to wait for a lock of another transaction; null for as long as it takes.</param>
/// <param name="run">The run of PostgreSQL that anything remembered is from.</param>
internal sealed class CommitAttempt(
    CommitSource source, IReadOnlyList<WriteCommand> batch, WriteSet set, DatabaseRun run, int? lockTimeoutMs = null)
    : IAsyncDisposable
{
    private NpgsqlConnection? _connection;
    private DateTimeOffset? _remembered;
    private bool _written;

    public IReadOnlyList<WriteCommand> Batch => batch;

    public WriteSet Set => set;

    /// <summary>Every command names the rows it needs.</summary>
    public void Declare() => set.Declare(batch);

    /// <summary>
    /// The first round trip: begin, load, read the clock; then every command decides in memory. Where all that is needed is
    /// remembered, there is none.
    /// </summary>
    public async Task DecideAsync(CancellationToken cancellationToken)
    {
        await using (var loads = new NpgsqlBatch())
        {
            AddBegin(loads);
            var begin = loads.BatchCommands.Count;
            foreach (var rows in set.InLockOrder)
            {
                rows.AddLoads(loads);
            }

            if (loads.BatchCommands.Count > begin || set.NeedsClock || !set.IsSpeculative
                || !run.TryEstimate(out var now, out var startedAt))
            {
                await LoadAsync(loads, cancellationToken);
            }
            else
            {
                (set.Now, _remembered) = (now, startedAt);
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
        await using var writes = await BeginWritesAsync(cancellationToken);
        if (writes.BatchCommands.Count > 0)
        {
            await writes.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>The last round trip: what is not written yet, and commit.</summary>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        await using var writes = await BeginWritesAsync(cancellationToken);
        foreach (var rows in set.InWriteOrder)
        {
            rows.AddLastWrites(writes);
        }

        writes.BatchCommands.Add(new NpgsqlBatchCommand("commit"));
        await writes.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Rolls back what was not committed.</summary>
    public ValueTask DisposeAsync() => _connection?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void AddBegin(NpgsqlBatch statements)
    {
        statements.BatchCommands.Add(new NpgsqlBatchCommand("begin"));
        if (lockTimeoutMs is { } timeoutMs)
        {
            statements.BatchCommands.Add(new NpgsqlBatchCommand(
                string.Create(CultureInfo.InvariantCulture, $"set local lock_timeout = {timeoutMs}")));
        }
    }

    private async Task LoadAsync(NpgsqlBatch loads, CancellationToken cancellationToken)
    {
        loads.BatchCommands.Add(new NpgsqlBatchCommand("select clock_timestamp(), pg_postmaster_start_time()"));
        loads.Connection = _connection = await source.OpenAsync(cancellationToken);
        await using var reader = await loads.ExecuteReaderAsync(cancellationToken);
        var results = new LoadReader(reader);
        foreach (var rows in set.InLockOrder)
        {
            await rows.ReadLoadsAsync(results, cancellationToken);
        }

        var clock = await results.NextAsync(cancellationToken);
        await clock.ReadAsync(cancellationToken);
        set.Now = clock.GetFieldValue<DateTimeOffset>(0);
        run.Read(set.Now, clock.GetFieldValue<DateTimeOffset>(1));
    }

    private async Task<NpgsqlBatch> BeginWritesAsync(CancellationToken cancellationToken)
    {
        var begins = _connection is null;
        var writes = new NpgsqlBatch(_connection ??= await source.OpenAsync(cancellationToken));
        if (begins)
        {
            AddBegin(writes);
            writes.Add(
                "select expect_rows((pg_postmaster_start_time() = $1)::integer, 1)",
                _remembered ?? throw new InvalidOperationException("Nothing was decided."));
        }

        if (!_written)
        {
            _written = true;
            foreach (var rows in set.InWriteOrder)
            {
                rows.AddWrites(writes);
            }
        }

        return writes;
    }
}

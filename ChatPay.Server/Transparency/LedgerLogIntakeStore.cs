using ChatPay.Core.Receipts;
using ChatPay.Server.Database;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>
/// Finds applied transfers that the log has not, in the order of <c>transfer.seq</c>. Nothing of the ledger's own transactions
/// is changed or waited for: how far they have come is seen from <see cref="SealHorizon"/>. Whatever it says, each transfer is
/// looked up in the log before it is taken, and the log's table takes none twice.
/// </summary>
internal sealed class LedgerLogIntakeStore(NpgsqlDataSource dataSource, IOptions<LedgerLogOptions> options, TimeProvider time)
    : LogIntake
{
    /// <summary>A transfer's seq is its batch's number times this, and its place in the batch.</summary>
    private const long SeqsPerBatch = 1 << 20;

    private const string NewestBatch = "case when is_called then last_value else last_value - 1 end";

    /// <summary>
    /// So many batches are searched at once, and twice as many where they had too few transfers: in a ledger that is far ahead
    /// of its log no search reads all of the rest.
    /// </summary>
    private const long BatchesMin = 64;
    private const long BatchesMax = 1L << 30;

    private readonly TimeSpan _patience = TimeSpan.FromMilliseconds(options.Value.PatienceMs);
    private readonly List<Guid> _ids = [];
    private readonly List<byte[]> _leaves = [];
    private byte[]? _saltKey;
    private (int Number, DateTime Run, SealHorizon Horizon)? _known;
    private long? _waitsSince;
    private long _batches = BatchesMin;
    private long _seen = -1;
    private long _from;
    private long _next;
    private bool _isMore;

    public override int LeavesPerRound => 8192;

    /// <summary>What salts are made of; it is there before anything is looked for.</summary>
    public void Salt(ReadOnlySpan<byte> saltKey) => _saltKey = saltKey.ToArray();

    public override async Task<bool> MayWaitAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand($"select {NewestBatch} from ledger_batch");
        var batch = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        var isWaiting = batch != _seen || _from < SeqOf(batch + 1);
        _waitsSince = isWaiting ? _waitsSince ?? time.GetTimestamp() : null;
        LogDefinition.Ledger.Metrics.Waits(_waitsSince is { } since ? time.GetElapsedTime(since) : TimeSpan.Zero);
        return isWaiting;
    }

    public override async Task<IReadOnlyList<byte[]>> FindAsync(
        NpgsqlConnection connection, int number, CancellationToken cancellationToken)
    {
        var seen = await LookAsync(connection, cancellationToken);
        if (_known is not { } known || known.Number != number || known.Run != seen.Run)
        {
            // What this node knew beyond what is stored may have been of another history.
            _known = known = (number, seen.Run, new SealHorizon((seen.Stored / SeqsPerBatch) - 1, _patience, time));
            (_from, _batches) = (0, BatchesMin);
        }

        known.Horizon.Saw(seen.Batch, seen.Holders);
        _seen = seen.Batch;
        _from = Math.Max(_from, seen.Stored);
        var open = SeqOf(known.Horizon.Open + 1);
        var end = Math.Min(open, _from + SeqOf(_batches));
        var last = await ReadAsync(connection, end, cancellationToken);

        // What hangs comes late and lies below what is taken meanwhile: the next look begins before it.
        var isFull = _leaves.Count == LeavesPerRound;
        _next = Math.Max(_from, Math.Min(isFull ? last + 1 : end, SeqOf(known.Horizon.Complete + 1)));
        _isMore = isFull || end < open;
        _batches = isFull
            ? Math.Max(BatchesMin, 2 * (last - _from) / SeqsPerBatch)
            : Math.Min(BatchesMax, 2 * _batches);
        return _leaves;
    }

    public override void AddTake(NpgsqlBatch batch, long firstIndex)
    {
        batch.Add(
            "insert into ledger_log_leaf (index, transfer_id, leaf) select * from unnest($1::bigint[], $2::uuid[], $3::bytea[])",
            Enumerable.Range(0, _leaves.Count).Select(i => firstIndex + i).ToArray(), _ids.ToArray(), _leaves.ToArray());
        batch.Add("update ledger_log set next_seq = $1", _next);
    }

    public override void AddRenew(NpgsqlBatch batch)
    {
        batch.Add("update ledger_log set next_seq = 0");
        _known = null;
    }

    public override bool Taken()
    {
        _from = _next;
        if (!_isMore)
        {
            _waitsSince = _known?.Horizon.WaitsSince;
        }

        return _isMore;
    }

    private static long SeqOf(long batch) => batch * SeqsPerBatch;

    /// <summary>How far the log and the ledger are, and who may still add to what is behind that.</summary>
    private static async Task<Look> LookAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add($"select next_seq, {NewestBatch}, pg_postmaster_start_time() from ledger_log, ledger_batch");

        // Taking a number locks the sequence in this mode until the transaction ends, and nothing else does.
        batch.Add(
            """
            select virtualtransaction from pg_locks
            where relation = 'ledger_batch'::regclass and mode = 'RowExclusiveLock'
                and database = (select oid from pg_database where datname = current_database())
            """);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        var (stored, newest, run) = (row.GetInt64(0), row.GetInt64(1), row.GetDateTime(2));
        await row.NextResultAsync(cancellationToken);
        var holders = new List<string>();
        while (await row.ReadAsync(cancellationToken))
        {
            holders.Add(row.GetString(0));
        }

        return new Look(stored, newest, run, holders);
    }

    /// <returns>The seq of the last one found; meaningless where there is none.</returns>
    private async Task<long> ReadAsync(NpgsqlConnection connection, long end, CancellationToken cancellationToken)
    {
        var saltKey = _saltKey ?? throw new InvalidOperationException("The ledger log has no salts yet.");
        _ids.Clear();
        _leaves.Clear();
        await using var command = new NpgsqlCommand(
            $"""
            select t.seq, {SealedTransferRows.Columns} from transfer t
            where t.seq >= $1 and t.seq < $2 and t.status = 0
                and not exists (select from ledger_log_leaf l where l.transfer_id = t.id)
            order by t.seq limit $3
            """,
            connection);
        command.Add(_from);
        command.Add(end);
        command.Add(LeavesPerRound);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var last = -1L;
        while (await row.ReadAsync(cancellationToken))
        {
            last = row.GetInt64(0);
            var transfer = SealedTransferRows.Read(row, 1);
            _ids.Add(transfer.Id.Value);
            _leaves.Add(transfer.Leaf(SealedTransfer.SaltOf(saltKey, transfer.Id)));
        }

        return last;
    }

    /// <param name="Stored">From which seq on the log may lack transfers.</param>
    /// <param name="Batch">The newest batch.</param>
    /// <param name="Run">When PostgreSQL was started.</param>
    private sealed record Look(long Stored, long Batch, DateTime Run, IReadOnlyCollection<string> Holders);
}

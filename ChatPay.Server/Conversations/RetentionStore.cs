using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Conversations;

/// <summary>What one transaction has removed.</summary>
/// <param name="Logs">Looked at; 0 where nothing is left to do, or another node is doing it.</param>
internal readonly record struct RetentionPass(int Logs, long Events);

/// <summary>Removes the beginnings of logs, in transactions that are short and hold up nobody for long.</summary>
internal sealed class RetentionStore(NpgsqlDataSource dataSource)
{
    /// <summary>Logs in one transaction at most.</summary>
    private const int LogsAtOnce = 20;

    /// <summary>One sweeper at a time, on whatever node.</summary>
    private const long SweeperLock = 0x4350_5245_5445_4e00;

    /// <summary>The settings in use, in days; each costs one look into the index.</summary>
    public async Task<IReadOnlyList<int>> SettingsAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("""
            with recursive setting (days) as (
                select min(retention_days) from conversation where retention_days > 0
                union all
                select (select min(c.retention_days) from conversation c where c.retention_days > s.days)
                from setting s where s.days is not null
            )
            select days::integer from setting where days is not null
            """);
        var days = new List<int>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            days.Add(reader.GetInt32(0));
        }

        return days;
    }

    /// <summary>Removes some events of logs with one setting.</summary>
    /// <param name="setting">As stored: 0 for the server's default.</param>
    /// <param name="days">What the setting stands for.</param>
    /// <param name="most">Events at most.</param>
    public async Task<RetentionPass> SweepAsync(
        int setting, int days, int most, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (logs, cutoff) = await LockAsync(connection, setting, days, cancellationToken);
        if (logs.Count > 0)
        {
            await ReadTimesAsync(connection, logs, most, cancellationToken);
        }

        var cuts = new List<RetentionCut>(logs.Count);
        foreach (var log in logs)
        {
            var cut = RetentionCut.Decide(log, cutoff, most);
            most -= (int)cut.Count;
            cuts.Add(cut);
        }

        if (cuts.Count > 0)
        {
            await WriteAsync(connection, cuts, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return new(cuts.Count, cuts.Sum(cut => cut.Count));
    }

    /// <summary>Passes over logs that are being written to: a sender never waits for another's history.</summary>
    private static async Task<(List<AgingLog> Logs, DateTimeOffset Cutoff)> LockAsync(
        NpgsqlConnection connection, int setting, int days, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("select pg_try_advisory_xact_lock($1), now() - make_interval(days => $2)", SweeperLock, days);
        batch.Add("""
            select id, first_seq, head from conversation
            where retention_days = $1 and oldest_at < now() - make_interval(days => $2)
            order by oldest_at limit $3 for update skip locked
            """,
            (short)setting, days, LogsAtOnce);
        var logs = new List<AgingLog>(LogsAtOnce);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var alone = reader.GetBoolean(0);
        var cutoff = reader.GetFieldValue<DateTimeOffset>(1);
        await reader.NextResultAsync(cancellationToken);
        while (alone && await reader.ReadAsync(cancellationToken))
        {
            logs.Add(new(new(reader.GetGuid(0)), reader.GetInt64(1), reader.GetInt64(2)));
        }

        return (logs, cutoff);
    }

    private static async Task ReadTimesAsync(
        NpgsqlConnection connection, List<AgingLog> logs, int most, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("""
            select k.place, e.created_at
            from unnest($1::uuid[], $2::bigint[]) with ordinality as k (id, first_seq, place)
            cross join lateral (
                select seq, created_at from event e
                where e.conversation_id = k.id and e.seq >= k.first_seq order by e.seq limit $3
            ) e
            order by k.place, e.seq
            """,
            logs.Select(log => log.Id.Value).ToArray(), logs.Select(log => log.FirstSeq).ToArray(), most + 1);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            logs[(int)reader.GetInt64(0) - 1].Times.Add(reader.GetFieldValue<DateTimeOffset>(1));
        }
    }

    /// <summary>First the beginning moves, then go the rows before it: the database refuses it otherwise.</summary>
    private static async Task WriteAsync(
        NpgsqlConnection connection, List<RetentionCut> cuts, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        var ids = cuts.Select(cut => cut.Id.Value).ToArray();
        batch.Add("""
            update conversation c set first_seq = u.first_seq, oldest_at = u.oldest_at
            from unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) as u (id, first_seq, oldest_at)
            where c.id = u.id
            """,
            ids, cuts.Select(cut => cut.To).ToArray(), cuts.Select(cut => cut.OldestAt).ToArray());
        batch.Add("""
            delete from event e using unnest($1::uuid[], $2::bigint[], $3::bigint[]) as k (id, first_seq, end_seq)
            where e.conversation_id = k.id and e.seq >= k.first_seq and e.seq < k.end_seq
            """,
            ids, cuts.Select(cut => cut.From).ToArray(), cuts.Select(cut => cut.To).ToArray());
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}

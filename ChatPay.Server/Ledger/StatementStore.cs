using ChatPay.Core.Ledger;
using ChatPay.Server.Database;
using Npgsql;
using NpgsqlTypes;

namespace ChatPay.Server.Ledger;

/// <summary>What an account had after one of its entries; version 0 is before the first.</summary>
/// <param name="At">The entry's time; null before the first.</param>
internal readonly record struct BalancePoint(
    long Version, long BalanceMinor, long HeldMinor, DateTimeOffset? At = null);

/// <summary>What an account had at the instants asked for, in their order.</summary>
/// <param name="Now">The database's clock when it was read.</param>
internal sealed record BalancePoints(IReadOnlyList<BalancePoint> Points, DateTimeOffset Now);

/// <summary>An entry as the ledger alone knows it, before other features have named who and where.</summary>
/// <param name="OtherOwner">Who owns the other side's account; null for a hold, a release and the system.</param>
/// <param name="OtherSystem">The name of the other side where the system owns it.</param>
internal sealed record StatementRow(
    long Version, Guid Transfer, TransferKind Kind, long PostedMinor, long HeldMinor, long BalanceAfterMinor,
    long HeldAfterMinor, DateTimeOffset At, Guid? Card, Guid? OtherOwner, string? OtherSystem);

/// <summary>
/// Reads the history of an account. Entries never change, their versions have no gaps, and none is older than the one before
/// it: so a page is a range of the primary key, and the entry in force at an instant is found by halving that key.
/// </summary>
internal sealed class StatementStore(NpgsqlDataSource dataSource)
{
    /// <summary>
    /// $1 account, $2 instants, null for now. Each step halves the versions in question with one look at the primary key. Of
    /// entries with the same time the newest is in force. An account that does not exist has nothing at any time.
    /// </summary>
    internal const string PointsSql =
        """
        with recursive search (place, instant, low, high) as (
            select i.place, i.instant, case when i.instant is null then a.version else 0 end, a.version
            from unnest($2::timestamptz[]) with ordinality as i (instant, place), ledger_account a
            where a.id = $1
            union all
            select s.place, s.instant,
                case when e.created_at <= s.instant then e.version else s.low end,
                case when e.created_at <= s.instant then s.high else e.version - 1 end
            from search s cross join lateral (
                select version, created_at from entry
                where account_id = $1 and version = s.low + (s.high - s.low + 1) / 2
                limit 1
            ) e
            where s.low < s.high
        )
        select coalesce(e.version, 0), coalesce(e.balance_after_minor, 0), coalesce(e.held_after_minor, 0),
            e.created_at, clock_timestamp()
        from unnest($2::timestamptz[]) with ordinality as i (instant, place)
        left join search s on s.place = i.place and s.low = s.high
        left join lateral (
            select version, balance_after_minor, held_after_minor, created_at from entry
            where account_id = $1 and version = s.low
            limit 1
        ) e on true
        order by i.place
        """;

    /// <summary>$1 account, $2 after this version, $3 before this one, $4 at most so many; newest first.</summary>
    internal const string PageSql =
        """
        select e.version, e.transfer_id, t.kind, e.posted_minor, e.held_minor, e.balance_after_minor,
            e.held_after_minor, e.created_at, t.card_id, o.owner_id, o.system_name
        from (
            select * from entry where account_id = $1 and version > $2 and version < $3
            order by version desc limit $4
        ) e
        join transfer t on t.id = e.transfer_id
        left join ledger_account o
            on o.id = case when t.debit_id = e.account_id then t.credit_id else t.debit_id end
        order by e.version desc
        """;

    /// <summary>
    /// As <see cref="PageSql"/>; $5 the other side or null, $6 the side or null. What is held, or comes back, has no other side
    /// yet: it is between the two whom its card names.
    /// </summary>
    private const string FilteredSql =
        """
        select e.version, e.transfer_id, t.kind, e.posted_minor, e.held_minor, e.balance_after_minor,
            e.held_after_minor, e.created_at, t.card_id, o.owner_id, o.system_name
        from entry e
        join transfer t on t.id = e.transfer_id
        left join ledger_account o
            on o.id = case when t.debit_id = e.account_id then t.credit_id else t.debit_id end
        left join card c on c.id = t.card_id and o.id is null
        where e.account_id = $1 and e.version > $2 and e.version < $3
            and ($5::uuid is null or o.owner_id = $5 or c.payer_id = $5 or c.payee_id = $5)
            and ($6::integer is null or $6 = case sign(e.posted_minor) when 1 then 1 when -1 then 2 else 3 end)
        order by e.version desc limit $4
        """;

    /// <summary>$1 account, $2 after this version, $3 up to this one.</summary>
    private const string TotalsSql =
        """
        select min(created_at),
            count(*) filter (where posted_minor > 0), coalesce(sum(posted_minor) filter (where posted_minor > 0), 0),
            count(*) filter (where posted_minor < 0), coalesce(-sum(posted_minor) filter (where posted_minor < 0), 0)
        from entry where account_id = $1 and version > $2 and version <= $3
        """;

    /// <param name="instants">Null stands for now.</param>
    public async Task<BalancePoints> ReadPointsAsync(
        LedgerAccountId account, IReadOnlyList<DateTimeOffset?> instants, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            PointsSql, account.Value,
            new NpgsqlParameter
            {
                Value = instants.ToArray(),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var points = new List<BalancePoint>(instants.Count);
        var now = DateTimeOffset.MinValue;
        while (await reader.ReadAsync(cancellationToken))
        {
            points.Add(new BalancePoint(
                reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2),
                reader.IsDBNull(3) ? null : reader.GetFieldValue<DateTimeOffset>(3)));
            now = reader.GetFieldValue<DateTimeOffset>(4);
        }

        return new BalancePoints(points, now);
    }

    /// <summary>Newest first: the entries after one version and before another, at most so many.</summary>
    public async Task<IReadOnlyList<StatementRow>> ReadPageAsync(
        LedgerAccountId account, long after, long before, int limit, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(PageSql, account.Value, after, before, limit);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<StatementRow>(limit);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(Read(reader));
        }

        return rows;
    }

    /// <summary>As <see cref="ReadPageAsync"/>, of the entries that are wanted; it looks through the whole range.</summary>
    public async Task<IReadOnlyList<StatementRow>> ReadFilteredAsync(
        LedgerAccountId account, long after, long before, int limit, StatementFilter filter,
        CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            FilteredSql, account.Value, after, before, limit, (object?)filter.With?.Value ?? DBNull.Value,
            (object?)(int?)filter.Side ?? DBNull.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<StatementRow>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(Read(reader));
        }

        return rows;
    }

    /// <summary>Sums over a range of versions; one pass over it.</summary>
    public async Task<StatementTotals> ReadTotalsAsync(
        LedgerAccountId account, long after, long last, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(TotalsSql, account.Value, after, last);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new StatementTotals(
            reader.IsDBNull(0) ? null : reader.GetFieldValue<DateTimeOffset>(0),
            reader.GetInt64(1), (Int128)reader.GetDecimal(2), reader.GetInt64(3), (Int128)reader.GetDecimal(4));
    }

    private static StatementRow Read(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetGuid(1), (TransferKind)row.GetInt16(2), row.GetInt64(3), row.GetInt64(4),
        row.GetInt64(5), row.GetInt64(6), row.GetFieldValue<DateTimeOffset>(7),
        row.IsDBNull(8) ? null : row.GetGuid(8), row.IsDBNull(9) ? null : row.GetGuid(9),
        row.IsDBNull(10) ? null : row.GetString(10));
}

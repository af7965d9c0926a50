using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Ledger;

/// <summary>Sums of what came and went with one person.</summary>
internal sealed record PersonSums(AccountId Person, long InMinor, long OutMinor, int Count, DateTimeOffset LastAt);

/// <summary>Reads what an account's entries come to, over a range of their versions.</summary>
internal sealed class ActivityStore(NpgsqlDataSource dataSource)
{
    /// <summary>$1 account, $2 after this version, $3 up to this one, $4 at most so many people.</summary>
    private const string PeopleSql =
        """
        select o.owner_id, coalesce(sum(e.posted_minor) filter (where e.posted_minor > 0), 0)::bigint,
            coalesce(-sum(e.posted_minor) filter (where e.posted_minor < 0), 0)::bigint, count(*)::integer, max(e.created_at)
        from entry e
        join transfer t on t.id = e.transfer_id
        join ledger_account o on o.id = case when t.debit_id = e.account_id then t.credit_id else t.debit_id end
        where e.account_id = $1 and e.version > $2 and e.version <= $3 and e.posted_minor <> 0 and o.owner_id is not null
        group by o.owner_id order by max(e.created_at) desc limit $4
        """;

    /// <summary>$1 account, $2 after this version, $3 up to this one.</summary>
    private const string MonthsSql =
        """
        select to_char(date_trunc('month', created_at at time zone 'UTC'), 'YYYY-MM'),
            coalesce(sum(posted_minor) filter (where posted_minor > 0), 0)::bigint,
            coalesce(-sum(posted_minor) filter (where posted_minor < 0), 0)::bigint
        from entry where account_id = $1 and version > $2 and version <= $3 and posted_minor <> 0
        group by 1 order by 1 desc
        """;

    public async Task<(IReadOnlyList<PersonSums> People, IReadOnlyList<MonthActivity> Months)> ReadAsync(
        LedgerAccountId account, long after, long last, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(PeopleSql, account.Value, after, last, Limits.ActivityPeople);
        batch.Add(MonthsSql, account.Value, after, last);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        var people = new List<PersonSums>();
        while (await row.ReadAsync(cancellationToken))
        {
            people.Add(new PersonSums(
                new(row.GetGuid(0)), row.GetInt64(1), row.GetInt64(2), row.GetInt32(3), row.GetFieldValue<DateTimeOffset>(4)));
        }

        await row.NextResultAsync(cancellationToken);
        var months = new List<MonthActivity>();
        while (await row.ReadAsync(cancellationToken))
        {
            months.Add(new MonthActivity(row.GetString(0), row.GetInt64(1), row.GetInt64(2)));
        }

        return (people, months);
    }

    /// <summary>When the entry of a version was made.</summary>
    public async Task<DateTimeOffset?> TimeOfAsync(
        LedgerAccountId account, long version, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select created_at from entry where account_id = $1 and version = $2", account.Value, version);
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime at ? new DateTimeOffset(at) : null;
    }
}

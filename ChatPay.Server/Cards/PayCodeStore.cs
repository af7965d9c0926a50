using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Cards;

/// <summary>A pay code as it is stored.</summary>
internal sealed record PayCodeRow(
    AccountId Owner, PayCodeKind Kind, long? AmountMinor, string? Asset, DateTimeOffset ExpiresAt, AccountId? ScannedBy,
    bool IsOver);

/// <summary>Pay codes in PostgreSQL, by the hash of what is shown.</summary>
internal sealed class PayCodeStore(NpgsqlDataSource dataSource)
{
    private const string Columns =
        "owner_id, kind, amount_minor, asset, expires_at, scanned_by, expires_at <= clock_timestamp()";

    /// <returns>Null where the owner has as many open ones as allowed.</returns>
    public async Task<PayCodeRow?> AddAsync(
        byte[] hash, AccountId owner, NewPayCode code, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);

        // One at a time for each owner, so that the bound holds over all nodes.
        batch.Add("select 1 from account where id = $1 for no key update", owner.Value);
        batch.Add(
            $"""
            insert into pay_code (code_hash, owner_id, kind, amount_minor, asset, expires_at)
            select $1, $2, $3, $4::bigint, $5::text, clock_timestamp() + make_interval(secs => $6)
            where (
                select count(*) from pay_code
                where owner_id = $2 and expires_at > clock_timestamp() and scanned_by is null
            ) < $7
            returning {Columns}
            """,
            hash, owner.Value, (short)code.Kind, (object?)code.AmountMinor ?? DBNull.Value, (object?)code.Asset ?? DBNull.Value,
            (double)code.LifetimeSeconds, Limits.PayCodes);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        await row.NextResultAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? Read(row) : null;
    }

    /// <summary>Gives a code to the one who scans it first; again to the same one is the same.</summary>
    /// <returns>Null for a code that there is not, that is over, or that is the scanner's own.</returns>
    public async Task<PayCodeRow?> ScanAsync(byte[] hash, AccountId by, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"""
            update pay_code set scanned_by = coalesce(scanned_by, $2)
            where code_hash = $1 and owner_id <> $2 and expires_at > clock_timestamp()
            returning {Columns}
            """,
            hash, by.Value);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? Read(row) : null;
    }

    public async Task<PayCodeRow?> FindAsync(byte[] hash, AccountId owner, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"select {Columns} from pay_code where code_hash = $1 and owner_id = $2", hash, owner.Value);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? Read(row) : null;
    }

    public async Task RemoveAsync(byte[] hash, AccountId owner, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "delete from pay_code where code_hash = $1 and owner_id = $2", hash, owner.Value);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Forgets codes that were over a day ago.</summary>
    public async Task RemoveOldAsync(int limit, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            delete from pay_code where code_hash in (
                select code_hash from pay_code where expires_at < statement_timestamp() - interval '1 day'
                order by expires_at limit $1
            )
            """,
            limit);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static PayCodeRow Read(NpgsqlDataReader row) => new(
        new(row.GetGuid(0)), (PayCodeKind)row.GetInt16(1), row.IsDBNull(2) ? null : row.GetInt64(2),
        row.IsDBNull(3) ? null : row.GetString(3), row.GetFieldValue<DateTimeOffset>(4),
        row.IsDBNull(5) ? null : new AccountId(row.GetGuid(5)), row.GetBoolean(6));
}

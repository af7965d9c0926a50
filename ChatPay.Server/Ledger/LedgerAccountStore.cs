using ChatPay.Core.Ledger;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Ledger;

/// <summary>A ledger account as an operator sees it.</summary>
internal sealed record AccountSheet(
    LedgerAccountId Id, string Asset, int Exponent, bool Guarded, AmountMinor Balance, AmountMinor Held, long Version,
    LedgerAccountState State, DateTimeOffset? LastEntryAt, long OpenHolds);

/// <summary>Reads ledger accounts and what was done to them; changing them goes through the write path alone.</summary>
internal sealed class LedgerAccountStore(NpgsqlDataSource dataSource)
{
    /// <param name="handle">A person's; null where <paramref name="system"/> names one of the system's own.</param>
    public async Task<AccountSheet?> FindAsync(
        string? handle, string? system, string asset, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select l.id, l.asset, s.exponent, l.guarded, l.balance_minor, l.held_minor, l.version, l.state,
                l.last_entry_at, (select count(*) from hold h where h.account_id = l.id and h.state = 1)
            from ledger_account l
            join asset s on s.code = l.asset
            left join account a on a.id = l.owner_id
            where l.asset = $1 and (a.handle = $2 or l.system_name = $3)
            """,
            asset, handle ?? "", system ?? "");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new AccountSheet(
                new(reader.GetGuid(0)), reader.GetString(1), reader.GetInt16(2), reader.GetBoolean(3),
                new(reader.GetInt64(4)), new(reader.GetInt64(5)), reader.GetInt64(6),
                (LedgerAccountState)reader.GetInt16(7),
                reader.IsDBNull(8) ? null : reader.GetFieldValue<DateTimeOffset>(8), reader.GetInt64(9))
            : null;
    }

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<(AccountChangeKind Kind, LedgerStatus Status, string Reason, DateTimeOffset At)>>
        ReadChangesAsync(LedgerAccountId account, int limit, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select kind, status, reason, created_at from ledger_account_change where account_id = $1
            order by seq desc limit $2
            """,
            account.Value, limit);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var changes = new List<(AccountChangeKind, LedgerStatus, string, DateTimeOffset)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            changes.Add((
                (AccountChangeKind)reader.GetInt16(0), (LedgerStatus)reader.GetInt32(1), reader.GetString(2),
                reader.GetFieldValue<DateTimeOffset>(3)));
        }

        return changes;
    }
}

using ChatPay.Core.Ledger;
using Npgsql;
using NpgsqlTypes;

namespace ChatPay.LoadTest.Filling;

/// <summary>Writes made-up history with COPY, in one transaction of which either all is there or nothing.</summary>
internal sealed class FillStore(NpgsqlConnection connection)
{
    /// <summary>Locks the wallets and reads where they stand; the database's clock comes last.</summary>
    public async Task<(List<FilledAccount> Accounts, DateTimeOffset Now)> BeginAsync(
        IReadOnlyList<LedgerAccountId> accounts, CancellationToken cancellationToken)
    {
        await ExecuteAsync("begin", cancellationToken);
        if (await IsSuperuserAsync(cancellationToken))
        {
            // Checking each row's references one by one would take most of the time; verify checks what was written.
            await ExecuteAsync("set local session_replication_role = replica", cancellationToken);
        }

        var found = new List<FilledAccount>(accounts.Count);
        await using (var command = new NpgsqlCommand(
            """
            select id, balance_minor, held_minor, version from ledger_account where id = any($1) order by id for update
            """,
            connection))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = accounts.Select(account => account.Value).ToArray() });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                found.Add(new FilledAccount(new(reader.GetGuid(0)), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3)));
            }
        }

        await using var clock = new NpgsqlCommand("select clock_timestamp()", connection);
        await using var time = await clock.ExecuteReaderAsync(cancellationToken);
        await time.ReadAsync(cancellationToken);
        return (found, time.GetFieldValue<DateTimeOffset>(0));
    }

    public async Task WriteAsync(FillChunk chunk, CancellationToken cancellationToken)
    {
        await WriteTransfersAsync(chunk.Transfers, cancellationToken);
        await WriteEntriesAsync(chunk.Entries, cancellationToken);
        await WriteHoldsAsync(chunk.Holds, cancellationToken);
    }

    /// <summary>Brings the wallets to where their history ends, and makes it all visible.</summary>
    public async Task CommitAsync(IReadOnlyList<FilledAccount> accounts, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            update ledger_account a set balance_minor = u.balance_minor, version = u.version,
                last_entry_at = coalesce(u.last_entry_at, a.last_entry_at)
            from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[])
                as u (id, balance_minor, version, last_entry_at)
            where a.id = u.id
            """,
            connection);
        command.CommandTimeout = 0;
        void Add<T>(Func<FilledAccount, T> value) =>
            command.Parameters.Add(new NpgsqlParameter { Value = accounts.Select(value).ToArray() });
        Add(account => account.Id.Value);
        Add(account => account.BalanceMinor);
        Add(account => account.Version);
        Add(account => account.LastEntryAt == default ? (DateTimeOffset?)null : account.LastEntryAt);
        await command.ExecuteNonQueryAsync(cancellationToken);
        await ExecuteAsync("commit", cancellationToken);
    }

    /// <summary>Leaves statistics and visibility as a database has them that came here slowly.</summary>
    public async Task SettleDownAsync(CancellationToken cancellationToken)
    {
        foreach (var table in new[] { "transfer", "entry", "hold", "ledger_account" })
        {
            await ExecuteAsync("vacuum analyze " + table, cancellationToken);
        }

        if (await IsSuperuserAsync(cancellationToken))
        {
            await ExecuteAsync("checkpoint", cancellationToken);
        }
    }

    private async Task<bool> IsSuperuserAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select current_setting('is_superuser')", connection);
        return await command.ExecuteScalarAsync(cancellationToken) is "on";
    }

    private async Task WriteTransfersAsync(IReadOnlyList<TransferRow> rows, CancellationToken cancellationToken)
    {
        await using var import = await connection.BeginBinaryImportAsync(
            """
            copy transfer (id, kind, debit_id, credit_id, amount_minor, asset, hold_id, status, payload_hash, created_at,
                debit_version, credit_version) from stdin (format binary)
            """,
            cancellationToken);
        foreach (var row in rows)
        {
            var command = row.Command;
            await import.StartRowAsync(cancellationToken);
            await import.WriteAsync(command.Id.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync((short)command.Kind, NpgsqlDbType.Smallint, cancellationToken);
            await import.WriteAsync(command.Debit.Value, NpgsqlDbType.Uuid, cancellationToken);
            await WriteAsync(import, command.Credit?.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync(row.Amount.Value, NpgsqlDbType.Bigint, cancellationToken);
            await import.WriteAsync(command.Asset.Value, NpgsqlDbType.Text, cancellationToken);
            await WriteAsync(import, command.HoldId?.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync((int)row.Status, NpgsqlDbType.Integer, cancellationToken);
            await import.WriteAsync(row.Payload.ToArray(), NpgsqlDbType.Bytea, cancellationToken);
            await import.WriteAsync(row.At, NpgsqlDbType.TimestampTz, cancellationToken);
            await WriteAsync(import, row.DebitVersion, NpgsqlDbType.Bigint, cancellationToken);
            await WriteAsync(import, row.CreditVersion, NpgsqlDbType.Bigint, cancellationToken);
        }

        await import.CompleteAsync(cancellationToken);
    }

    private async Task WriteEntriesAsync(IReadOnlyList<EntryRow> rows, CancellationToken cancellationToken)
    {
        await using var import = await connection.BeginBinaryImportAsync(
            """
            copy entry (account_id, version, transfer_id, posted_minor, held_minor, balance_after_minor, held_after_minor,
                created_at) from stdin (format binary)
            """,
            cancellationToken);
        foreach (var row in rows)
        {
            await import.StartRowAsync(cancellationToken);
            await import.WriteAsync(row.Account.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync(row.Version, NpgsqlDbType.Bigint, cancellationToken);
            await import.WriteAsync(row.Transfer.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync(row.Posted.Value, NpgsqlDbType.Bigint, cancellationToken);
            await import.WriteAsync(row.Held.Value, NpgsqlDbType.Bigint, cancellationToken);
            await import.WriteAsync(row.BalanceAfter.Value, NpgsqlDbType.Bigint, cancellationToken);
            await import.WriteAsync(row.HeldAfter.Value, NpgsqlDbType.Bigint, cancellationToken);
            await import.WriteAsync(row.At, NpgsqlDbType.TimestampTz, cancellationToken);
        }

        await import.CompleteAsync(cancellationToken);
    }

    private async Task WriteHoldsAsync(IReadOnlyList<LedgerHold> rows, CancellationToken cancellationToken)
    {
        await using var import = await connection.BeginBinaryImportAsync(
            "copy hold (transfer_id, account_id, remaining_minor, state, expires_at) from stdin (format binary)",
            cancellationToken);
        foreach (var row in rows)
        {
            await import.StartRowAsync(cancellationToken);
            await import.WriteAsync(row.Id.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync(row.Account.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync(row.Remaining.Value, NpgsqlDbType.Bigint, cancellationToken);
            await import.WriteAsync((short)row.State, NpgsqlDbType.Smallint, cancellationToken);
            await import.WriteAsync(row.ExpiresAt, NpgsqlDbType.TimestampTz, cancellationToken);
        }

        await import.CompleteAsync(cancellationToken);
    }

    private static Task WriteAsync<T>(
        NpgsqlBinaryImporter import, T? value, NpgsqlDbType type, CancellationToken cancellationToken)
        where T : struct =>
        value is { } present ? import.WriteAsync(present, type, cancellationToken) : import.WriteNullAsync(cancellationToken);

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

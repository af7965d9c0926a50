using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>An entry that is in the log.</summary>
internal sealed record LoggedEntryRow(long Sequence, byte[] Entry, byte[] Salt, long Index);

/// <summary>The chains of accounts in PostgreSQL.</summary>
internal sealed class KeyChainStore(NpgsqlDataSource dataSource)
{
    /// <summary>Has somebody decide what comes next in a chain, and stores it; nobody else adds to it meanwhile.</summary>
    /// <param name="decide">
    /// Of the stored entries, the calling device's signature key and the account's other live devices.
    /// </param>
    /// <param name="newSalt">32 random bytes for each entry.</param>
    public async Task<Result<KeyChainChange>> ChangeAsync(
        Caller caller,
        Func<IReadOnlyList<byte[]>, byte[], IReadOnlyList<DeviceId>, Result<KeyChainChange>> decide, Func<byte[]> newSalt,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(decide);
        ArgumentNullException.ThrowIfNull(newSalt);
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var gate = new NpgsqlCommand("select 1 from account where id = $1 for no key update", connection))
        {
            gate.Add(caller.Account.Value);
            await gate.ExecuteNonQueryAsync(cancellationToken);
        }

        var (signatureKey, others) = await DevicesAsync(connection, caller, cancellationToken);
        if (signatureKey is null)
        {
            return new Error(ErrorCode.DeviceRevoked, "This device has been revoked.");
        }

        var stored = await EntriesAsync(connection, caller.Account, cancellationToken);
        var decided = decide(stored, signatureKey, others);
        if (decided is not { IsOk: true, Value: { Entries.Count: > 0 } change })
        {
            return decided;
        }

        await using var batch = new NpgsqlBatch(connection, transaction);
        AddEntries(batch, change, newSalt);
        if (change.Entries.Any(entry => entry.Sequence == 0 || entry.Type == KeyLogEntryType.IdentityReset))
        {
            // Nobody could add a device by a package that no identity key in force vouches for.
            batch.Add(
                "delete from key_package where device_id in (select id from device where account_id = $1)",
                caller.Account.Value);
        }

        batch.Add(
            """
            update device set approved_at = case when id = $2 then now() end
            where account_id = $1 and (id = $2 or id = any($3))
            """,
            caller.Account.Value, change.Added?.Value ?? Guid.Empty,
            change.Revoked.Select(device => device.Value).ToArray());
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return change;
    }

    /// <summary>Whether the caller shares a live conversation with somebody, or is that person.</summary>
    public async Task<bool> MaySeeAsync(AccountId caller, AccountId account, CancellationToken cancellationToken)
    {
        if (caller == account)
        {
            return true;
        }

        await using var command = dataSource.CreateCommand(
            """
            select exists (
                select from member other
                join member me on me.conversation_id = other.conversation_id and me.account_id = $1 and me.left_seq is null
                where other.account_id = $2 and other.left_seq is null
            )
            """,
            caller.Value, account.Value);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Entries of a chain that are in the log at a size, from a number on.</summary>
    /// <returns>Length: how many there are in all.</returns>
    public async Task<(IReadOnlyList<LoggedEntryRow> Entries, long Length)> LoggedAsync(
        AccountId account, long from, long logSize, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(
            "select count(*) from key_entry where account_id = $1 and leaf_index < $2", account.Value, logSize);
        batch.Add(
            """
            select sequence, entry, salt, leaf_index from key_entry
            where account_id = $1 and sequence >= $2 and leaf_index < $3
            order by sequence limit $4
            """,
            account.Value, from, logSize, limit);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        var length = row.GetInt64(0);
        await row.NextResultAsync(cancellationToken);
        var entries = new List<LoggedEntryRow>();
        while (await row.ReadAsync(cancellationToken))
        {
            entries.Add(new LoggedEntryRow(
                row.GetInt64(0), row.GetFieldValue<byte[]>(1), row.GetFieldValue<byte[]>(2), row.GetInt64(3)));
        }

        return (entries, length);
    }

    /// <summary>The identity key in force; null for an account that has no chain.</summary>
    public async Task<byte[]?> IdentityKeyAsync(AccountId account, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select identity_keys[cardinality(identity_keys)] from key_chain where account_id = $1", account.Value);
        return (byte[]?)await command.ExecuteScalarAsync(cancellationToken);
    }

    private static void AddEntries(NpgsqlBatch batch, KeyChainChange change, Func<byte[]> newSalt)
    {
        var chain = change.Chain;
        batch.Add(
            """
            insert into key_entry (account_id, sequence, entry, salt)
            select $1, v.sequence, v.entry, v.salt
            from unnest($2::bigint[], $3::bytea[], $4::bytea[]) as v (sequence, entry, salt) order by v.sequence
            """,
            chain.Account.Value, change.Entries.Select(entry => entry.Sequence).ToArray(),
            change.Entries.Select(entry => entry.Encoding.ToArray()).ToArray(),
            change.Entries.Select(_ => newSalt()).ToArray());
        batch.Add(
            """
            insert into key_chain (account_id, length, head, identity_keys) values ($1, $2, $3, $4)
            on conflict (account_id) do update
            set length = excluded.length, head = excluded.head, identity_keys = excluded.identity_keys
            """,
            chain.Account.Value, chain.Length, chain.Head.ToArray(), chain.IdentityKeys.ToArray());
    }

    private static async Task<(byte[]? SignatureKey, IReadOnlyList<DeviceId> Others)> DevicesAsync(
        NpgsqlConnection connection, Caller caller, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "select id, signature_key from device where account_id = $1 and revoked_at is null", connection);
        command.Add(caller.Account.Value);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        byte[]? signatureKey = null;
        var others = new List<DeviceId>();
        while (await row.ReadAsync(cancellationToken))
        {
            var device = new DeviceId(row.GetGuid(0));
            if (device == caller.Device)
            {
                signatureKey = row.GetFieldValue<byte[]>(1);
            }
            else
            {
                others.Add(device);
            }
        }

        return (signatureKey, others);
    }

    private static async Task<IReadOnlyList<byte[]>> EntriesAsync(
        NpgsqlConnection connection, AccountId account, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "select entry from key_entry where account_id = $1 order by sequence", connection);
        command.Add(account.Value);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var entries = new List<byte[]>();
        while (await row.ReadAsync(cancellationToken))
        {
            entries.Add(row.GetFieldValue<byte[]>(0));
        }

        return entries;
    }
}

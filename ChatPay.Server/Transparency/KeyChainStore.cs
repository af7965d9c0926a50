using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Accounts;
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
    /// <param name="named">Devices to look up besides the account's live ones.</param>
    /// <param name="decide">Of the stored entries, and of these devices.</param>
    /// <param name="newSalt">32 random bytes for each entry.</param>
    /// <returns>
    /// What <paramref name="decide"/> gives; <c>device_revoked</c>; <c>too_many_requests</c> where the account has added
    /// more than <see cref="Limits.KeyEntriesPerDay"/> entries or <see cref="Limits.IdentitiesPerDay"/> new identities in a day.
    /// </returns>
    public async Task<Result<KeyChainChange>> ChangeAsync(
        Caller caller, IReadOnlyList<DeviceId> named,
        Func<IReadOnlyList<byte[]>, IReadOnlyDictionary<DeviceId, RegisteredDevice>, Result<KeyChainChange>> decide,
        Func<byte[]> newSalt, CancellationToken cancellationToken)
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

        var devices = await DevicesAsync(connection, caller.Account, named, cancellationToken);
        if (!devices.TryGetValue(caller.Device, out var calling) || !calling.IsLive)
        {
            return new Error(ErrorCode.DeviceRevoked, "This device has been revoked.");
        }

        var stored = await EntriesAsync(connection, caller.Account, cancellationToken);
        var decided = decide(stored, devices);
        if (decided is not { IsOk: true, Value: { Entries.Count: > 0 } change })
        {
            return decided;
        }

        if (await WaitAsync(connection, change, cancellationToken) is { } wait)
        {
            return TooMany.Requests("The account's keys were changed too often today.", wait);
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
            update device set approved_at = case when id = any($2) then now() end
            where account_id = $1 and revoked_at is null and (id = any($2) or id = any($3))
            """,
            caller.Account.Value, change.Added.Select(device => device.Value).ToArray(),
            change.Revoked.Select(device => device.Value).ToArray());
        if (change.Revoked.Count > 0)
        {
            // With the entries: a node that dies after the commit leaves no device signed in that nothing vouches for.
            batch.Add(
                RevocationRows.Revoke, caller.Account.Value, change.Revoked.Select(device => device.Value).ToArray());
        }

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

    /// <summary>How long the account has to wait before it may add these entries; null where it may at once.</summary>
    private static async Task<TimeSpan?> WaitAsync(
        NpgsqlConnection connection, KeyChainChange change, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            with day as (
                select added_at, get_byte(entry, 1) as type from key_entry
                where account_id = $1 and sequence > 0 and added_at > now() - interval '1 day'
            )
            select count(*) filter (where type = any($2)), count(*) filter (where type = any($3)),
                extract(epoch from min(added_at) + interval '1 day' - now())::float8 from day
            """,
            connection);
        command.Add(change.Chain.Account.Value);
        command.Add(KeyChainRules.Ordinary.Select(type => (int)type).ToArray());
        command.Add(KeyChainRules.Identities.Select(type => (int)type).ToArray());
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        var isTooMuch = IsBeyond(KeyChainRules.Ordinary, row.GetInt64(0), Limits.KeyEntriesPerDay)
            || IsBeyond(KeyChainRules.Identities, row.GetInt64(1), Limits.IdentitiesPerDay);
        return isTooMuch ? TimeSpan.FromSeconds(Math.Max(1, row.IsDBNull(2) ? 1 : row.GetDouble(2))) : null;

        bool IsBeyond(IReadOnlyList<KeyLogEntryType> types, long known, int most) =>
            change.Entries.Count(entry => entry.Sequence > 0 && types.Contains(entry.Type)) is var fresh and > 0
            && known + fresh > most;
    }

    private static async Task<IReadOnlyDictionary<DeviceId, RegisteredDevice>> DevicesAsync(
        NpgsqlConnection connection, AccountId account, IReadOnlyList<DeviceId> named, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select id, signature_key, true, true from device where account_id = $1 and revoked_at is null
            union
            select id, signature_key, account_id = $1, account_id = $1 and revoked_at is null from device where id = any($2)
            """,
            connection);
        command.Add(account.Value);
        command.Add(named.Select(device => device.Value).ToArray());
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var devices = new Dictionary<DeviceId, RegisteredDevice>();
        while (await row.ReadAsync(cancellationToken))
        {
            devices.Add(
                new DeviceId(row.GetGuid(0)),
                new RegisteredDevice(row.GetBoolean(2) ? row.GetFieldValue<byte[]>(1) : null, row.GetBoolean(3)));
        }

        return devices;
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

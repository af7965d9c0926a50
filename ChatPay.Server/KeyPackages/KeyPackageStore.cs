using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.KeyPackages;

/// <param name="Body">Null for a device that has no package at all.</param>
/// <param name="OneTime">Whether the package was taken from the stock, and not the last-resort one.</param>
/// <param name="Left">One-time packages the device has left.</param>
internal sealed record ClaimRow(AccountId Account, DeviceId Device, byte[]? Body, bool OneTime, int Left);

/// <summary>Key packages of devices: stocked up, counted, claimed, cleaned.</summary>
internal sealed class KeyPackageStore(NpgsqlDataSource dataSource)
{
    /// <summary>A package that expires while its claimer makes a commit of it helps nobody.</summary>
    private const string Usable = "not_after > now() + interval '5 minutes'";

    private const string CountUsable =
        $"""
        select count(*) filter (where not last_resort)::int, count(*) filter (where last_resort) > 0
        from key_package where device_id = $1 and {Usable}
        """;

    /// <summary>The device's keys; null for one that is unknown or revoked.</summary>
    public async Task<DeviceKeys?> DeviceAsync(DeviceId device, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select d.signature_key, k.identity_keys, d.approved_at is not null
            from device d left join key_chain k using (account_id)
            where d.id = $1 and d.revoked_at is null
            """,
            device.Value);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken)
            ? new DeviceKeys(
                row.GetFieldValue<byte[]>(0), row.IsDBNull(1) ? [] : row.GetFieldValue<byte[][]>(1), row.GetBoolean(2))
            : null;
    }

    /// <summary>
    /// Stores what is new of an upload, all or nothing. Refs that are stored already, or were handed out before, are passed
    /// over, so a repeated upload adds nothing.
    /// </summary>
    public async Task<Result<KeyPackageCount>> AddAsync(
        DeviceId device, IReadOnlyList<AdmittedKeyPackage> oneTime, AdmittedKeyPackage? lastResort,
        CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // Uploads of one device come one after another, and none comes after the device's revocation.
        await using (var gate = new NpgsqlCommand(
            "select 1 from device where id = $1 and revoked_at is null for no key update", connection))
        {
            gate.Add(device.Value);
            if (await gate.ExecuteScalarAsync(cancellationToken) is null)
            {
                return new Error(ErrorCode.DeviceRevoked, "This device has been revoked.");
            }
        }

        if (lastResort is not null && !await PutLastResortAsync(connection, device, lastResort, cancellationToken))
        {
            return new Error(
                ErrorCode.KeyPackageInvalid, "The last-resort key package was uploaded as a one-time one before.");
        }

        await PutOneTimeAsync(connection, device, oneTime, cancellationToken);
        var count = await CountAsync(connection, device, cancellationToken);
        if (count.OneTime > Limits.KeyPackagesPerDevice)
        {
            return new Error(
                ErrorCode.TooLarge, $"A device keeps at most {Limits.KeyPackagesPerDevice} key packages.");
        }

        await transaction.CommitAsync(cancellationToken);
        return count;
    }

    public async Task<KeyPackageCount> CountAsync(DeviceId device, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await CountAsync(connection, device, cancellationToken);
    }

    /// <summary>The count of one-time packages, as a statement of somebody else's batch.</summary>
    public static void AddCount(NpgsqlBatch batch, DeviceId device) => batch.Add(CountUsable, device.Value);

    /// <summary>
    /// Takes one package for each live device of the accounts but <paramref name="except"/>, each package once whoever
    /// claims at the same time: a row that another claim has locked is passed over, and what is taken is deleted.
    /// </summary>
    public async Task<IReadOnlyList<ClaimRow>> ClaimAsync(
        IReadOnlyCollection<AccountId> accounts, DeviceId except, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"""
            with wanted as materialized (
                select id as device_id, account_id, created_at from device
                where account_id = any($1) and revoked_at is null and id <> $2
            ), picked as materialized (
                select stock.ref
                from wanted w
                cross join lateral (
                    select k.ref from key_package k
                    where k.device_id = w.device_id and not k.last_resort and k.{Usable}
                    order by k.uploaded_at
                    limit 1
                    for update skip locked
                ) stock
            ), taken as (
                delete from key_package k using picked p where k.ref = p.ref
                returning k.device_id, k.ref, k.body, k.not_after
            ), spent as (
                insert into key_package_spent (ref, not_after) select ref, not_after from taken
                on conflict (ref) do nothing
            )
            select w.account_id, w.device_id, coalesce(t.body, l.body), t.ref is not null,
                (
                    select count(*) from key_package k
                    where k.device_id = w.device_id and not k.last_resort and k.{Usable}
                )::int - (t.ref is not null)::int
            from wanted w
            left join taken t on t.device_id = w.device_id
            left join key_package l on l.device_id = w.device_id and l.last_resort and l.{Usable}
            order by w.account_id, w.created_at, w.device_id
            """);
        command.Add(accounts.Select(account => account.Value).ToArray());
        command.Add(except.Value);
        var rows = new List<ClaimRow>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new ClaimRow(
                new(reader.GetGuid(0)), new(reader.GetGuid(1)),
                reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2), reader.GetBoolean(3),
                Math.Max(0, reader.GetInt32(4))));
        }

        return rows;
    }

    /// <summary>How many of the accounts exist.</summary>
    public async Task<int> CountAccountsAsync(
        IReadOnlyCollection<AccountId> accounts, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("select count(*)::int from account where id = any($1)");
        command.Add(accounts.Select(account => account.Value).ToArray());
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task DeleteOfDeviceAsync(DeviceId device, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("delete from key_package where device_id = $1");
        command.Add(device.Value);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Deletes what has expired or belongs to revoked devices.</summary>
    /// <returns>How many packages were deleted.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            with spent as (delete from key_package_spent where not_after < now())
            delete from key_package k
            where k.not_after < now()
                or exists (select 1 from device d where d.id = k.device_id and d.revoked_at is not null)
            """);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <returns>False when the package is known as a one-time one.</returns>
    private static async Task<bool> PutLastResortAsync(
        NpgsqlConnection connection, DeviceId device, AdmittedKeyPackage package, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "delete from key_package where device_id = $1 and last_resort and ref <> $2", connection);
        command.Add(device.Value);
        command.Add(package.Ref);
        await command.ExecuteNonQueryAsync(cancellationToken);

        await using var insert = new NpgsqlCommand(
            """
            with fresh as (
                insert into key_package (ref, device_id, body, last_resort, not_after)
                select $1, $2, $3, true, $4
                where not exists (select 1 from key_package_spent where ref = $1)
                on conflict (ref) do nothing
                returning ref
            )
            select exists (select from fresh)
                or exists (select from key_package where ref = $1 and device_id = $2 and last_resort)
            """,
            connection);
        insert.Add(package.Ref);
        insert.Add(device.Value);
        insert.Add(package.Body);
        insert.Add(package.NotAfter);
        return (bool)(await insert.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task PutOneTimeAsync(
        NpgsqlConnection connection, DeviceId device, IReadOnlyList<AdmittedKeyPackage> packages,
        CancellationToken cancellationToken)
    {
        if (packages.Count == 0)
        {
            return;
        }

        await using var command = new NpgsqlCommand(
            """
            insert into key_package (ref, device_id, body, last_resort, not_after)
            select u.ref, $1, u.body, false, u.not_after
            from unnest($2::bytea[], $3::bytea[], $4::timestamptz[]) as u (ref, body, not_after)
            where not exists (select 1 from key_package_spent s where s.ref = u.ref)
            on conflict (ref) do nothing
            """,
            connection);
        command.Add(device.Value);
        command.Add(packages.Select(package => package.Ref).ToArray());
        command.Add(packages.Select(package => package.Body).ToArray());
        command.Add(packages.Select(package => package.NotAfter).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<KeyPackageCount> CountAsync(
        NpgsqlConnection connection, DeviceId device, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(CountUsable, connection);
        command.Add(device.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new KeyPackageCount(reader.GetInt32(0), reader.GetBoolean(1));
    }
}

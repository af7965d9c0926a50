using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Dapper;
using Npgsql;

namespace ChatPay.Server.Accounts;

/// <summary>Sessions, and the transactions that open them: signing up and signing in.</summary>
internal sealed class SessionStore(NpgsqlDataSource dataSource, TimeProvider time)
{
    /// <summary>Live sessions of one device; a further one ends the oldest.</summary>
    public const int SessionsPerDevice = 4;

    private const string DeviceColumns = "id, account_id, name, signature_key, created_at, last_seen_at, revoked_at";

    private readonly SharedStatement<byte[], string, SessionRow> _find = new(
        hashes => FindAsync(dataSource, hashes), Convert.ToBase64String, isRead: true, time);

    /// <summary>Account, first device and first session, or none of them.</summary>
    /// <returns>An error if somebody was faster with the handle or a look-alike, or the key is another device's.</returns>
    public async Task<Result<SignedIn>> SignUpAsync(
        AccountView account, string skeleton, string passwordHash, DeviceId device, NewDevice newDevice,
        NewSession session, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            await connection.ExecuteAsync(new CommandDefinition(
                """
                insert into account (id, handle, skeleton, display_name, password_hash)
                values (@id, @handle, @skeleton, @displayName, @passwordHash)
                """,
                new
                {
                    id = account.Id.Value,
                    handle = account.Handle,
                    skeleton,
                    displayName = account.DisplayName,
                    passwordHash,
                },
                transaction,
                cancellationToken: cancellationToken));
            var row = await InsertDeviceAsync(
                transaction, account.Id, device, newDevice, session.RecognitionHash, cancellationToken);
            var expiresAt = await InsertSessionAsync(transaction, row.Id, session, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return new SignedIn(row, expiresAt);
        }
        catch (PostgresException exception) when (TakenBy(exception) is not null)
        {
            return TakenBy(exception)!;
        }
    }

    /// <summary>
    /// Opens a session for a new device or for the one that has <paramref name="deviceId"/> or the same key. Null if the
    /// password has changed since it was verified: verify again.
    /// </summary>
    /// <param name="freshId">The id of the device if it is a new one.</param>
    /// <param name="rehashed">A new hash of the same password, if it is due.</param>
    public async Task<Result<SignedIn>?> SignInAsync(
        SignInRow account, DeviceId? deviceId, DeviceId freshId, NewDevice newDevice, NewSession session,
        string? rehashed, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // The lock orders sign-ins of one account, so that the number of devices holds, and a change of the password.
        var hash = await connection.QuerySingleAsync<string>(new CommandDefinition(
            "select password_hash from account where id = @id for no key update",
            new { id = account.Id },
            transaction,
            cancellationToken: cancellationToken));
        if (hash != account.PasswordHash)
        {
            return null;
        }

        var device = await DeviceForAsync(
            transaction, account.Id, deviceId, freshId, newDevice, session.RecognitionHash, cancellationToken);
        if (device.Error is { } error)
        {
            return error;
        }

        if (rehashed is not null)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                "update account set password_hash = @rehashed where id = @id",
                new { id = account.Id, rehashed },
                transaction,
                cancellationToken: cancellationToken));
        }

        var expiresAt = await InsertSessionAsync(transaction, device.Value.Id, session, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new SignedIn(device.Value, expiresAt);
    }

    /// <summary>
    /// What is known of a session and its device; null if there is none with this token. Those of one moment are looked up
    /// together: a client's requests often come several at once, and a storm's thousands.
    /// </summary>
    public Task<SessionRow?> FindAsync(byte[] tokenHash, CancellationToken cancellationToken) =>
        _find.AskAsync(tokenHash, cancellationToken);

    /// <summary>Writes down that the session is in use and moves its end; at most once a minute.</summary>
    public async Task TouchAsync(byte[] tokenHash, int idleDays, int maxDays, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            with touched as (
                update session
                set last_used_at = now(),
                    expires_at = least(now() + make_interval(days => @idleDays), created_at + make_interval(days => @maxDays))
                where token_hash = @tokenHash and revoked_at is null and expires_at > now()
                    and last_used_at < now() - interval '1 minute'
                returning device_id
            )
            update device set last_seen_at = now() where id in (select device_id from touched)
            """,
            new { tokenHash, idleDays, maxDays },
            cancellationToken: cancellationToken));
    }

    public async Task EndAsync(byte[] tokenHash, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "update session set revoked_at = now() where token_hash = @tokenHash and revoked_at is null",
            new { tokenHash },
            cancellationToken: cancellationToken));
    }

    /// <summary>Which of the sessions have ended; by the hashes of their tokens.</summary>
    /// <remarks>
    /// One look for each, whatever statistics there are: as <c>not exists</c> it is a join, which was planned as every hash
    /// against every session, all connections squared in each second.
    /// </remarks>
    public async Task<IReadOnlyList<byte[]>> EndedAsync(byte[][] tokenHashes, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return [.. await connection.QueryAsync<byte[]>(new CommandDefinition(
            """
            select asked.hash from unnest(@tokenHashes) as asked (hash)
            where (
                select true from session s join device d on d.id = s.device_id
                where s.token_hash = asked.hash and s.revoked_at is null and s.expires_at > now()
                    and d.revoked_at is null) is null
            """,
            new { tokenHashes },
            cancellationToken: cancellationToken))];
    }

    /// <summary>Deletes sessions that ended so long ago that not even their address matters.</summary>
    public async Task<int> DeleteOldAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteAsync(new CommandDefinition(
            """
            delete from session where token_hash in (
                select token_hash from session
                where expires_at < now() - interval '90 days'
                order by expires_at
                limit 1000)
            """,
            cancellationToken: cancellationToken));
    }

    private static async Task<IReadOnlyDictionary<string, SessionRow>> FindAsync(
        NpgsqlDataSource dataSource, IReadOnlyList<byte[]> tokenHashes)
    {
        await using var connection = await dataSource.OpenConnectionAsync();
        var rows = await connection.QueryAsync<SessionRow>(new CommandDefinition(
            """
            select s.token_hash, s.device_id, d.account_id,
                d.revoked_at is not null as device_revoked,
                s.revoked_at is not null or s.expires_at <= now() as ended,
                s.last_used_at < now() - interval '1 minute' as due_to_touch
            from session s join device d on d.id = s.device_id
            where s.token_hash = any (@tokenHashes)
            """,
            new { tokenHashes = tokenHashes.ToArray() }));
        return rows.ToDictionary(static row => Convert.ToBase64String(row.TokenHash), StringComparer.Ordinal);
    }

    /// <summary>What another row has already; null for any other failure.</summary>
    private static Error? TakenBy(PostgresException exception) => exception.ConstraintName switch
    {
        "account_handle_key" => AccountErrors.HandleTaken,
        "account_skeleton_key" => AccountErrors.HandleLookalike,
        "device_signature_key_key" => AccountErrors.KeyOfAnotherDevice,
        _ => null,
    };

    private static async Task<Result<DeviceRow>> DeviceForAsync(
        NpgsqlTransaction transaction, Guid account, DeviceId? deviceId, DeviceId freshId, NewDevice newDevice,
        byte[] recognitionHash, CancellationToken cancellationToken)
    {
        // Without an id the key tells: a device whose first answer was lost asks again and is not a second device.
        var existing = await transaction.Connection!.QuerySingleOrDefaultAsync<DeviceRow>(new CommandDefinition(
            deviceId is null
                ? $"select {DeviceColumns} from device where signature_key = @key"
                : $"select {DeviceColumns} from device where id = @id and account_id = @account for update",
            new { id = deviceId?.Value, account, key = newDevice.SignatureKey },
            transaction,
            cancellationToken: cancellationToken));
        if (existing is null)
        {
            return deviceId is not null
                ? AccountErrors.DeviceUnknown
                : await AddDeviceAsync(
                    transaction, account, freshId, newDevice, recognitionHash, cancellationToken);
        }

        if (existing.AccountId != account)
        {
            return AccountErrors.KeyOfAnotherDevice;
        }

        if (existing.RevokedAt is not null)
        {
            return AccountErrors.DeviceRevoked;
        }

        if (!existing.SignatureKey.AsSpan().SequenceEqual(newDevice.SignatureKey))
        {
            return AccountErrors.DeviceKeyMismatch;
        }

        var updated = await transaction.Connection!.QuerySingleOrDefaultAsync<DeviceRow>(new CommandDefinition(
            $"""
            update device set name = @name, last_seen_at = now(), recognition_hash = @recognitionHash
            where id = @id and revoked_at is null
            returning {DeviceColumns}
            """,
            new { id = existing.Id, name = newDevice.Name, recognitionHash },
            transaction,
            cancellationToken: cancellationToken));
        return updated is null ? AccountErrors.DeviceRevoked : updated;
    }

    private static async Task<Result<DeviceRow>> AddDeviceAsync(
        NpgsqlTransaction transaction, Guid account, DeviceId freshId, NewDevice newDevice, byte[] recognitionHash,
        CancellationToken cancellationToken)
    {
        var devices = await transaction.Connection!.ExecuteScalarAsync<int>(new CommandDefinition(
            "select count(*)::int from device where account_id = @account and revoked_at is null",
            new { account },
            transaction,
            cancellationToken: cancellationToken));
        if (devices >= Limits.DevicesPerAccount)
        {
            return AccountErrors.TooManyDevices;
        }

        try
        {
            return await InsertDeviceAsync(
                transaction, new AccountId(account), freshId, newDevice, recognitionHash, cancellationToken);
        }
        catch (PostgresException exception) when (TakenBy(exception) is not null)
        {
            return TakenBy(exception)!;
        }
    }

    private static Task<DeviceRow> InsertDeviceAsync(
        NpgsqlTransaction transaction, AccountId account, DeviceId id, NewDevice device, byte[] recognitionHash,
        CancellationToken cancellationToken) =>
        transaction.Connection!.QuerySingleAsync<DeviceRow>(new CommandDefinition(
            $"""
            insert into device (id, account_id, name, signature_key, recognition_hash)
            values (@id, @account, @name, @key, @recognitionHash)
            returning {DeviceColumns}
            """,
            new
            {
                id = id.Value,
                account = account.Value,
                name = device.Name,
                key = device.SignatureKey,
                recognitionHash,
            },
            transaction,
            cancellationToken: cancellationToken));

    /// <returns>When the session ends if it is not used.</returns>
    private static Task<DateTime> InsertSessionAsync(
        NpgsqlTransaction transaction, Guid device, NewSession session, CancellationToken cancellationToken) =>
        transaction.Connection!.QuerySingleAsync<DateTime>(new CommandDefinition(
            """
            with surplus as (
                update session set revoked_at = now()
                where token_hash in (
                    select token_hash from session
                    where device_id = @device and revoked_at is null and expires_at > now()
                    order by last_used_at desc, token_hash
                    offset @keep)
            )
            insert into session (token_hash, device_id, expires_at, address_mark)
            values (@tokenHash, @device, now() + make_interval(days => least(@idleDays, @maxDays)), @addressMark)
            returning expires_at
            """,
            new
            {
                device,
                tokenHash = session.TokenHash,
                addressMark = session.AddressMark,
                idleDays = session.IdleDays,
                maxDays = session.MaxDays,
                keep = SessionsPerDevice - 1,
            },
            transaction,
            cancellationToken: cancellationToken));
}

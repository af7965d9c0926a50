using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Vault;

/// <summary>
/// One realm's tables. Each method is one statement and so one transaction, committed when it returns: a guess is counted
/// before anybody evaluates it. What each recovery asks for is asked for all recoveries of the moment at once, each for an
/// account of its own. Records are locked before attempts, and those of several accounts in the accounts' order.
/// </summary>
internal sealed partial class RealmStore : IDisposable
{
    /// <summary>How long an attempt may still be finished; one that is open for longer has failed.</summary>
    private const string OpenFor = "interval '2 minutes'";

    /// <summary>How long a wait that has passed may be made use of.</summary>
    private const string WaitLapsesAfter = "interval '7 days'";

    private const string WaitColumns =
        $"""
        v.wait_id, v.wait_device_id, v.wait_until,
        greatest(0, ceil(extract(epoch from v.wait_until - now())))::integer as seconds_left,
        coalesce(v.wait_until > now() - {WaitLapsesAfter}, false) as has_wait
        """;

    private readonly NpgsqlDataSource _dataSource;
    private readonly SharedStatement<AccountId, AccountId, StoredRecord> _find;
    private readonly SharedStatement<Guess, AccountId, CountedGuess?> _count;
    private readonly SharedStatement<Guess, AccountId, EndedAttempt?> _succeed;

    /// <param name="dataSource">To the realm's own schema.</param>
    public RealmStore(NpgsqlDataSource dataSource, TimeProvider time)
    {
        _dataSource = dataSource;
        News = new RealmNewsStore(dataSource);
        _find = new(FindAsync, static account => account, isRead: true, time);
        _count = new(CountAsync, static guess => guess.Account, isRead: false, time);
        _succeed = new(SucceedAsync, static guess => guess.Account, isRead: false, time);
    }

    public RealmNewsStore News { get; }

    /// <summary>The realm that this database belongs to, and the database's own id; null for a new one.</summary>
    public async Task<(RealmId Realm, Guid Database)?> FindRealmAsync(CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand("select id, database from realm");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (new RealmId(reader.GetGuid(0)), reader.GetGuid(1)) : null;
    }

    /// <summary>Makes a new database this realm's. One that belongs to another stays as it is.</summary>
    public async Task ClaimAsync(RealmId realm, Guid database, Guid lineage, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            "insert into realm (id, database, lineage) values ($1, $2, $3) on conflict (only_row) do nothing",
            realm.Value, database, lineage);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Goes a beat on from where the database or the key file is, whichever is further. Where the file was, the database has
    /// been restored from before, and what was registered until then is locked.
    /// </summary>
    /// <param name="remembered">How far the key file says it had come.</param>
    /// <param name="lineage">What to begin where it was restored.</param>
    /// <returns>How far it is now, and whether it had been restored.</returns>
    public async Task<(long Beat, bool IsRestored)> BeatAsync(
        long remembered, Guid lineage, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            """
            with before as (select beat from realm for update)
            update realm r
            set beat = greatest(before.beat, $1) + 1, lineage = case when before.beat < $1 then $2 else r.lineage end
            from before
            returning r.beat, before.beat < $1
            """,
            remembered, lineage);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (reader.GetInt64(0), reader.GetBoolean(1))
            : throw new InvalidOperationException("The database belongs to no realm.");
    }

    public Task<StoredRecord?> FindAsync(AccountId account, CancellationToken cancellationToken) =>
        _find.AskAsync(account, cancellationToken);

    /// <summary>Whether an attempt is open: counted for this registration, not long ago, and not ended.</summary>
    public async Task<bool> IsOpenAsync(
        AccountId account, RegistrationVersion version, AttemptId attempt, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            $"""
            select exists (
                select from vault_attempt
                where id = $3 and account_id = $1 and version = $2 and outcome = 0 and at > now() - {OpenFor})
            """,
            account.Value, version.Value, attempt.Value);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Stores a record in place of the one that was decided on.</summary>
    /// <param name="replaces">What there was; none for no record, or one that is destroyed.</param>
    /// <param name="wait">The wait that must not have been cancelled meanwhile; null where it does not matter.</param>
    /// <returns>False where somebody was quicker.</returns>
    public async Task<bool> ReplaceAsync(
        AccountId account, RegistrationVersion replaces, RegistrationVersion version, byte[] row, int maxGuesses,
        WaitId? wait, CancellationToken cancellationToken)
    {
        await using var command = replaces == RegistrationVersion.None
            ? _dataSource.CreateCommand(
                """
                insert into vault_record (account_id, version, sealed, max_guesses, lineage)
                select $1, $2, $3, $4, lineage from realm
                on conflict (account_id) do update
                set version = excluded.version, sealed = excluded.sealed, max_guesses = excluded.max_guesses, used = 0,
                    attempts = 0, registered_at = now(), lineage = excluded.lineage
                where vault_record.sealed is null
                """,
                account.Value, version.Value, row, (short)maxGuesses)
            : _dataSource.CreateCommand(
                """
                update vault_record
                set version = $2, sealed = $3, max_guesses = $4, used = 0, attempts = 0, registered_at = now(),
                    lineage = (select lineage from realm), wait_id = null, wait_device_id = null, wait_until = null
                where account_id = $1 and version = $5 and ($6::uuid is null or wait_id = $6)
                """,
                account.Value, version.Value, row, (short)maxGuesses, replaces.Value, IdOrNull(wait?.Value));
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>
    /// Counts a guess where there is one left, notes it, and gives the row that it was counted for: one way to the database
    /// and back. Right guesses are given back, so there may be any number of them: every tenth one forgets those that are not
    /// listed any more.
    /// </summary>
    /// <returns>Null where none was.</returns>
    public Task<CountedGuess?> CountAsync(
        AccountId account, RegistrationVersion version, DeviceId device, AttemptId attempt,
        CancellationToken cancellationToken) =>
        _count.AskAsync(new Guess(account, version, attempt, device), cancellationToken);

    /// <summary>
    /// Takes back a guess that nothing was evaluated for; among the attempts ever counted it stays.
    /// </summary>
    public async Task WithdrawAsync(
        AccountId account, RegistrationVersion version, AttemptId attempt, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            """
            with locked as materialized (
                select account_id from vault_record where account_id = $1 and version = $2 for update
            ), gone as (
                delete from vault_attempt a using locked l
                where a.id = $3 and a.account_id = l.account_id and a.version = $2 and a.outcome = 0
                returning a.counts
            )
            update vault_record set used = used - 1
            where account_id = $1 and version = $2 and used > 0 and exists (select from gone where counts)
            """,
            account.Value, version.Value, attempt.Value);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Ends an open attempt at a record that is in force as a success, which gives back its own guess and no other.
    /// </summary>
    /// <returns>Null where it is not open any more, or the record is not there, locked or destroyed.</returns>
    public Task<EndedAttempt?> SucceedAsync(
        AccountId account, RegistrationVersion version, AttemptId attempt, CancellationToken cancellationToken) =>
        _succeed.AskAsync(new Guess(account, version, attempt, default), cancellationToken);

    /// <summary>Ends an open attempt as a failure.</summary>
    /// <returns>Null where it is not open any more.</returns>
    public async Task<EndedAttempt?> FailAsync(AttemptId attempt, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            "update vault_attempt set outcome = 2 where id = $1 and outcome = 0 returning device_id, at", attempt.Value);
        return await ReadEndedAsync(command, cancellationToken);
    }

    /// <summary>
    /// Destroys records whose guesses are used up and none of them can still succeed.
    /// </summary>
    /// <param name="account">Of this account, or null for all.</param>
    /// <returns>How many.</returns>
    public async Task<int> DestroyAsync(AccountId? account, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            $"""
            with locked as materialized (
                select account_id from vault_record
                where is_used_up and ($1::uuid is null or account_id = $1)
                order by account_id
                for update
            )
            update vault_record v
            set sealed = null, wait_id = null, wait_device_id = null, wait_until = null
            from locked l
            where v.account_id = l.account_id and v.is_used_up
                and not exists (
                    select from vault_attempt a
                    where a.account_id = v.account_id and a.version = v.version and a.outcome = 0
                        and a.at > now() - {OpenFor})
            """,
            IdOrNull(account?.Value));
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Forgets a registration.</summary>
    /// <param name="wait">As for <see cref="ReplaceAsync"/>.</param>
    /// <returns>False where somebody was quicker.</returns>
    public async Task<bool> DeleteAsync(
        AccountId account, RegistrationVersion version, WaitId? wait, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            """
            delete from vault_record
            where account_id = $1 and version = $2 and ($3::uuid is null or wait_id = $3)
            """,
            account.Value, version.Value, IdOrNull(wait?.Value));
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Begins a wait where none is under way.</summary>
    /// <returns>False where one is, or the registration has gone.</returns>
    public async Task<bool> BeginWaitAsync(
        AccountId account, RegistrationVersion version, WaitId wait, DeviceId device, TimeSpan lasts,
        CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            $"""
            update vault_record set wait_id = $3, wait_device_id = $4, wait_until = now() + $5
            where account_id = $1 and version = $2 and sealed is not null
                and (wait_id is null or wait_until <= now() - {WaitLapsesAfter})
            """,
            account.Value, version.Value, wait.Value, device.Value, lasts);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Ends a wait, and nothing comes of it.</summary>
    /// <returns>False where it is not under way any more.</returns>
    public async Task<bool> CancelWaitAsync(AccountId account, WaitId wait, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            """
            update vault_record set wait_id = null, wait_device_id = null, wait_until = null
            where account_id = $1 and wait_id = $2
            """,
            account.Value, wait.Value);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Gives back the guesses that failed, if no other was counted since.</summary>
    /// <returns>False where one was.</returns>
    public async Task<bool> ClearAsync(
        AccountId account, RegistrationVersion version, uint attempts, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            """
            with cleared as (
                update vault_record set used = 0
                where account_id = $1 and version = $2 and attempts = $3 and sealed is not null
                returning 1
            ), kept as (
                update vault_attempt set counts = false
                where account_id = $1 and version = $2 and counts and exists (select from cleared)
            )
            select exists (select from cleared)
            """,
            account.Value, version.Value, checked((int)attempts));
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>An account's attempts, newest first.</summary>
    public async Task<IReadOnlyList<VaultAttempt>> AttemptsAsync(
        AccountId account, int limit, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            $"""
            select device_id, at, (case when outcome = 0 and at <= now() - {OpenFor} then 2 else outcome end)::integer,
                (select id from realm)
            from vault_attempt where account_id = $1
            order by at desc, id desc limit $2
            """,
            account.Value, limit);
        var attempts = new List<VaultAttempt>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            attempts.Add(new VaultAttempt(
                reader.GetFieldValue<DateTimeOffset>(1), new DeviceId(reader.GetGuid(0)),
                (VaultAttemptOutcome)reader.GetInt32(2), reader.GetGuid(3)));
        }

        return attempts;
    }

    public void Dispose() => _dataSource.Dispose();

    /// <summary>Deletes attempts that nobody is shown any more.</summary>
    public async Task<int> SweepAsync(TimeSpan keep, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            """
            delete from vault_attempt where id in (
                select id from vault_attempt where at < now() - $1 for update skip locked)
            """,
            keep);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<IReadOnlyDictionary<AccountId, StoredRecord>> FindAsync(IReadOnlyList<AccountId> accounts)
    {
        await using var command = _dataSource.CreateCommand(
            $"""
            select v.account_id, v.version, v.sealed, v.max_guesses, v.used, v.attempts, v.lineage <> r.lineage, {WaitColumns}
            from vault_record v, realm r
            where v.account_id = any ($1)
            """,
            accounts.Select(static account => account.Value).ToArray());
        return await ReadAsync(command, static reader => new StoredRecord(
            new RegistrationVersion(reader.GetGuid(1)), reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2),
            reader.GetInt16(3), reader.GetInt16(4), reader.GetInt32(5), reader.GetBoolean(6), ReadWait(reader, 7)));
    }

    private async Task<IReadOnlyDictionary<AccountId, CountedGuess?>> CountAsync(IReadOnlyList<Guess> guesses)
    {
        await using var command = CommandOf(
            guesses,
            $"""
            counted as (
                update vault_record v set used = l.used + 1, attempts = l.attempts + 1
                from locked l
                where v.account_id = l.account_id and l.used < l.max_guesses
                returning v.account_id, v.version, l.id, l.device_id, (v.max_guesses - v.used)::integer as left_over, v.sealed,
                    v.attempts
            ), noted as (
                insert into vault_attempt (id, account_id, version, device_id)
                select id, account_id, version, device_id from counted
            ), forgotten as (
                delete from vault_attempt where id in (
                    select old.id
                    from counted c
                    cross join lateral (
                        select id from vault_attempt a where a.account_id = c.account_id
                        order by at desc, id desc offset {Limits.VaultAttempts} limit 10 for update skip locked) old
                    where c.attempts % 10 = 1)
            )
            select account_id, left_over, now(), sealed from counted
            """);
        return await ReadAsync(command, static reader => (CountedGuess?)new CountedGuess(
            reader.GetInt32(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetFieldValue<byte[]>(3)));
    }

    private async Task<IReadOnlyDictionary<AccountId, EndedAttempt?>> SucceedAsync(IReadOnlyList<Guess> guesses)
    {
        await using var command = CommandOf(
            guesses,
            $"""
            ended as (
                update vault_attempt a set outcome = 1
                from locked l
                where a.id = l.id and a.account_id = l.account_id and a.version = l.version and a.outcome = 0
                    and a.at > now() - {OpenFor}
                returning a.account_id, a.counts, a.device_id, a.at
            ), refunded as (
                update vault_record v set used = used - 1
                from ended e
                where v.account_id = e.account_id and v.used > 0 and e.counts
            )
            select account_id, device_id, at from ended
            """);
        return await ReadAsync(command, static reader => (EndedAttempt?)new EndedAttempt(
            new DeviceId(reader.GetGuid(1)), reader.GetFieldValue<DateTimeOffset>(2)));
    }

    /// <summary>
    /// A statement over guesses whose records are in force, which <c>locked</c> has as they are once it is their turn: what the
    /// rest of the statement sees of the table is of before it waited for that. A count is taken from there too: constraints
    /// judge a row that is made of what was seen, before PostgreSQL finds that there is a newer one to make it of.
    /// </summary>
    private NpgsqlCommand CommandOf(IReadOnlyList<Guess> guesses, string rest) => _dataSource.CreateCommand(
        $"""
        with locked as materialized (
            select v.account_id, v.version, v.used, v.attempts, v.max_guesses, g.id, g.device_id
            from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) g (account_id, version, id, device_id)
            join vault_record v on v.account_id = g.account_id and v.version = g.version
            where v.sealed is not null and v.lineage = (select lineage from realm)
            order by v.account_id
            for update of v
        ), {rest}
        """,
        guesses.Select(static guess => guess.Account.Value).ToArray(),
        guesses.Select(static guess => guess.Version.Value).ToArray(),
        guesses.Select(static guess => guess.Attempt.Value).ToArray(),
        guesses.Select(static guess => guess.Device.Value).ToArray());

    /// <param name="read">Reads an answer, whose first column is the account's.</param>
    private static async Task<IReadOnlyDictionary<AccountId, T>> ReadAsync<T>(
        NpgsqlCommand command, Func<NpgsqlDataReader, T> read)
    {
        var answers = new Dictionary<AccountId, T>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            answers.Add(new AccountId(reader.GetGuid(0)), read(reader));
        }

        // Only the end of the answer says that what was changed is committed.
        await reader.NextResultAsync();
        return answers;
    }

    private static NpgsqlParameter IdOrNull(Guid? id) => new()
    {
        Value = (object?)id ?? DBNull.Value,
        NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid,
    };

    private static StoredWait? ReadWait(NpgsqlDataReader reader, int at) => reader.GetBoolean(at + 4)
        ? new StoredWait(
            new WaitId(reader.GetGuid(at)), new DeviceId(reader.GetGuid(at + 1)),
            reader.GetFieldValue<DateTimeOffset>(at + 2), reader.GetInt32(at + 3))
        : null;

    private static async Task<EndedAttempt?> ReadEndedAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new EndedAttempt(new DeviceId(reader.GetGuid(0)), reader.GetFieldValue<DateTimeOffset>(1)) : null;
    }

    private readonly record struct Guess(
        AccountId Account, RegistrationVersion Version, AttemptId Attempt, DeviceId Device);
}

using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Presence;

/// <summary>What PostgreSQL keeps of presence: who hides, and when somebody was last seen, roughly.</summary>
internal sealed class PresenceStore(NpgsqlDataSource dataSource)
{
    public async Task<PresenceVisibility> VisibilityAsync(AccountId account, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("select presence from account where id = $1", account.Value);
        return await command.ExecuteScalarAsync(cancellationToken) is short value
            ? (PresenceVisibility)value : PresenceVisibility.Contacts;
    }

    /// <summary>Who shows it to nobody leaves no trace here either.</summary>
    public async Task ChangeAsync(AccountId account, PresenceVisibility visibility, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            update account set presence = $2, last_seen_at = case when $2 = 1 then last_seen_at end
            where id = $1 and presence <> $2
            """,
            account.Value, (short)visibility);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Those of the accounts that show it to nobody.</summary>
    public async Task<HashSet<AccountId>> HiddenAsync(
        IReadOnlyCollection<AccountId> accounts, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select id from account where presence = 2 and id = any($1)", Ids(accounts));
        return [.. await ListAsync(command, row => new AccountId(row.GetGuid(0)), cancellationToken)];
    }

    /// <summary>
    /// Of these accounts, those that share a live conversation with the caller, and when they were last seen; null for who
    /// hides.
    /// </summary>
    public async Task<IReadOnlyList<(AccountId Account, DateTimeOffset? LastSeen)>> SharingAsync(
        AccountId caller, IReadOnlyCollection<AccountId> accounts, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select a.id, a.last_seen_at
            from account a
            where a.id = any($2) and a.id <> $1 and exists (
                select from member other
                join member me on me.conversation_id = other.conversation_id and me.account_id = $1 and me.left_seq is null
                where other.account_id = a.id and other.left_seq is null
            )
            """,
            caller.Value, Ids(accounts));
        return await ListAsync(
            command,
            row => (new AccountId(row.GetGuid(0)),
                row.IsDBNull(1) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(1)),
            cancellationToken);
    }

    /// <summary>
    /// Notes that these accounts went some time ago, unless they hide; in one order, so that nodes do not block each other.
    /// </summary>
    public async Task<IReadOnlyDictionary<AccountId, DateTimeOffset>> SeenAsync(
        IReadOnlyCollection<AccountId> accounts, TimeSpan ago, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"""
            with gone as (select id from account where id = any($1) and presence = 1 order by id for no key update)
            update account a
            set last_seen_at = greatest(
                a.last_seen_at, date_bin('{Limits.LastSeenMinutes} minutes', now() - $2, timestamptz 'epoch'))
            from gone where a.id = gone.id
            returning a.id, a.last_seen_at
            """,
            Ids(accounts), ago);
        var seen = await ListAsync(
            command, row => (new AccountId(row.GetGuid(0)), row.GetFieldValue<DateTimeOffset>(1)), cancellationToken);
        return seen.ToDictionary();
    }

    private static Guid[] Ids(IReadOnlyCollection<AccountId> accounts) =>
        [.. accounts.Select(account => account.Value)];

    private static async Task<IReadOnlyList<T>> ListAsync<T>(
        NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var list = new List<T>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            list.Add(read(reader));
        }

        return list;
    }
}

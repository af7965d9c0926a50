using ChatPay.Core.Protocol;
using Dapper;
using Npgsql;

namespace ChatPay.Server.Accounts;

/// <summary>Accounts by id and handle, their passwords and names, and the work that features still owe them.</summary>
internal sealed class AccountStore(NpgsqlDataSource dataSource)
{
    /// <summary>The account that has the handle or a look-alike of it, if any; null if the handle is free.</summary>
    public async Task<string?> FindLookalikeAsync(string handle, string skeleton, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QueryFirstOrDefaultAsync<string>(new CommandDefinition(
            """
            select handle from account
            where handle = @handle or skeleton = @skeleton
            order by handle = @handle desc
            limit 1
            """,
            new { handle, skeleton },
            cancellationToken: cancellationToken));
    }

    public async Task<SignInRow?> FindForSignInAsync(
        string handle, byte[]? recognitionHash, int addressMark, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<SignInRow>(new CommandDefinition(
            """
            select a.id, a.handle, a.display_name, a.password_hash,
                (select d.id from device d
                 where d.recognition_hash = @recognitionHash and d.account_id = a.id and d.revoked_at is null)
                    as recognised_device,
                exists (
                    select from device d join session s on s.device_id = d.id
                    where d.account_id = a.id and s.address_mark = @addressMark
                        and s.last_used_at > now() - interval '90 days') as known_address
            from account a
            where a.handle = @handle
            """,
            new { handle, recognitionHash, addressMark },
            cancellationToken: cancellationToken));
    }

    public async Task<string?> PasswordHashAsync(AccountId account, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<string>(new CommandDefinition(
            "select password_hash from account where id = @id",
            new { id = account.Value },
            cancellationToken: cancellationToken));
    }

    public async Task<IReadOnlyList<AccountRow>> GetAsync(Guid[] ids, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return [.. await connection.QueryAsync<AccountRow>(new CommandDefinition(
            "select id, handle, display_name from account where id = any(@ids)",
            new { ids },
            cancellationToken: cancellationToken))];
    }

    public async Task<AccountRow?> FindByHandleAsync(string handle, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<AccountRow>(new CommandDefinition(
            "select id, handle, display_name from account where handle = @handle",
            new { handle },
            cancellationToken: cancellationToken));
    }

    public async Task<AccountRow> RenameAsync(AccountId account, string displayName, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<AccountRow>(new CommandDefinition(
            "update account set display_name = @displayName where id = @id returning id, handle, display_name",
            new { id = account.Value, displayName },
            cancellationToken: cancellationToken));
    }

    /// <summary>
    /// Stores the new hash and ends all sessions of the account but the given one; nothing if the password has changed since
    /// <paramref name="oldHash"/> was read.
    /// </summary>
    /// <returns>The devices whose sessions ended; null if nothing was changed.</returns>
    public async Task<IReadOnlyList<DeviceId>?> ChangePasswordAsync(
        AccountId account, string oldHash, string newHash, byte[] keptSession, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var changed = await connection.ExecuteAsync(new CommandDefinition(
            "update account set password_hash = @newHash where id = @id and password_hash = @oldHash",
            new { id = account.Value, oldHash, newHash },
            transaction,
            cancellationToken: cancellationToken));
        if (changed == 0)
        {
            return null;
        }

        var devices = await connection.QueryAsync<Guid>(new CommandDefinition(
            """
            update session s set revoked_at = now()
            from device d
            where d.id = s.device_id and d.account_id = @id and s.revoked_at is null and s.token_hash <> @keptSession
            returning s.device_id
            """,
            new { id = account.Value, keptSession },
            transaction,
            cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return [.. devices.Distinct().Select(device => new DeviceId(device))];
    }

    /// <summary>Accounts that some feature has not opened its part of yet, in no order, so that none holds up the rest.</summary>
    public async Task<IReadOnlyList<AccountId>> UnopenedAsync(int limit, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var ids = await connection.QueryAsync<Guid>(new CommandDefinition(
            """
            select id from account
            where opened_at is null and created_at < now() - interval '3 seconds'
            order by random()
            limit @limit
            """,
            new { limit },
            cancellationToken: cancellationToken));
        return [.. ids.Select(id => new AccountId(id))];
    }

    public async Task MarkOpenedAsync(AccountId account, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "update account set opened_at = now() where id = @id and opened_at is null",
            new { id = account.Value },
            cancellationToken: cancellationToken));
    }
}

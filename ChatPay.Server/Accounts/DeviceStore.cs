using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Dapper;
using Npgsql;

namespace ChatPay.Server.Accounts;

/// <summary>An account's devices: listed, looked up, revoked.</summary>
internal sealed class DeviceStore(NpgsqlDataSource dataSource)
{
    private const string Columns = "id, account_id, name, signature_key, created_at, last_seen_at, revoked_at";

    public async Task<IReadOnlyList<DeviceRow>> LiveAsync(Guid[] accounts, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return [.. await connection.QueryAsync<DeviceRow>(new CommandDefinition(
            $"""
            select {Columns} from device
            where account_id = any(@accounts) and revoked_at is null
            order by account_id, created_at, id
            """,
            new { accounts },
            cancellationToken: cancellationToken))];
    }

    public async Task<DeviceRow?> GetAsync(DeviceId device, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<DeviceRow>(new CommandDefinition(
            $"select {Columns} from device where id = @id",
            new { id = device.Value },
            cancellationToken: cancellationToken));
    }

    /// <summary>Revokes a device for good and ends its sessions. Again is no error.</summary>
    /// <returns>Whether the account has such a device.</returns>
    public async Task<bool> RevokeAsync(AccountId account, DeviceId device, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            RevocationRows.Revoke, account.Value, new[] { device.Value });
        return await command.ExecuteScalarAsync(cancellationToken) is 1;
    }

    /// <summary>Revoked devices that some feature has not dropped yet, in no order.</summary>
    public async Task<IReadOnlyList<(AccountId Account, DeviceId Device)>> UndroppedAsync(
        int limit, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(Guid Account, Guid Device)>(new CommandDefinition(
            """
            select account_id, id from device
            where revoked_at < now() - interval '3 seconds' and dropped_at is null
            order by random()
            limit @limit
            """,
            new { limit },
            cancellationToken: cancellationToken));
        return [.. rows.Select(row => (new AccountId(row.Account), new DeviceId(row.Device)))];
    }

    public async Task MarkDroppedAsync(DeviceId device, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "update device set dropped_at = now() where id = @id and revoked_at is not null and dropped_at is null",
            new { id = device.Value },
            cancellationToken: cancellationToken));
    }
}

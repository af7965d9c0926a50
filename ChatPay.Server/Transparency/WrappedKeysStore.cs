using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>The keys of accounts as their root secrets wrap them: bytes that only the PIN's owner can read.</summary>
internal sealed class WrappedKeysStore(NpgsqlDataSource dataSource)
{
    public async Task<WrappedKeysView> FindAsync(AccountId account, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select revision, wrapped from wrapped_keys where account_id = $1", account.Value);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken)
            ? new WrappedKeysView(row.GetInt64(0), row.GetFieldValue<byte[]>(1)) : new WrappedKeysView(0);
    }

    /// <summary>Replaces what the caller has seen, and nothing else.</summary>
    /// <returns>
    /// <c>device_not_approved</c>: whoever has only the password must not take a PIN's keys away; <c>wrapped_keys_stale</c> with
    /// <c>details.revision</c> where another device was quicker.
    /// </returns>
    public async Task<Result<WrappedKeysView>> StoreAsync(
        Caller caller, StoreWrappedKeysRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var account = caller.Account;
        if (request.Wrapped.Length != Limits.WrappedKeysBytes || request.Revision < 0)
        {
            return new Error(ErrorCode.InvalidArgument, $"Wrapped keys have {Limits.WrappedKeysBytes} bytes.");
        }

        await using var approval = dataSource.CreateCommand(
            "select approved_at is not null and revoked_at is null from device where id = $1", caller.Device.Value);
        if (await approval.ExecuteScalarAsync(cancellationToken) is not true)
        {
            return new Error(ErrorCode.DeviceNotApproved, "Only a device that is approved stores the account's keys.");
        }

        await using var command = dataSource.CreateCommand(
            """
            insert into wrapped_keys as w (account_id, revision, wrapped)
            select $1, 1, $3 where $2 = 0
            on conflict (account_id) do nothing
            """,
            account.Value, request.Revision, request.Wrapped);
        if (request.Revision > 0)
        {
            command.CommandText =
                "update wrapped_keys set revision = revision + 1, wrapped = $3 where account_id = $1 and revision = $2";
        }

        var isStored = await command.ExecuteNonQueryAsync(cancellationToken) == 1;
        var now = await FindAsync(account, cancellationToken);

        // Stored before, and the answer was lost.
        var isThere = now.Revision == request.Revision + 1 && request.Wrapped.AsSpan().SequenceEqual(now.Wrapped);
        return isStored || isThere
            ? new WrappedKeysView(request.Revision + 1, request.Wrapped)
            : new Error(
                ErrorCode.WrappedKeysStale, "Another device has stored the account's keys meanwhile.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["revision"] = now.Revision });
    }
}

using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Cards;

/// <summary>
/// How often an account may ask others for money: the generic cell rate algorithm (ITU-T I.371), whose whole state is a time. It
/// is spent in the transaction that posts, so that nodes share it and what is refused or repeated costs nothing.
/// </summary>
/// <remarks>
/// <see cref="CardRows"/> lock the author before this is read: whoever posts for an account waits for the others.
/// </remarks>
internal sealed class RequestAllowanceRows : WriteRows
{
    private readonly HashSet<AccountId> _needed = [];
    private readonly Dictionary<AccountId, DateTimeOffset> _spentUntil = [];
    private readonly HashSet<AccountId> _changed = [];

    public override int LockOrder => 210;

    public void Need(AccountId account) => _needed.Add(account);

    /// <summary>Null when the account may ask so many people now; else <c>too_many_requests</c>.</summary>
    /// <remarks>
    /// A split of more people than the burst waits for all of it, and no longer: else it could never be posted.
    /// </remarks>
    public Error? Check(AccountId account, int people, DateTimeOffset now, CardOptions limits)
    {
        var each = Each(limits);
        var wait = From(account, now) + (each * Math.Min(people, limits.RequestBurst)) - now - (each * limits.RequestBurst);
        return wait <= TimeSpan.Zero
            ? null : TooMany.Requests("You have asked for payments too often. Wait a little.", wait);
    }

    /// <summary>
    /// Takes what <see cref="Check"/> has allowed: of a large split more than there is, which is paid off first.
    /// </summary>
    public void Spend(AccountId account, int people, DateTimeOffset now, CardOptions limits)
    {
        _spentUntil[account] = From(account, now) + (Each(limits) * people);
        _changed.Add(account);
    }

    public override void AddLoads(NpgsqlBatch batch)
    {
        if (_needed.Count > 0)
        {
            batch.Add(
                "select account_id, spent_until from request_allowance where account_id = any($1)",
                _needed.Select(account => account.Value).ToArray());
        }
    }

    public override async Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken)
    {
        if (_needed.Count > 0)
        {
            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                _spentUntil.Add(new(rows.GetGuid(0)), rows.GetFieldValue<DateTimeOffset>(1));
            }
        }
    }

    public override void AddWrites(NpgsqlBatch batch)
    {
        if (_changed.Count > 0)
        {
            batch.Add(
                """
                insert into request_allowance (account_id, spent_until) select * from unnest($1::uuid[], $2::timestamptz[])
                on conflict (account_id) do update set spent_until = excluded.spent_until
                """,
                _changed.Select(account => account.Value).ToArray(),
                _changed.Select(account => _spentUntil[account]).ToArray());
        }
    }

    private static TimeSpan Each(CardOptions limits) => TimeSpan.FromMinutes(1) / limits.RequestsPerMinute;

    private DateTimeOffset From(AccountId account, DateTimeOffset now) =>
        _spentUntil.TryGetValue(account, out var spent) && spent > now ? spent : now;
}

internal sealed class RequestAllowanceRowsFactory : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new RequestAllowanceRows();
}

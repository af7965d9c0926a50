using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Vault;

/// <summary>
/// What a realm that is a process of its own has for its server to tell, in the realm's database, so that whichever node of the
/// realm is asked has it. News are found by the transaction that noted them, as the server's nodes find changes of members:
/// only those below the oldest running transaction are told, so none is passed over that is committed late.
/// </summary>
/// <param name="dataSource">To the realm's own schema; the caller's.</param>
internal sealed class RealmNewsStore(NpgsqlDataSource dataSource)
{
    /// <summary>A server that comes later learns nothing of it; devices that greet again do.</summary>
    private const string KeptFor = "interval '10 minutes'";

    /// <summary>Notes what is to be told, in one transaction.</summary>
    public async Task NoteAsync(IReadOnlyList<KeysSignal> news, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            insert into vault_news (account_id, device_id, at, wait_id, state)
            select account_id, device_id, at, wait_id, state
            from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::smallint[]) with ordinality
                as n (account_id, device_id, at, wait_id, state, place)
            order by place
            """,
            news.Select(static one => one.Account.Value).ToArray(),
            news.Select(static one => one.Attempt?.Device.Value ?? one.Wait!.Device.Value).ToArray(),
            news.Select(static one => (one.Attempt?.At ?? one.Wait!.Until).ToUniversalTime()).ToArray(),
            news.Select(static one => one.Wait?.Id).ToArray(),
            news.Select(static one => (short)(one.Attempt is { } attempt ? (int)attempt.Outcome : (int)one.Wait!.State))
                .ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>What was noted behind a cursor.</summary>
    /// <param name="after">
    /// Null is from now on; so is one of another history of the database, or of one that was further: a restored backup.
    /// </param>
    public async Task<RealmNews> ReadAsync(NewsCursor? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select r.lineage, s.oldest, r.id, n.xid, n.number, n.account_id, n.device_id, n.at, n.wait_id, n.state
            from realm r
            cross join (select pg_snapshot_xmin(pg_current_snapshot()) as oldest) s
            left join lateral (
                select xid, number, account_id, device_id, at, wait_id, state from vault_news
                where (xid, number) > ($2, $3) and xid < s.oldest and r.lineage = $1 and $2 <= s.oldest
                order by xid, number limit $4
            ) n on true
            order by n.xid, n.number
            """,
            after?.Lineage ?? Guid.Empty,
            new NpgsqlParameter { Value = after?.Xid ?? 0UL, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Xid8 },
            after?.Number ?? 0L, limit);
        var news = new List<KeysSignal>();
        NewsCursor? next = null;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var lineage = reader.GetGuid(0);
            next ??= new NewsCursor(lineage, reader.GetFieldValue<ulong>(1), 0);
            if (reader.IsDBNull(3))
            {
                continue;
            }

            news.Add(ReadSignal(reader));
            if (news.Count == limit)
            {
                return new RealmNews(
                    new NewsCursor(lineage, reader.GetFieldValue<ulong>(3), reader.GetInt64(4)).ToString(), More: true, news);
            }
        }

        return new RealmNews(
            (next ?? throw new InvalidOperationException("The database belongs to no realm.")).ToString(), More: false, news);
    }

    /// <summary>Forgets what nobody is told any more.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand($"delete from vault_news where told_at < now() - {KeptFor}");
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static KeysSignal ReadSignal(NpgsqlDataReader reader)
    {
        var (account, device) = (new AccountId(reader.GetGuid(5)), new DeviceId(reader.GetGuid(6)));
        var (at, state, realm) = (reader.GetFieldValue<DateTimeOffset>(7), reader.GetInt16(9), reader.GetGuid(2));
        return reader.IsDBNull(8)
            ? new KeysSignal(account, 0, Attempt: new VaultAttempt(at, device, (VaultAttemptOutcome)state, realm))
            : new KeysSignal(account, 0, Wait: new VaultWait(realm, reader.GetGuid(8), device, at, (VaultWaitState)state));
    }
}

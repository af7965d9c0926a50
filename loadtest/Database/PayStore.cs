using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Paying;
using ChatPay.Server.Cards;
using Npgsql;

namespace ChatPay.LoadTest.Database;

/// <summary>What a database holds of the payments of some conversations.</summary>
/// <param name="Cards">All that were posted.</param>
/// <param name="Accepted">Of these, settled to the payee.</param>
/// <param name="Authorised">Debits with a device's signature kept beside them.</param>
/// <param name="Events">In the conversations' logs; −1 if a log has a gap or does not end at its head.</param>
internal sealed record PaymentCounts(long Cards, long Accepted, long Authorised, long Events);

/// <summary>A wallet as it is.</summary>
internal sealed record WalletFigures(long BalanceMinor, long HeldMinor);

/// <summary>Writes chains of the key log in bulk, and reads what payments have left.</summary>
internal static class PayStore
{
    private const int SaltBytes = 32;

    /// <summary>Begins chains as the server would have stored them, and approves the devices that stand in them.</summary>
    public static async Task AddChainsAsync(
        NpgsqlDataSource owner, IReadOnlyList<DeviceChain> chains, CancellationToken cancellationToken)
    {
        await using var command = owner.CreateCommand(
            """
            with chains as (
                select * from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[],
                    $8::bytea[]) as c (account_id, device_id, first, second, head, identity, first_salt, second_salt)
            ), entries as (
                insert into key_entry (account_id, sequence, entry, salt)
                select account_id, 0, first, first_salt from chains
                union all select account_id, 1, second, second_salt from chains
            ), approved as (
                update device set approved_at = now() where id in (select device_id from chains)
            )
            insert into key_chain (account_id, length, head, identity_keys)
            select account_id, 2, head, array[identity] from chains
            """);
        void Add<T>(Func<DeviceChain, T> value) => command.Parameters.Add(new() { Value = chains.Select(value).ToArray() });
        byte[] Salt() => System.Security.Cryptography.RandomNumberGenerator.GetBytes(SaltBytes);
        Add(chain => chain.Account.Value);
        Add(chain => chain.Device.Value);
        Add(chain => chain.First.Encoding.ToArray());
        Add(chain => chain.Second.Encoding.ToArray());
        Add(chain => chain.Second.Hash());
        Add(chain => chain.Identity);
        Add(_ => Salt());
        Add(_ => Salt());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Which history the database tells.</summary>
    public static async Task<Guid> ReadLineageAsync(NpgsqlDataSource owner, CancellationToken cancellationToken)
    {
        await using var command = owner.CreateCommand("select id from lineage");
        return (Guid)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public static async Task<PaymentCounts> CountAsync(
        NpgsqlDataSource owner, IReadOnlyList<ConversationId> rooms, CancellationToken cancellationToken)
    {
        await using var command = owner.CreateCommand(
            """
            select count(*), count(*) filter (where state = 2),
                (select count(*) from card_authorisation a join card c on c.id = a.card_id where c.conversation_id = any($1)),
                (select case when bool_and(head = events and head = last) then sum(events) else -1 end::bigint
                from (
                    select c.head, count(*) as events, max(e.seq) as last
                    from conversation c join event e on e.conversation_id = c.id
                    where c.id = any($1) group by c.id
                ) log)
            from card where conversation_id = any($1)
            """);
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = rooms.Select(room => room.Value).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3));
    }

    /// <summary>Adds open requests as the server would have left them, the first of which ends after a second.</summary>
    public static async Task AddEndingCardsAsync(
        NpgsqlDataSource owner, IReadOnlyList<ChatRoom> rooms, string asset, int count, int perSecond, int lifetimeSeconds,
        CancellationToken cancellationToken)
    {
        await using var command = owner.CreateCommand(
            """
            insert into card (id, kind, conversation_id, author_id, payer_id, payee_id, amount_minor, asset, lifetime_seconds,
                detail_commit, state, version, created_at, expires_at)
            select gen_random_uuid(), 2, r.room, r.author, r.payer, r.author, 100, $5, $6, sha256(r.room::text::bytea), 6, 1,
                e.at - make_interval(secs => $6), e.at
            from generate_series(0, $4 - 1) as n (place)
            cross join lateral (select clock_timestamp() + make_interval(secs => 1 + n.place::double precision / $7)) as e (at)
            join unnest($1::uuid[], $2::uuid[], $3::uuid[]) with ordinality as r (room, author, payer, place)
                on r.place = 1 + n.place % cardinality($1)
            """);
        void Add<T>(T value) => command.Parameters.Add(new() { Value = value });
        Add(rooms.Select(room => room.Id.Value).ToArray());
        Add(rooms.Select(room => room.Members[0].Account.Value).ToArray());
        Add(rooms.Select(room => room.Members[1].Account.Value).ToArray());
        Add(count);
        Add(asset);
        Add(lifetimeSeconds);
        Add(perSecond);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>How exactly cards of these conversations were ended.</summary>
    public static async Task<EndingFigures> ReadEndingsAsync(
        NpgsqlDataSource owner, IReadOnlyList<ConversationId> rooms, CancellationToken cancellationToken)
    {
        await using var command = owner.CreateCommand(
            """
            select count(late), count(*) filter (where late < 0),
                count(*) filter (where late is null and expires_at < clock_timestamp() - interval '5 seconds'),
                coalesce(percentile_cont(0.5) within group (order by late), 0),
                coalesce(percentile_cont(0.99) within group (order by late), 0), coalesce(max(late), 0)
            from (
                select expires_at, 1000 * extract(epoch from closed_at - expires_at)::double precision as late
                from card where conversation_id = any($1)
            ) ended
            """);
        command.Parameters.Add(new() { Value = rooms.Select(room => room.Value).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new(
            reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetDouble(3), reader.GetDouble(4),
            reader.GetDouble(5));
    }

    /// <summary>How old the oldest applied transfer is that is not in the ledger log, in milliseconds; 0 for none.</summary>
    /// <remarks>
    /// One look for each, until one is found: as <c>not exists</c> it is a join, which was planned as a hash of the whole log
    /// and took a twentieth of a second of PostgreSQL in each second of a measurement.
    /// </remarks>
    public static async Task<double> ReadUnsealedAgeAsync(NpgsqlDataSource owner, CancellationToken cancellationToken)
    {
        await using var command = owner.CreateCommand(
            """
            select coalesce(1000 * extract(epoch from clock_timestamp() - (
                select t.created_at from transfer t
                where t.seq >= (select next_seq from ledger_log) and t.status = 0
                    and (select true from ledger_log_leaf l where l.transfer_id = t.id) is null
                order by t.seq limit 1)), 0)::double precision
            """);
        return (double)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>People's wallets in one asset.</summary>
    public static async Task<IReadOnlyDictionary<AccountId, WalletFigures>> ReadWalletsAsync(
        NpgsqlDataSource owner, IReadOnlyList<AccountId> people, AssetCode asset, CancellationToken cancellationToken)
    {
        var owners = people.ToDictionary(person => LedgerAccountId.Of(person, asset).Value);
        await using var command = owner.CreateCommand(
            "select id, balance_minor, held_minor from ledger_account where id = any($1)");
        command.Parameters.Add(new() { Value = owners.Keys.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var wallets = new Dictionary<AccountId, WalletFigures>();
        while (await reader.ReadAsync(cancellationToken))
        {
            wallets.Add(owners[reader.GetGuid(0)], new(reader.GetInt64(1), reader.GetInt64(2)));
        }

        return wallets;
    }

    /// <summary>A card as it is stored.</summary>
    public static async Task<Card> ReadCardAsync(NpgsqlDataSource owner, CardId card, CancellationToken cancellationToken)
    {
        await using var command = owner.CreateCommand($"select {CardRow.Columns} from card where id = $1");
        command.Parameters.Add(new() { Value = card.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return CardRow.Read(reader);
    }

    /// <summary>All parts of a card, by place.</summary>
    public static async Task<IReadOnlyList<CardPart>> ReadPartsAsync(
        NpgsqlDataSource owner, CardId card, CancellationToken cancellationToken)
    {
        await using var command = owner.CreateCommand(
            $"select {CardPartRow.Columns} from card_part where card_id = $1 order by place");
        command.Parameters.Add(new() { Value = card.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var parts = new List<CardPart>();
        while (await reader.ReadAsync(cancellationToken))
        {
            parts.Add(CardPartRow.Read(reader));
        }

        return parts;
    }
}

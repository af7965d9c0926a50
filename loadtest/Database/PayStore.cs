using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
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

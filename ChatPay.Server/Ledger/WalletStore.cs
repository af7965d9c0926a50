using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Npgsql;

namespace ChatPay.Server.Ledger;

/// <summary>A ledger account of a person, as the wallet shows it.</summary>
internal sealed record Wallet(string Asset, long BalanceMinor, long HeldMinor, long Version);

/// <summary>Reads wallets and statements; writing goes through the write path alone.</summary>
internal sealed class WalletStore(NpgsqlDataSource dataSource)
{
    /// <summary>By asset code.</summary>
    public async Task<IReadOnlyDictionary<string, Wallet>> ReadAsync(
        AccountId account, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select asset, balance_minor, held_minor, version from ledger_account where owner_id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = account.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var wallets = new Dictionary<string, Wallet>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            var asset = reader.GetString(0);
            wallets.Add(asset, new Wallet(asset, reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3)));
        }

        return wallets;
    }

    /// <summary>Newest first, along the primary key, so a page costs the same at any depth.</summary>
    public async Task<IReadOnlyList<StatementEntry>> ReadStatementAsync(
        LedgerAccountId wallet, long before, int limit, CancellationToken cancellationToken)
    {
        // The other side: of a card whoever of the two is not the owner, else the owner of the other ledger account.
        await using var command = dataSource.CreateCommand("""
            select e.version, e.transfer_id, t.kind, e.posted_minor, e.held_minor, e.balance_after_minor,
                e.held_after_minor, e.created_at, t.card_id, c.conversation_id, p.id, p.handle, p.display_name,
                o.system_name
            from (
                select * from entry where account_id = $1 and version < $2 order by version desc limit $3
            ) e
            join ledger_account own on own.id = e.account_id
            join transfer t on t.id = e.transfer_id
            left join card c on c.id = t.card_id
            left join ledger_account o
                on o.id = case when t.debit_id = e.account_id then t.credit_id else t.debit_id end
            left join account p on p.id = coalesce(
                case when c.payer_id = own.owner_id then c.payee_id else c.payer_id end, o.owner_id)
            order by e.version desc
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = wallet.Value });
        command.Parameters.Add(new NpgsqlParameter { Value = before });
        command.Parameters.Add(new NpgsqlParameter { Value = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var entries = new List<StatementEntry>(limit);
        while (await reader.ReadAsync(cancellationToken))
        {
            entries.Add(Read(reader));
        }

        return entries;
    }

    private static StatementEntry Read(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetGuid(1), KindOf((TransferKind)row.GetInt16(2), bySystem: !row.IsDBNull(13)),
        row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6),
        row.IsDBNull(10) ? null : new AccountView(new(row.GetGuid(10)), row.GetString(11), row.GetString(12)),
        row.IsDBNull(8) ? null : new CardId(row.GetGuid(8)),
        row.IsDBNull(9) ? null : new ConversationId(row.GetGuid(9)),
        row.GetFieldValue<DateTimeOffset>(7));

    private static string KindOf(TransferKind kind, bool bySystem) => kind switch
    {
        TransferKind.Transfer when bySystem => "funding",
        TransferKind.Transfer or TransferKind.Balancing => "transfer",
        TransferKind.Hold => "hold",
        TransferKind.Capture or TransferKind.CaptureAll => "capture",
        TransferKind.Refund => "refund",
        TransferKind.Release => "release",
        TransferKind.Expire => "expire",
    };
}

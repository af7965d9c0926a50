using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Server.Database;
using ChatPay.Server.Transparency;
using Npgsql;

namespace ChatPay.Server.Receipts;

/// <summary>A movement of a card's money, whose it was, and what the payer's device signed for it.</summary>
internal sealed record PaidRow(
    SealedTransfer Transfer, int Exponent, AccountId Payer, AccountId Payee, ReceiptWord? Word);

/// <summary>Reads what receipts are made of. Only payer and payee of a movement are shown it.</summary>
internal sealed class PaymentReceiptStore(NpgsqlDataSource dataSource)
{
    /// <summary>A hold's money was let go when the hold was opened, what is drawn when the mandate was given.</summary>
    private const string Select =
        $"""
        select {SealedTransferRows.Columns}, s.exponent, d.owner_id, c.owner_id, a.statement, a.signature, v.signature_key
        from transfer t
        join asset s on s.code = t.asset
        join ledger_account d on d.id = t.debit_id
        join ledger_account c on c.id = t.credit_id
        left join lateral (
            select statement, signature, device_id from card_authorisation
            where transfer_id = t.id or transfer_id = t.hold_id
                or (card_id = t.card_id and exists (select from card m where m.id = t.card_id and m.kind = 5))
            order by transfer_id = t.id desc limit 1
        ) a on true
        left join device v on v.id = a.device_id
        where t.status = 0 and t.card_id is not null and d.owner_id is not null and c.owner_id is not null
            and (d.owner_id = $1 or c.owner_id = $1)
        """;

    private const int ExponentAt = 12;

    /// <summary>Null where there is none for this account.</summary>
    public async Task<PaidRow?> FindAsync(AccountId account, TransferId transfer, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand($"{Select} and t.id = $2", account.Value, transfer.Value);
        return (await ListAsync(command, cancellationToken)).SingleOrDefault();
    }

    /// <summary>Those of a card, by id.</summary>
    /// <param name="after">Null for the first page.</param>
    public async Task<IReadOnlyList<PaidRow>> ListAsync(
        AccountId account, CardId card, Guid? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"{Select} and t.card_id = $2 and t.id > $3 order by t.id limit $4",
            account.Value, card.Value, after ?? Guid.Empty, limit);
        return await ListAsync(command, cancellationToken);
    }

    private static async Task<IReadOnlyList<PaidRow>> ListAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var rows = new List<PaidRow>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            var word = row.IsDBNull(ExponentAt + 3) ? null : new ReceiptWord(
                row.GetFieldValue<byte[]>(ExponentAt + 3), row.GetFieldValue<byte[]>(ExponentAt + 4),
                row.GetFieldValue<byte[]>(ExponentAt + 5));
            rows.Add(new PaidRow(
                SealedTransferRows.Read(row, 0), row.GetInt16(ExponentAt), new(row.GetGuid(ExponentAt + 1)),
                new(row.GetGuid(ExponentAt + 2)), word));
        }

        return rows;
    }
}

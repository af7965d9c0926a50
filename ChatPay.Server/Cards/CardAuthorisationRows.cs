using ChatPay.Core.Ledger;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using Npgsql;

namespace ChatPay.Server.Cards;

/// <summary>What payers' devices signed for the debits of a batch. Only ever added.</summary>
internal sealed class CardAuthorisationRows : WriteRows
{
    private readonly List<(TransferId Transfer, SignedDebit Debit)> _kept = [];

    public override int LockOrder => 420;

    /// <summary>Before transfers, which are refused without.</summary>
    public override int WriteOrder => 80;

    /// <summary>Keeps what let a transfer happen.</summary>
    public void Keep(TransferId transfer, SignedDebit debit) => _kept.Add((transfer, debit));

    public override void AddLoads(NpgsqlBatch batch)
    {
        // Nothing is decided on what was signed before.
    }

    public override Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken) => Task.CompletedTask;

    public override void AddWrites(NpgsqlBatch batch)
    {
        if (_kept.Count > 0)
        {
            batch.Add(
                """
                insert into card_authorisation (transfer_id, card_id, device_id, statement, signature)
                select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[])
                """,
                _kept.Select(row => row.Transfer.Value).ToArray(),
                _kept.Select(row => row.Debit.Statement.Terms.Card.Value).ToArray(),
                _kept.Select(row => row.Debit.Statement.Device.Value).ToArray(),
                _kept.Select(row => row.Debit.Encoded).ToArray(),
                _kept.Select(row => row.Debit.Signature).ToArray());
        }
    }
}

internal sealed class CardAuthorisationRowsFactory : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new CardAuthorisationRows();
}

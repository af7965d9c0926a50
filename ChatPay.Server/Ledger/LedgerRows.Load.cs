using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using Npgsql;

namespace ChatPay.Server.Ledger;

internal sealed partial class LedgerRows
{
    public override void AddLoads(NpgsqlBatch batch)
    {
        if (_neededAccounts.Count > 0)
        {
            batch.Add("""
                select id, owner_id, system_name, asset, guarded, balance_minor, held_minor, version
                from ledger_account where id = any($1) order by id for update
                """,
                _neededAccounts.Select(id => id.Value).ToArray());
        }

        // Statements of their own, so that their snapshots are younger than the locks.
        if (_neededTransfers.Count > 0)
        {
            batch.Add("select id, payload_hash, status from transfer where id = any($1)", Ids(_neededTransfers));
        }

        if (_neededHolds.Count > 0)
        {
            batch.Add("""
                select transfer_id, account_id, remaining_minor, state, expires_at
                from hold where transfer_id = any($1)
                """,
                Ids(_neededHolds));
        }
    }

    public override async Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken)
    {
        // What the database does not have is known to be absent; what nobody asked for stays unknown to the book.
        foreach (var id in _neededAccounts)
        {
            _book.Load(id, account: null);
        }

        foreach (var id in _neededTransfers)
        {
            _book.Load(id, transfer: null);
        }

        foreach (var id in _neededHolds)
        {
            _book.LoadHold(id, hold: null);
        }

        if (_neededAccounts.Count > 0)
        {
            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                Load(rows);
            }
        }

        if (_neededTransfers.Count > 0)
        {
            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                _book.Load(new TransferId(rows.GetGuid(0)), new KnownTransfer(
                    PayloadHash.From(rows.GetFieldValue<byte[]>(1)), (LedgerStatus)rows.GetInt32(2)));
            }
        }

        if (_neededHolds.Count > 0)
        {
            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                var id = new TransferId(rows.GetGuid(0));
                _book.LoadHold(id, new LedgerHold(
                    id, new(rows.GetGuid(1)), new(rows.GetInt64(2)), (HoldState)rows.GetInt16(3),
                    rows.GetFieldValue<DateTimeOffset>(4)));
            }
        }
    }

    private void Load(NpgsqlDataReader row)
    {
        var id = new LedgerAccountId(row.GetGuid(0));
        var owner = row.IsDBNull(1)
            ? LedgerOwner.OfSystem(row.GetString(2))
            : LedgerOwner.Of(new AccountId(row.GetGuid(1)));
        _book.Load(id, new LedgerAccount(
            id, owner, AssetCode.Parse(row.GetString(3)), row.GetBoolean(4), new(row.GetInt64(5)),
            new(row.GetInt64(6)), row.GetInt64(7)));
    }

    private static Guid[] Ids(IEnumerable<TransferId> ids) => [.. ids.Select(id => id.Value)];
}

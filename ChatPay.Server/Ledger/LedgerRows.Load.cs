using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using Npgsql;

namespace ChatPay.Server.Ledger;

internal sealed partial class LedgerRows
{
    private const string SelectAccounts = """
        select id, owner_id, system_name, asset, guarded, balance_minor, held_minor, version, state, last_entry_at
        from ledger_account where id = any($1) order by id
        """;

    private HashSet<LedgerAccountId> _missingAccounts = [];
    private long _batchNumber;

    public override void AddLoads(NpgsqlBatch batch)
    {
        // A transfer of its own makes a hold, or closes one.
        _book.Expect(_neededAccounts.Count, _neededTransfers.Count, _neededTransfers.Count);
        _missingAccounts = _neededAccounts;
        if (!set.Locks)
        {
            var cached = cache.Find(_neededAccounts);
            cached.ForEach(account => _book.Load(account.Id, account));
            _missingAccounts = [.. _neededAccounts.Except(cached.Select(account => account.Id))];
        }

        if (_missingAccounts.Count > 0)
        {
            batch.Add(
                set.Locks ? SelectAccounts + " for no key update" : SelectAccounts,
                _missingAccounts.Select(id => id.Value).ToArray());
        }

        // Statements of their own, so that their snapshots are younger than the locks.
        if (_neededTransfers.Count > 0)
        {
            batch.Add(
                "select id, payload_hash, status, amount_minor from transfer where id = any($1)",
                Ids(_neededTransfers));
        }

        if (_neededHolds.Count > 0)
        {
            batch.Add("""
                select transfer_id, account_id, remaining_minor, state, expires_at
                from hold where transfer_id = any($1)
                """,
                Ids(_neededHolds));
        }

        if (_neededRefundables.Count > 0)
        {
            batch.Add("""
                select t.id, t.credit_id, t.debit_id, t.amount_minor, coalesce(r.refunded_minor, 0)
                from transfer t left join refunded r on r.transfer_id = t.id
                where t.id = any($1) and t.status = 0 and t.kind in (1, 3, 7, 8)
                """,
                Ids(_neededRefundables));
        }

        if (_neededGroups.Count > 0)
        {
            batch.Add(
                "select distinct group_id from transfer where group_id = any($1)",
                _neededGroups.Select(id => id.Value).ToArray());
        }

        if (_neededChanges.Count > 0)
        {
            batch.Add(
                "select id, payload_hash, status from ledger_account_change where id = any($1)",
                _neededChanges.Select(id => id.Value).ToArray());
        }

        // The place of this batch among all, once no other can come between what was loaded and what is decided.
        if (_neededTransfers.Count > 0)
        {
            batch.Add("select nextval('ledger_batch')");
        }
    }

    /// <summary>What the database does not have is known to be absent; what nobody asked for stays unknown to the book.</summary>
    public override async Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken)
    {
        await ReadAsync(_missingAccounts, id => _book.Load(id, account: null), LoadAccount, reader, cancellationToken);
        await ReadAsync(
            _neededTransfers,
            id => _book.Load(id, transfer: null),
            row => _book.Load(new TransferId(row.GetGuid(0)), new KnownTransfer(
                PayloadHash.From(row.GetFieldValue<byte[]>(1)), (LedgerStatus)row.GetInt32(2), new(row.GetInt64(3)))),
            reader,
            cancellationToken);
        await ReadAsync(_neededHolds, id => _book.LoadHold(id, hold: null), LoadHold, reader, cancellationToken);
        await ReadAsync(
            _neededRefundables, id => _book.LoadRefundable(id, movement: null), LoadRefundable, reader,
            cancellationToken);
        await ReadAsync(
            _neededGroups,
            id => _book.Load(id, known: false),
            row => _book.Load(new LedgerGroupId(row.GetGuid(0)), known: true),
            reader,
            cancellationToken);
        await ReadAsync(
            _neededChanges,
            id => _book.Load(id, change: null),
            row => _book.Load(new AccountChangeId(row.GetGuid(0)), new KnownChange(
                PayloadHash.From(row.GetFieldValue<byte[]>(1)), (LedgerStatus)row.GetInt32(2))),
            reader,
            cancellationToken);
        if (_neededTransfers.Count > 0)
        {
            var row = await reader.NextAsync(cancellationToken);
            await row.ReadAsync(cancellationToken);
            _batchNumber = row.GetInt64(0);
        }

        foreach (var earlier in set.Earlier)
        {
            _book.Follow(earlier.Rows<LedgerRows>()._book);
        }
    }

    private static async Task ReadAsync<T>(
        HashSet<T> needed, Action<T> absent, Action<NpgsqlDataReader> load, LoadReader reader,
        CancellationToken cancellationToken)
    {
        if (needed.Count == 0)
        {
            return;
        }

        foreach (var id in needed)
        {
            absent(id);
        }

        var rows = await reader.NextAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            load(rows);
        }
    }

    private void LoadAccount(NpgsqlDataReader row)
    {
        var id = new LedgerAccountId(row.GetGuid(0));
        var owner = row.IsDBNull(1)
            ? LedgerOwner.OfSystem(row.GetString(2))
            : LedgerOwner.Of(new AccountId(row.GetGuid(1)));
        _book.Load(id, new LedgerAccount(
            id, owner, AssetCode.Parse(row.GetString(3)), row.GetBoolean(4), new(row.GetInt64(5)),
            new(row.GetInt64(6)), row.GetInt64(7), (LedgerAccountState)row.GetInt16(8),
            row.IsDBNull(9) ? null : row.GetFieldValue<DateTimeOffset>(9)));
    }

    private void LoadHold(NpgsqlDataReader row)
    {
        var id = new TransferId(row.GetGuid(0));
        _book.LoadHold(id, new LedgerHold(
            id, new(row.GetGuid(1)), new(row.GetInt64(2)), (HoldState)row.GetInt16(3),
            row.GetFieldValue<DateTimeOffset>(4)));
    }

    private void LoadRefundable(NpgsqlDataReader row)
    {
        var id = new TransferId(row.GetGuid(0));
        _book.LoadRefundable(id, new LedgerRefunded(
            id, new(row.GetGuid(1)), new(row.GetGuid(2)), new(row.GetInt64(3)), new(row.GetInt64(4))));
    }

    private static Guid[] Ids(IEnumerable<TransferId> ids) => [.. ids.Select(id => id.Value)];
}

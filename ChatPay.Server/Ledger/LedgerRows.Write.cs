using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Ledger;

internal sealed partial class LedgerRows
{
    public override void AddWrites(NpgsqlBatch batch)
    {
        AddAccounts(batch);
        AddTransfers(batch);
        AddEntries(batch);
        AddHolds(batch);
    }

    private void AddAccounts(NpgsqlBatch batch)
    {
        var opened = _book.Opened.ToArray();
        if (opened.Length > 0)
        {
            batch.Add("""
                insert into ledger_account (id, owner_id, system_name, asset, guarded, balance_minor, held_minor,
                    version, created_at)
                select id, owner_id, system_name, asset, guarded, balance_minor, held_minor, version, $9
                from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[], $6::bigint[], $7::bigint[],
                    $8::bigint[])
                    as a (id, owner_id, system_name, asset, guarded, balance_minor, held_minor, version)
                """,
                opened.Select(account => account.Id.Value).ToArray(),
                opened.Select(account => account.Owner.Account?.Value).ToArray(),
                opened.Select(account => account.Owner.System).ToArray(),
                opened.Select(account => account.Asset.Value).ToArray(),
                opened.Select(account => account.Guarded).ToArray(),
                opened.Select(account => account.Balance.Value).ToArray(),
                opened.Select(account => account.Held.Value).ToArray(),
                opened.Select(account => account.Version).ToArray(),
                set.Now);
        }

        var changed = _book.Changed.ToArray();
        if (changed.Length > 0)
        {
            batch.Add("""
                update ledger_account a
                set balance_minor = u.balance_minor, held_minor = u.held_minor, version = u.version
                from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[])
                    as u (id, balance_minor, held_minor, version)
                where a.id = u.id
                """,
                changed.Select(account => account.Id.Value).ToArray(),
                changed.Select(account => account.Balance.Value).ToArray(),
                changed.Select(account => account.Held.Value).ToArray(),
                changed.Select(account => account.Version).ToArray());
        }
    }

    private void AddTransfers(NpgsqlBatch batch)
    {
        var rows = _book.Transfers;
        if (rows.Count == 0)
        {
            return;
        }

        batch.Add("""
            insert into transfer (id, kind, debit_id, credit_id, amount_minor, asset, hold_id, card_id, actor_id,
                status, payload_hash, created_at)
            select id, kind, debit_id, credit_id, amount_minor, asset, hold_id, card_id, actor_id,
                status, payload_hash, $12
            from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::uuid[],
                $8::uuid[], $9::uuid[], $10::integer[], $11::bytea[]) with ordinality
                as t (id, kind, debit_id, credit_id, amount_minor, asset, hold_id, card_id, actor_id,
                    status, payload_hash, position)
            order by position
            """,
            rows.Select(row => row.Command.Id.Value).ToArray(),
            rows.Select(row => (short)row.Command.Kind).ToArray(),
            rows.Select(row => row.Command.Debit.Value).ToArray(),
            rows.Select(row => row.Command.Credit?.Value).ToArray(),
            rows.Select(row => row.Amount.Value).ToArray(),
            rows.Select(row => row.Command.Asset.Value).ToArray(),
            rows.Select(row => row.Command.HoldId?.Value).ToArray(),
            rows.Select(row => row.Command.Cause.Card?.Value).ToArray(),
            rows.Select(row => row.Command.Cause.Actor?.Value).ToArray(),
            rows.Select(row => (int)row.Status).ToArray(),
            rows.Select(row => row.Payload.ToArray()).ToArray(),
            set.Now);
    }

    private void AddEntries(NpgsqlBatch batch)
    {
        var rows = _book.Entries;
        if (rows.Count == 0)
        {
            return;
        }

        batch.Add("""
            insert into entry (account_id, version, transfer_id, posted_minor, held_minor, balance_after_minor,
                held_after_minor, created_at)
            select account_id, version, transfer_id, posted_minor, held_minor, balance_after_minor, held_after_minor, $8
            from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
                as e (account_id, version, transfer_id, posted_minor, held_minor, balance_after_minor, held_after_minor)
            """,
            rows.Select(row => row.Account.Value).ToArray(),
            rows.Select(row => row.Version).ToArray(),
            rows.Select(row => row.Transfer.Value).ToArray(),
            rows.Select(row => row.Posted.Value).ToArray(),
            rows.Select(row => row.Held.Value).ToArray(),
            rows.Select(row => row.BalanceAfter.Value).ToArray(),
            rows.Select(row => row.HeldAfter.Value).ToArray(),
            set.Now);
    }

    private void AddHolds(NpgsqlBatch batch)
    {
        var opened = _book.NewHolds.ToArray();
        if (opened.Length > 0)
        {
            batch.Add("""
                insert into hold (transfer_id, account_id, remaining_minor, state, expires_at)
                select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::smallint[], $5::timestamptz[])
                """,
                Ids(opened.Select(hold => hold.Id)),
                opened.Select(hold => hold.Account.Value).ToArray(),
                opened.Select(hold => hold.Remaining.Value).ToArray(),
                opened.Select(hold => (short)hold.State).ToArray(),
                opened.Select(hold => hold.ExpiresAt).ToArray());
        }

        var changed = _book.ChangedHolds.ToArray();
        if (changed.Length > 0)
        {
            batch.Add("""
                update hold h set remaining_minor = u.remaining_minor, state = u.state
                from unnest($1::uuid[], $2::bigint[], $3::smallint[]) as u (id, remaining_minor, state)
                where h.transfer_id = u.id
                """,
                Ids(changed.Select(hold => hold.Id)),
                changed.Select(hold => hold.Remaining.Value).ToArray(),
                changed.Select(hold => (short)hold.State).ToArray());
        }
    }
}

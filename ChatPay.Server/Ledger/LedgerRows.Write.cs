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
        AddRefunded(batch);
        AddAccountChanges(batch);
    }

    private void AddAccounts(NpgsqlBatch batch)
    {
        var opened = _book.Opened.ToArray();
        if (opened.Length > 0)
        {
            batch.Add("""
                insert into ledger_account (id, owner_id, system_name, asset, guarded, balance_minor, held_minor,
                    version, state, last_entry_at, created_at)
                select id, owner_id, system_name, asset, guarded, balance_minor, held_minor, version, state,
                    last_entry_at, $11
                from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[], $6::bigint[], $7::bigint[],
                    $8::bigint[], $9::smallint[], $10::timestamptz[])
                    as a (id, owner_id, system_name, asset, guarded, balance_minor, held_minor, version, state,
                        last_entry_at)
                """,
                opened.Select(account => account.Id.Value).ToArray(),
                opened.Select(account => account.Owner.Account?.Value).ToArray(),
                opened.Select(account => account.Owner.System).ToArray(),
                opened.Select(account => account.Asset.Value).ToArray(),
                opened.Select(account => account.Guarded).ToArray(),
                opened.Select(account => account.Balance.Value).ToArray(),
                opened.Select(account => account.Held.Value).ToArray(),
                opened.Select(account => account.Version).ToArray(),
                opened.Select(account => (short)account.State).ToArray(),
                opened.Select(account => account.LastEntryAt).ToArray(),
                set.Now);
        }

        var changed = _book.Changed.ToArray();
        if (changed.Length > 0)
        {
            batch.Add("""
                update ledger_account a
                set balance_minor = u.balance_minor, held_minor = u.held_minor, version = u.version, state = u.state,
                    last_entry_at = u.last_entry_at
                from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::timestamptz[])
                    as u (id, balance_minor, held_minor, version, state, last_entry_at)
                where a.id = u.id
                """,
                changed.Select(account => account.Id.Value).ToArray(),
                changed.Select(account => account.Balance.Value).ToArray(),
                changed.Select(account => account.Held.Value).ToArray(),
                changed.Select(account => account.Version).ToArray(),
                changed.Select(account => (short)account.State).ToArray(),
                changed.Select(account => account.LastEntryAt).ToArray());
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
                status, payload_hash, created_at, debit_version, credit_version, asked_minor, refund_of, group_id,
                group_index, group_size)
            select id, kind, debit_id, credit_id, amount_minor, asset, hold_id, card_id, actor_id,
                status, payload_hash, created_at, debit_version, credit_version, asked_minor, refund_of, group_id,
                group_index, group_size
            from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::uuid[],
                $8::uuid[], $9::uuid[], $10::integer[], $11::bytea[], $12::timestamptz[], $13::bigint[],
                $14::bigint[], $15::bigint[], $16::uuid[], $17::uuid[], $18::smallint[], $19::smallint[])
                with ordinality
                as t (id, kind, debit_id, credit_id, amount_minor, asset, hold_id, card_id, actor_id,
                    status, payload_hash, created_at, debit_version, credit_version, asked_minor, refund_of, group_id,
                    group_index, group_size, position)
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
            rows.Select(row => row.At).ToArray(),
            rows.Select(row => row.DebitVersion).ToArray(),
            rows.Select(row => row.CreditVersion).ToArray(),
            rows.Select(row => row.AskedMinor).ToArray(),
            rows.Select(row => row.Command.RefundOf?.Value).ToArray(),
            rows.Select(row => row.Command.Group?.Group.Value).ToArray(),
            rows.Select(row => (short?)row.Command.Group?.Index).ToArray(),
            rows.Select(row => (short?)row.Command.Group?.Size).ToArray());
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
            select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[],
                $7::bigint[], $8::timestamptz[])
            """,
            rows.Select(row => row.Account.Value).ToArray(),
            rows.Select(row => row.Version).ToArray(),
            rows.Select(row => row.Transfer.Value).ToArray(),
            rows.Select(row => row.Posted.Value).ToArray(),
            rows.Select(row => row.Held.Value).ToArray(),
            rows.Select(row => row.BalanceAfter.Value).ToArray(),
            rows.Select(row => row.HeldAfter.Value).ToArray(),
            rows.Select(row => row.At).ToArray());
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

    private void AddRefunded(NpgsqlBatch batch)
    {
        var rows = _book.Refunded.ToArray();
        if (rows.Length > 0)
        {
            batch.Add("""
                insert into refunded (transfer_id, account_id, captured_minor, refunded_minor)
                select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
                on conflict (transfer_id) do update set refunded_minor = excluded.refunded_minor
                """,
                Ids(rows.Select(row => row.Original)),
                rows.Select(row => row.Account.Value).ToArray(),
                rows.Select(row => row.Captured.Value).ToArray(),
                rows.Select(row => row.Refunded.Value).ToArray());
        }
    }

    private void AddAccountChanges(NpgsqlBatch batch)
    {
        var rows = _book.AccountChanges;
        if (rows.Count == 0)
        {
            return;
        }

        batch.Add("""
            insert into ledger_account_change (id, account_id, kind, status, actor_id, reason, payload_hash, created_at)
            select id, account_id, kind, status, actor_id, reason, payload_hash, created_at
            from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::integer[], $5::uuid[], $6::text[], $7::bytea[],
                $8::timestamptz[]) with ordinality
                as c (id, account_id, kind, status, actor_id, reason, payload_hash, created_at, position)
            order by position
            """,
            rows.Select(row => row.Change.Id.Value).ToArray(),
            rows.Select(row => row.Change.Account.Value).ToArray(),
            rows.Select(row => (short)row.Change.Kind).ToArray(),
            rows.Select(row => (int)row.Status).ToArray(),
            rows.Select(row => row.Change.Actor?.Value).ToArray(),
            rows.Select(row => row.Change.Reason).ToArray(),
            rows.Select(row => row.Payload.ToArray()).ToArray(),
            rows.Select(row => row.At).ToArray());
    }
}

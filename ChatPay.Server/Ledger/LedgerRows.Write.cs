using ChatPay.Core.Ledger;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Ledger;

internal sealed partial class LedgerRows
{
    /// <summary>The place of a transfer among all is its batch's number and its own within it, in one number.</summary>
    private const long SeqsPerBatch = 1 << 20;

    public override void AddWrites(NpgsqlBatch batch)
    {
        AddOpened(batch);
        AddTransfers(batch);
        AddEntries(batch);
        AddNewHolds(batch);
    }

    /// <summary>
    /// What changes rows that an earlier batch may be writing: it would be lost, or undone, if it came first. And the
    /// changes of accounts, which are numbered as they are inserted: each under the lock of its account's row.
    /// </summary>
    public override void AddLastWrites(NpgsqlBatch batch)
    {
        AddChangedAccounts(batch);
        AddChangedHolds(batch);
        AddRefunded(batch);
        AddAccountChanges(batch);
    }

    /// <summary>
    /// In the order of their ids, so that two nodes never wait for each other in a circle. A version or state that is not
    /// the one decided on is another node's doing; then the transaction fails and is tried again with locks.
    /// </summary>
    private void AddChangedAccounts(NpgsqlBatch batch)
    {
        LedgerAccountStep[] changed = [.. _book.Changed.Concat(Reaffirmed()).OrderBy(step => step.Now.Id.Value)];
        if (changed.Length > 0)
        {
            batch.Add("""
                with written as (
                    update ledger_account a
                    set balance_minor = u.balance_minor, held_minor = u.held_minor, version = u.version,
                        state = u.state, last_entry_at = u.last_entry_at
                    from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[],
                        $6::timestamptz[], $7::bigint[], $8::smallint[])
                        as u (id, balance_minor, held_minor, version, state, last_entry_at, old_version, old_state)
                    where a.id = u.id and a.version = u.old_version and a.state = u.old_state
                    returning 1
                )
                select expect_rows((select count(*) from written), $9)
                """,
                changed.Select(step => step.Now.Id.Value).ToArray(),
                changed.Select(step => step.Now.Balance.Value).ToArray(),
                changed.Select(step => step.Now.Held.Value).ToArray(),
                changed.Select(step => step.Now.Version).ToArray(),
                changed.Select(step => (short)step.Now.State).ToArray(),
                changed.Select(step => step.Now.LastEntryAt).ToArray(),
                changed.Select(step => step.Before.Version).ToArray(),
                changed.Select(step => (short)step.Before.State).ToArray(),
                (long)changed.Length);
        }

        // A rejection changes no account, but it must be right about the one it looked at.
        LedgerAccount[] unchanged = set.Locks ? [] : [.. _book.Unchanged];
        if (unchanged.Length > 0)
        {
            batch.Add("""
                select expect_rows(count(a.id), $4)
                from unnest($1::uuid[], $2::bigint[], $3::smallint[]) as u (id, version, state)
                join ledger_account a on a.id = u.id and a.version = u.version and a.state = u.state
                """,
                unchanged.Select(account => account.Id.Value).ToArray(),
                unchanged.Select(account => account.Version).ToArray(),
                unchanged.Select(account => (short)account.State).ToArray(),
                (long)unchanged.Length);
        }
    }

    /// <summary>
    /// Accounts that were given the state they had, such as a frozen one that is frozen again. They are written as they
    /// were, for the lock: no change of another node comes between that decision and its number.
    /// </summary>
    private IEnumerable<LedgerAccountStep> Reaffirmed()
    {
        var named = _book.AccountChanges
            .Where(row => row.Status == LedgerStatus.Applied).Select(row => row.Change.Account).ToHashSet();
        return named.Count == 0
            ? []
            : _book.Unchanged.Where(account => named.Contains(account.Id))
                .Select(account => new LedgerAccountStep(account, account));
    }

    private void AddOpened(NpgsqlBatch batch)
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
    }

    private void AddTransfers(NpgsqlBatch batch)
    {
        var rows = _book.Transfers;
        if (rows.Count == 0)
        {
            return;
        }

        batch.Add("""
            insert into transfer (seq, id, kind, debit_id, credit_id, amount_minor, asset, hold_id, card_id, actor_id,
                status, payload_hash, created_at, debit_version, credit_version, asked_minor, refund_of, group_id,
                group_index, group_size)
            select $20 + position, id, kind, debit_id, credit_id, amount_minor, asset, hold_id, card_id, actor_id,
                status, payload_hash, created_at, debit_version, credit_version, asked_minor, refund_of, group_id,
                group_index, group_size
            from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::uuid[],
                $8::uuid[], $9::uuid[], $10::integer[], $11::bytea[], $12::timestamptz[], $13::bigint[],
                $14::bigint[], $15::bigint[], $16::uuid[], $17::uuid[], $18::smallint[], $19::smallint[])
                with ordinality
                as t (id, kind, debit_id, credit_id, amount_minor, asset, hold_id, card_id, actor_id,
                    status, payload_hash, created_at, debit_version, credit_version, asked_minor, refund_of, group_id,
                    group_index, group_size, position)
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
            rows.Select(row => (short?)row.Command.Group?.Size).ToArray(),
            checked(_batchNumber * SeqsPerBatch));
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

    private void AddNewHolds(NpgsqlBatch batch)
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
    }

    /// <summary>The account's version guards its holds; all that can be wrong here is that one is not there.</summary>
    private void AddChangedHolds(NpgsqlBatch batch)
    {
        var changed = _book.ChangedHolds.ToArray();
        if (changed.Length > 0)
        {
            batch.Add("""
                with written as (
                    update hold h set remaining_minor = u.remaining_minor, state = u.state
                    from unnest($1::uuid[], $2::bigint[], $3::smallint[]) as u (id, remaining_minor, state)
                    where h.transfer_id = u.id
                    returning 1
                )
                select expect_rows((select count(*) from written), $4)
                """,
                Ids(changed.Select(hold => hold.Id)),
                changed.Select(hold => hold.Remaining.Value).ToArray(),
                changed.Select(hold => (short)hold.State).ToArray(),
                (long)changed.Length);
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

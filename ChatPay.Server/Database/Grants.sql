-- What the server may do, table by table: select where it reads, insert where it adds, update of the columns it changes
-- and delete where it removes. What is not named here it may not. The owner of the tables applies this after the
-- migrations, from nothing, whenever it was not applied yet; a table that a migration adds is added here.
--
-- chatpay_server stands for the role that Database:ServerRole names.

do $$
declare
    home oid := (select relnamespace from pg_class where oid = 'schema_migration'::regclass);
    mine record;
begin
    for mine in
        select oid::regclass as name from pg_class
        where relnamespace = home and relkind in ('r', 'p', 'v', 'm', 'S') and pg_has_role(relowner, 'usage')
    loop
        execute format('revoke all on table %s from chatpay_server', mine.name);
    end loop;
    execute format('grant usage on schema %s to chatpay_server', home::regnamespace);
end
$$;

grant select on schema_migration to chatpay_server;
grant select, insert, update (id, system_identifier, timeline, renewed_at) on lineage to chatpay_server;

grant select, insert, update (display_name, password_hash, opened_at, presence, last_seen_at) on account to chatpay_server;
grant select, insert, update (name, last_seen_at, recognition_hash, revoked_at, dropped_at, approved_at)
    on device to chatpay_server;
grant select, insert, update (last_used_at, expires_at, revoked_at), delete on session to chatpay_server;

-- A package is locked while it is claimed, and a lock needs the right to update something.
grant select, insert, update (uploaded_at), delete on key_package to chatpay_server;
grant select, insert, delete on key_package_spent to chatpay_server;

grant select, insert, update (head, epoch, first_seq, retention_days, oldest_at) on conversation to chatpay_server;
grant select, insert, update (role, joined_seq, left_seq, changed_xid) on member to chatpay_server;
grant select, insert, delete on leaf to chatpay_server;
-- Removed only below the first_seq of its conversation, which a trigger watches.
grant select, insert, delete on event to chatpay_server;
grant select, insert, delete on group_info to chatpay_server;
grant select, insert, update (delivered, read) on receipt to chatpay_server;
grant select, insert, delete on receipt_round to chatpay_server;
grant select, insert, delete on device_message to chatpay_server;
grant select, insert, delete on device_message_sent to chatpay_server;

-- Money: whose an account is, in what asset and under which floor never changes; transfers, entries and changes of
-- accounts are only added.
grant select, insert on asset to chatpay_server;
grant select, insert, update (balance_minor, held_minor, version, state, last_entry_at) on ledger_account to chatpay_server;
grant select, insert on ledger_account_change to chatpay_server;
grant select, insert on transfer to chatpay_server;
-- The ledger log looks how far the numbers have come.
grant select, usage on sequence ledger_batch to chatpay_server;
grant select, insert on entry to chatpay_server;
grant select on statement to chatpay_server;
grant select, insert, update (remaining_minor, state) on hold to chatpay_server;
grant select, insert, update (refunded_minor) on refunded to chatpay_server;

-- A card's terms never change.
grant select, insert, update (state, version, closed_at, answered, paid_minor, refunded_minor, settlement_id, reminded_at,
    period_start, period_minor) on card to chatpay_server;
grant select, insert, update (state, at) on card_part to chatpay_server;
grant select, insert on card_action to chatpay_server;
grant select, insert, update (scanned_by), delete on pay_code to chatpay_server;
grant select, insert, update (spent_until) on request_allowance to chatpay_server;
grant select, insert on card_authorisation to chatpay_server;
grant select on card_authorisation_since to chatpay_server;

-- Entries and leaves of the key log are only added; the log takes an entry in by giving it its place. Leaves and tiles are
-- removed where a restored database begins another log.
grant select, insert, update (length, head, identity_keys) on key_chain to chatpay_server;
grant select, insert, update (leaf_index) on key_entry to chatpay_server;
grant select, insert, update (number, size, root, note) on key_log to chatpay_server;
grant select, insert, delete on key_log_leaf to chatpay_server;
grant select, insert, update (hashes), delete on key_log_tile to chatpay_server;
grant select, insert, update (revision, wrapped) on wrapped_keys to chatpay_server;

-- The same of the ledger log.
grant select, insert, update (number, size, root, note, next_seq) on ledger_log to chatpay_server;
grant select, insert, delete on ledger_log_leaf to chatpay_server;
grant select, insert, update (hashes), delete on ledger_log_tile to chatpay_server;

-- An archive is added to, chunk by chunk, and deleted as a whole.
grant select, insert, update (bytes), delete on archive to chatpay_server;
grant select, insert, update (chunks), delete on archive_stream to chatpay_server;
grant select, insert, delete on archive_chunk to chatpay_server;

-- What a payment by card cost PostgreSQL beyond what it writes.

-- Only the newest ranges are looked for, and those are the ones that a BRIN index has not summed up yet: each look for what
-- the ledger log lacks read all transfers since the last vacuum.
drop index transfer_by_seq;
create unique index transfer_by_seq on transfer (seq);

-- Each of these is written from rows that were loaded or written by the same transaction, and what they refer to is never
-- deleted (Grants.sql): to look each up once more, and lock its row, cost a sixth of the payment. `ledger verify` finds what
-- refers to nothing.
alter table card
    drop constraint card_asset_fkey,
    drop constraint card_author_id_fkey,
    drop constraint card_conversation_id_fkey,
    drop constraint card_hold_id_fkey,
    drop constraint card_payee_id_fkey,
    drop constraint card_payer_id_fkey,
    drop constraint card_settlement_id_fkey;
alter table card_action drop constraint card_action_actor_id_fkey;
alter table card_authorisation
    drop constraint card_authorisation_card_id_fkey,
    drop constraint card_authorisation_device_id_fkey;
alter table hold
    drop constraint hold_account_id_fkey,
    drop constraint hold_transfer_id_fkey;

-- Nothing is looked for by these.
drop index card_by_conversation;
drop index transfer_by_hold;

-- Nothing looks into these: they are kept as they were written and handed out again.
alter table card_action alter column reply type text;
alter table event alter column data type text;

-- The same rule as before for all transfers of a statement at once. What was signed is written before what it is for. Each is
-- looked up by itself, in a subquery that no plan turns into a join over the whole table.
drop trigger transfer_is_authorised on transfer;
drop function require_authorisation();
create function require_authorisation() returns trigger language plpgsql as $$
declare
    bare record;
begin
    select id, card_id into bare from written t
    where card_id is not null and status = 0 and kind in (1, 2, 6)
        and (select transfer_id from card_authorisation a where a.transfer_id = t.id) is null
        -- What is drawn on a mandate was signed for when that was posted.
        and (select 1 from card c join card_authorisation a on a.card_id = c.id
            where c.id = t.card_id and c.kind = 5 and t.kind = 1 and t.amount_minor <= c.amount_minor limit 1) is null
    limit 1;
    if found then
        raise exception 'transfer % of card % has no authorisation', bare.id, bare.card_id
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end
$$;
create trigger transfer_is_authorised after insert on transfer referencing new table as written
    for each statement execute function require_authorisation();

-- Linked groups, refunds, balancing transfers, accounts that can be frozen and closed, and from each transfer the way to
-- its entries.

alter table ledger_account
    -- 1 open, 2 frozen: nothing leaves, 3 closed for good.
    add column state            smallint not null default 1 check (state in (1, 2, 3)),
    -- Of the newest entry: no later entry is older. Null before the first.
    add column last_entry_at    timestamptz;
update ledger_account a set last_entry_at = e.last_entry_at
from (select account_id, max(created_at) as last_entry_at from entry group by account_id) e
where e.account_id = a.id;
alter table ledger_account
    add constraint closed_is_empty check (state <> 3 or (balance_minor = 0 and held_minor = 0)),
    add constraint entries_have_a_time check ((version = 0) = (last_entry_at is null));

alter table transfer
    -- The versions of its entries; null where nothing was applied, and where the kind has no credit.
    add column debit_version    bigint,
    add column credit_version   bigint,
    -- Of a balancing transfer: what was asked, beside what moved.
    add column asked_minor      bigint,
    -- Of a refund: the movement it gives back.
    add column refund_of        uuid,
    -- Its place in a linked group, from 0, and how many there are.
    add column group_id         uuid,
    add column group_index      smallint,
    add column group_size       smallint,
    drop constraint transfer_kind_check,
    drop constraint transfer_check,
    drop constraint transfer_check1;

-- The one time that rows of transfers change: what their entries say is written beside them.
alter table transfer disable trigger transfer_insert_only;
update transfer t set debit_version = d.version, credit_version = c.version
from entry d left join entry c on c.transfer_id = d.transfer_id and c.account_id <> d.account_id
where t.status = 0 and d.transfer_id = t.id and d.account_id = t.debit_id;
alter table transfer enable trigger transfer_insert_only;

-- 6 refund, 7 balancing transfer, 8 capture of all that remains.
alter table transfer
    add constraint kind_is_known check (kind between 1 and 8),
    add constraint credit_by_kind check ((kind in (1, 3, 6, 7, 8)) = (credit_id is not null)),
    add constraint hold_by_kind check ((kind in (3, 4, 5, 8)) = (hold_id is not null)),
    add constraint refund_by_kind check ((kind = 6) = (refund_of is not null)),
    add constraint asked_by_kind check ((kind = 7) = (asked_minor is not null)),
    add constraint moved_at_most_asked check (status <> 0 or asked_minor is null or amount_minor <= asked_minor),
    add constraint applied_has_debit_entry check ((status = 0) = (debit_version is not null)),
    add constraint applied_has_credit_entry
        check ((status = 0 and credit_id is not null) = (credit_version is not null)),
    add constraint group_parts check (num_nulls(group_id, group_index, group_size) in (0, 3)),
    add constraint group_place check (group_size between 1 and 128 and group_index between 0 and group_size - 1);

-- A group's id is used once, whatever its members are.
create unique index transfer_by_group on transfer (group_id, group_index) where group_id is not null;
create index transfer_by_refund on transfer (refund_of) where refund_of is not null;

-- An entry is found from its transfer through (debit_id, debit_version) and (credit_id, credit_version).
drop index entry_by_transfer;

-- What has gone back of a movement. Guarded by the row lock of the account that received it and refunds.
create table refunded (
    transfer_id     uuid primary key references transfer,
    account_id      uuid not null references ledger_account,
    captured_minor  bigint not null check (captured_minor > 0),
    refunded_minor  bigint not null check (refunded_minor > 0),
    check (refunded_minor <= captured_minor)
);

create table ledger_account_change (
    id              uuid primary key,
    seq             bigint generated always as identity unique,
    -- No foreign key: a rejection may name an account that does not exist.
    account_id      uuid not null,
    -- 1 freeze, 2 unfreeze, 3 close.
    kind            smallint not null check (kind in (1, 2, 3)),
    -- 0 applied, otherwise the number of the error that rejected it; final either way.
    status          integer not null check (status = 0 or status between 4001 and 4999),
    -- Null for the operator.
    actor_id        uuid,
    reason          text not null check (char_length(reason) between 1 and 200),
    payload_hash    bytea not null check (octet_length(payload_hash) = 32),
    created_at      timestamptz not null
);
create index ledger_account_change_by_account on ledger_account_change (account_id, seq);
create trigger ledger_account_change_insert_only before update or delete or truncate on ledger_account_change
    for each statement execute function refuse_change();

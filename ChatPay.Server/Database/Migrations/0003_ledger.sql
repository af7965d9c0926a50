-- The double-entry ledger. Every rule that Core decides is stated here again.

create table asset (
    code            text primary key check (code ~ '^[A-Z][A-Z0-9]{2,11}$'),
    exponent        smallint not null check (exponent between 0 and 9),
    kind            smallint not null check (kind in (1, 2)),
    unique (code, exponent)
);

create table ledger_account (
    id              uuid primary key,
    -- The account that owns it; null for the system's own.
    owner_id        uuid references account,
    -- The system account's name, such as 'sandbox'; null for people's.
    system_name     text,
    asset           text not null references asset,
    -- A guarded account never owes: 0 <= held <= balance. System accounts may go below zero.
    guarded         boolean not null,
    balance_minor   bigint not null default 0,
    held_minor      bigint not null default 0,
    version         bigint not null default 0 check (version >= 0),
    created_at      timestamptz not null default now(),
    check ((owner_id is null) <> (system_name is null)),
    check (held_minor >= 0),
    check (not guarded or held_minor <= balance_minor),
    unique (owner_id, asset),
    unique (system_name, asset)
) with (fillfactor = 70);

create table transfer (
    id              uuid primary key,
    seq             bigint generated always as identity unique,
    kind            smallint not null check (kind between 1 and 5),
    -- No foreign keys here: a rejection names accounts, holds and assets that may not exist. What was applied has
    -- entries, and those refer to real accounts.
    debit_id        uuid not null,
    -- Of a transfer or capture: who receives. A hold names no payee; each capture does.
    credit_id       uuid,
    -- What moved; of a rejection, what was asked.
    amount_minor    bigint not null,
    asset           text not null,
    -- For capture, release and expire: the hold they act on.
    hold_id         uuid,
    card_id         uuid,
    actor_id        uuid,
    -- 0 applied, otherwise the number of the error that rejected it; final either way.
    status          integer not null check (status = 0 or status between 4001 and 4999),
    payload_hash    bytea not null check (octet_length(payload_hash) = 32),
    created_at      timestamptz not null,
    check ((kind in (1, 3)) = (credit_id is not null)),
    check ((kind in (3, 4, 5)) = (hold_id is not null)),
    check (status <> 0 or amount_minor > 0),
    check (status <> 0 or debit_id <> credit_id)
);
create index transfer_by_card on transfer (card_id) where card_id is not null;
create index transfer_by_hold on transfer (hold_id) where hold_id is not null;

create table entry (
    account_id          uuid not null references ledger_account,
    version             bigint not null check (version >= 1),
    transfer_id         uuid not null references transfer,
    posted_minor        bigint not null,
    held_minor          bigint not null,
    balance_after_minor bigint not null,
    held_after_minor    bigint not null check (held_after_minor >= 0),
    created_at          timestamptz not null,
    primary key (account_id, version),
    check (posted_minor <> 0 or held_minor <> 0)
);
create index entry_by_transfer on entry (transfer_id);

-- What has been written stays as it was written, whatever role the server connects as. Balances are rebuilt from it.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'rows of % are only ever added', tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger transfer_insert_only before update or delete or truncate on transfer
    for each statement execute function refuse_change();
create trigger entry_insert_only before update or delete or truncate on entry
    for each statement execute function refuse_change();

-- Guarded by the row lock of its account, like the account's own balance.
create table hold (
    transfer_id     uuid primary key references transfer,
    account_id      uuid not null references ledger_account,
    remaining_minor bigint not null check (remaining_minor >= 0),
    -- 1 open, 2 captured, 3 released, 4 expired.
    state           smallint not null check (state in (1, 2, 3, 4)),
    expires_at      timestamptz not null,
    check ((state = 1) = (remaining_minor > 0))
);
create index hold_by_account on hold (account_id) where state = 1;

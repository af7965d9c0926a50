-- Codes that are shown to be scanned: one payment, or one asking.

create table pay_code (
    -- Of what is shown: who reads the table can show nobody's code.
    code_hash       bytea primary key check (octet_length(code_hash) = 32),
    owner_id        uuid not null references account,
    -- 1 the owner is to be paid, 2 the owner pays.
    kind            smallint not null check (kind in (1, 2)),
    amount_minor    bigint check (amount_minor > 0),
    asset           text references asset,
    created_at      timestamptz not null default now(),
    expires_at      timestamptz not null,
    scanned_by      uuid references account,
    check ((kind = 1) = (amount_minor is not null)),
    check ((amount_minor is null) = (asset is null)),
    check (scanned_by <> owner_id)
);
create index pay_code_by_owner on pay_code (owner_id, expires_at);
create index pay_code_by_end on pay_code (expires_at);

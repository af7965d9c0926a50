-- Accounts, their devices, sessions and MLS key packages.

create table lineage (
    -- One row: which history this database tells. A restored backup gets a new one, and clients drop their cursors.
    only_row            boolean primary key default true check (only_row),
    id                  uuid not null,
    system_identifier   text not null,
    timeline            bigint not null,
    renewed_at          timestamptz not null default now()
);

create table account (
    id              uuid primary key,
    handle          text not null unique check (handle ~ '^[a-z0-9_]{3,32}$'),
    -- The handle with look-alike letters folded together, so that no two accounts can be mistaken for one another.
    skeleton        text not null unique,
    display_name    text not null check (char_length(display_name) between 1 and 64),
    password_hash   text not null,
    created_at      timestamptz not null default now()
);

create table device (
    id              uuid primary key,
    account_id      uuid not null references account,
    name            text not null check (char_length(name) between 1 and 64),
    signature_key   bytea not null check (octet_length(signature_key) = 32),
    created_at      timestamptz not null default now(),
    last_seen_at    timestamptz not null default now(),
    revoked_at      timestamptz
);
create index device_by_account on device (account_id) where revoked_at is null;

create table session (
    -- SHA-256 of the 256-bit token; the token itself is never stored.
    token_hash      bytea primary key check (octet_length(token_hash) = 32),
    device_id       uuid not null references device,
    created_at      timestamptz not null default now(),
    last_used_at    timestamptz not null default now(),
    expires_at      timestamptz not null,
    revoked_at      timestamptz
);
create index session_by_device on session (device_id) where revoked_at is null;

create table key_package (
    -- KeyPackageRef, RFC 9420 section 5.2.
    ref             bytea primary key check (octet_length(ref) = 32),
    device_id       uuid not null references device,
    body            bytea not null check (octet_length(body) <= 4096),
    last_resort     boolean not null default false,
    not_after       timestamptz not null,
    uploaded_at     timestamptz not null default now()
);
create index key_package_by_device on key_package (device_id, uploaded_at) where not last_resort;
create unique index key_package_last_resort on key_package (device_id) where last_resort;
create index key_package_by_expiry on key_package (not_after);

create table key_package_spent (
    -- Refs of packages that were handed out, until they expire anyway: a repeated upload must not bring one back.
    ref             bytea primary key check (octet_length(ref) = 32),
    not_after       timestamptz not null
);
create index key_package_spent_by_expiry on key_package_spent (not_after);

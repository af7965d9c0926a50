-- The key log: chains of accounts, the tree over their leaves, and what the log last signed.

alter table device
    -- Since when the device is in its account's chain; null for one that no identity key vouches for.
    add column approved_at timestamptz;

create table key_chain (
    account_id      uuid primary key references account,
    length          bigint not null check (length > 0),
    -- The hash of the last entry.
    head            bytea not null check (octet_length(head) = 32),
    -- Since the last reset; the one in force is the last of them.
    identity_keys   bytea[] not null check (cardinality(identity_keys) > 0)
);

create table key_entry (
    account_id      uuid not null references key_chain deferrable initially deferred,
    sequence        bigint not null check (sequence >= 0),
    entry           bytea not null check (octet_length(entry) between 1 and 512),
    -- Shown with the entry to those who may see it; without it nobody tells whose a leaf is.
    salt            bytea not null check (octet_length(salt) = 32),
    position        bigint generated always as identity,
    -- Its place in the log, once the log has taken it.
    leaf_index      bigint check (leaf_index >= 0),
    added_at        timestamptz not null default now(),
    primary key (account_id, sequence)
);
create index key_entry_waiting on key_entry (position) where leaf_index is null;

create table key_log (
    -- One row. A database that is behind what was signed begins another log, under the next number.
    only_row        boolean primary key default true check (only_row),
    verifier_key    bytea not null check (octet_length(verifier_key) = 32),
    number          integer not null default 1 check (number > 0),
    size            bigint not null default 0 check (size >= 0),
    root            bytea not null check (octet_length(root) = 32),
    note            text not null
);

create table key_log_leaf (
    index           bigint primary key check (index >= 0),
    leaf            bytea not null check (octet_length(leaf) = 32)
);

create table key_log_tile (
    level           smallint not null check (level between 0 and 7),
    index           bigint not null check (index >= 0),
    -- The hashes that are final, one after the other: 1 to 256 of them.
    hashes          bytea not null check (octet_length(hashes) % 32 = 0 and octet_length(hashes) between 32 and 8192),
    primary key (level, index)
);

create table wrapped_keys (
    -- An account's keys, wrapped by the root secret that its PIN brings back.
    account_id      uuid primary key references account,
    revision        bigint not null check (revision > 0),
    wrapped         bytea not null check (octet_length(wrapped) = 94)
);

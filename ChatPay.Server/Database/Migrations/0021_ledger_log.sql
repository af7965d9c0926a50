-- The ledger log: the tree over applied transfers, in the order in which they were decided, and what it last signed.

create table ledger_log (
    -- One row. A database that is behind what was signed begins another log, under the next number.
    only_row        boolean primary key default true check (only_row),
    verifier_key    bytea not null check (octet_length(verifier_key) = 32),
    number          integer not null default 1 check (number > 0),
    size            bigint not null default 0 check (size >= 0),
    root            bytea not null check (octet_length(root) = 32),
    note            text not null,
    -- Every applied transfer with a seq below this is in the log, and no more of them can come.
    next_seq        bigint not null default 0 check (next_seq >= 0)
);

create table ledger_log_leaf (
    index           bigint primary key check (index >= 0),
    -- Sealed once. No foreign key: checking it would lock, and so write, the row of every transfer.
    transfer_id     uuid not null unique,
    leaf            bytea not null check (octet_length(leaf) = 32)
);

create table ledger_log_tile (
    level           smallint not null check (level between 0 and 7),
    index           bigint not null check (index >= 0),
    -- The hashes that are final, one after the other: 1 to 256 of them.
    hashes          bytea not null check (octet_length(hashes) % 32 = 0 and octet_length(hashes) between 32 and 8192),
    primary key (level, index)
);
-- Hashes do not compress.
alter table ledger_log_tile alter column hashes set storage external;

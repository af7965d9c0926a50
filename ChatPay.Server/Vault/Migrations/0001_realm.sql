-- One realm of the PIN vault, in a schema or a database of its own. Nothing here refers to another table of the server:
-- a realm can be run by somebody who has none of them.

-- Which realm this is, and which database of that realm. `beat` only ever grows, and beside the realm's key file it is noted
-- how far it has come: a database that is behind that was restored from a backup, with the guesses of that day, and begins
-- another lineage.
create table realm (
    only_row boolean primary key default true check (only_row),
    id uuid not null,
    database uuid not null,
    lineage uuid not null,
    beat bigint not null default 0 check (beat >= 0)
);

-- What the realm keeps of an account, sealed under its key. The counter stands beside it, because it is counted by
-- PostgreSQL itself before anything is opened.
create table vault_record (
    account_id uuid primary key,
    version uuid not null,
    -- Null once the guesses are used up: then the record is destroyed, and the row says so.
    sealed bytea check (octet_length(sealed) between 1 and 4096),
    max_guesses smallint not null check (max_guesses between 1 and 10),
    used smallint not null default 0 check (used between 0 and max_guesses),
    -- Attempts ever counted for this version.
    attempts integer not null default 0 check (attempts >= used),
    lineage uuid not null,
    registered_at timestamptz not null default now()
);

create index vault_record_used_up on vault_record (account_id) where sealed is not null and used = max_guesses;

-- Every guess that was counted, for the person to see. 0 open, 1 succeeded, 2 failed.
create table vault_attempt (
    id uuid primary key,
    account_id uuid not null,
    version uuid not null,
    device_id uuid not null,
    at timestamptz not null default now(),
    outcome smallint not null default 0 check (outcome between 0 and 2),
    -- Whether its guess is among the `used` ones of its record: not once failures were cleared, and then its success gives
    -- none back.
    counts boolean not null default true
);

create index vault_attempt_of_account on vault_attempt (account_id, at desc, id desc);
create index vault_attempt_by_age on vault_attempt (at);

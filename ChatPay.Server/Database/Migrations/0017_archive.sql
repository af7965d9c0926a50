-- The archives of those who keep one: chunks that only the account's own devices can read.

create table archive (
    account_id      uuid primary key references account,
    -- Made of the archive's key by the device that turned it on: another key is another archive.
    archive_id      uuid not null,
    -- Of all its chunks. Whoever adds one locks this row first, so that it is always right.
    bytes           bigint not null default 0 check (bytes >= 0)
);

create table archive_stream (
    account_id      uuid not null references archive,
    device_id       uuid not null references device,
    -- How many there are; the next one has this number.
    chunks          bigint not null check (chunks > 0),
    primary key (account_id, device_id)
);

create table archive_chunk (
    account_id      uuid not null,
    device_id       uuid not null,
    number          bigint not null check (number >= 0),
    -- 29 bytes more than 1, 2, 4, … 64 KiB: the bytes that an account may keep bound its rows too.
    sealed          bytea not null check (octet_length(sealed) in (1053, 2077, 4125, 8221, 16413, 32797, 65565)),
    primary key (account_id, device_id, number),
    -- A device's first chunk comes with its stream.
    foreign key (account_id, device_id) references archive_stream deferrable initially deferred
);
-- What is encrypted does not get smaller.
alter table archive_chunk alter column sealed set storage external;

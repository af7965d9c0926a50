-- What the account's devices are to hear of guesses and waits, of a realm that is a process of its own: its server comes for
-- it. Kept for minutes. A realm in the server tells by itself and writes nothing here.
create table vault_news (
    -- By the transaction: everything below the oldest one that runs is there, however late it was committed.
    xid xid8 not null default pg_current_xact_id(),
    number bigint generated always as identity,
    account_id uuid not null,
    device_id uuid not null,
    -- When the guess was counted, or the wait's end.
    at timestamptz not null,
    -- Null for a guess.
    wait_id uuid,
    -- The guess's outcome, or what has become of the wait.
    state smallint not null check (state between 0 and 2),
    told_at timestamptz not null default now(),
    primary key (xid, number)
);

create index vault_news_by_age on vault_news (told_at);

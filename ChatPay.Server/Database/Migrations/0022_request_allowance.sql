-- How often somebody may ask others for money, counted once for all nodes.

create table request_allowance (
    account_id      uuid primary key references account,
    -- When all that was asked for so far is paid off; each person asked moves it on by the same time.
    spent_until     timestamptz not null
);

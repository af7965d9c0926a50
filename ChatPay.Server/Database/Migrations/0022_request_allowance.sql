-- How often somebody may ask others for money, counted once for all nodes; and when a mandate was last drawn on in vain.

create table request_allowance (
    account_id      uuid primary key references account,
    -- When all that was asked for so far is paid off; each person asked moves it on by the same time.
    spent_until     timestamptz not null
);

-- Draws for which there was not enough (insufficient_funds).
create index card_action_without_funds on card_action (card_id, created_at) where status = 4006;

-- Splits, packets, mandates, transfers that arrive by themselves, and what is given back.

alter table card
    -- Terms of the kind, as the protocol's plan; null where it has none.
    add column plan             jsonb,
    -- Of a split the shares that are answered, of a packet those that are taken.
    add column answered         integer not null default 0 check (answered >= 0),
    -- What these came to; of a mandate what was drawn.
    add column paid_minor       bigint not null default 0 check (paid_minor >= 0),
    add column refunded_minor   bigint not null default 0 check (refunded_minor >= 0),
    -- The transfer that settled it, which refunds are of.
    add column settlement_id    uuid references transfer,
    add column reminded_at      timestamptz,
    -- Of a mandate the period that was last drawn in, and what was.
    add column period_start     timestamptz,
    add column period_minor     bigint not null default 0 check (period_minor >= 0),
    -- Of a random packet; nobody is shown it before the packet is over.
    add column seed             bytea check (octet_length(seed) = 32),
    -- A split has no single payer, a packet for everybody no payee.
    alter column payer_id drop not null,
    alter column payee_id drop not null,
    drop constraint card_kind_check,
    drop constraint card_state_check,
    drop constraint card_check1,
    drop constraint card_check2,
    drop constraint card_check3;

-- Known from before by its only credit.
update card c set settlement_id = t.id
from transfer t where t.card_id = c.id and t.status = 0 and t.kind in (1, 3) and c.state in (2, 7);

alter table card
    add constraint kind_is_known check (kind between 1 and 5),
    add constraint state_by_kind check (case kind
        when 1 then state in (1, 2, 3, 4, 5)
        when 2 then state in (3, 4, 5, 6, 7)
        when 3 then state in (4, 5, 6, 7, 10)
        when 4 then state in (5, 6, 8)
        else state in (3, 4, 5, 9) end),
    add constraint closed_by_state check ((state in (1, 6, 9)) = (closed_at is null)),
    add constraint parties_by_kind check (case kind
        when 2 then author_id is not distinct from payee_id and payer_id is not null
        when 3 then author_id is not distinct from payee_id and payer_id is null
        when 4 then author_id is not distinct from payer_id
        else author_id is not distinct from payer_id and payee_id is not null end),
    add constraint plan_by_kind check ((kind in (3, 4, 5)) <= (plan is not null)),
    add constraint hold_by_kind check (case kind
        when 1 then (hold_id is null) = (plan ->> 'delivery' is not distinct from 'atOnce')
        when 4 then hold_id is not null
        else hold_id is null end),
    add constraint settled_by_state check ((kind in (1, 2) and state in (2, 7)) = (settlement_id is not null)),
    add constraint refunded_at_most_paid check (refunded_minor <= amount_minor and (refunded_minor = 0 or settlement_id is not null)),
    add constraint paid_by_kind check (case kind when 3 then paid_minor <= amount_minor when 4 then paid_minor <= amount_minor
        when 5 then period_minor <= amount_minor else paid_minor = 0 end),
    add constraint drawn_in_a_period check ((period_minor = 0) = (period_start is null));

create table card_part (
    card_id         uuid not null references card,
    -- Whom a split asks, or who has taken a share of a packet: each person once.
    account_id      uuid not null references account,
    place           integer not null check (place >= 0),
    amount_minor    bigint not null check (amount_minor > 0),
    -- 3 declined, 4 cancelled, 5 expired, 6 open, 7 paid.
    state           smallint not null check (state in (3, 4, 5, 6, 7)),
    at              timestamptz not null,
    primary key (card_id, account_id),
    unique (card_id, place)
);

-- Pages of what is due go on after the last one.
drop index card_expiring;
create index card_expiring on card (expires_at, id) where closed_at is null;

-- Splits of which somebody has not heard for a day.
create index card_to_remind on card (created_at) where kind = 3 and closed_at is null and reminded_at is null;

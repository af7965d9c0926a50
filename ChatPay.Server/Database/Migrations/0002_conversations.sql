-- Conversations as durable logs, their members, MLS leaves and delivery queues.

create table conversation (
    id              uuid primary key,
    kind            smallint not null check (kind in (1, 2)),
    -- Direct conversations: the two accounts in order, so that there is one per pair.
    direct_low      uuid references account,
    direct_high     uuid references account,
    head            bigint not null default 0 check (head >= 0),
    epoch           bigint not null default 0 check (epoch >= 0),
    created_at      timestamptz not null default now(),
    check ((kind = 1) = (direct_low is not null and direct_high is not null)),
    check (direct_low is null or direct_low < direct_high),
    unique (direct_low, direct_high)
) with (fillfactor = 70);

create table member (
    conversation_id uuid not null references conversation,
    account_id      uuid not null references account,
    role            smallint not null check (role in (1, 2)),
    joined_seq      bigint not null check (joined_seq >= 1),
    left_seq        bigint check (left_seq >= joined_seq),
    primary key (conversation_id, account_id)
);
create index member_by_account on member (account_id, conversation_id) where left_seq is null;

create table leaf (
    -- The group's ratchet tree leaves as the public commits have made them.
    conversation_id uuid not null references conversation,
    leaf_index      integer not null check (leaf_index >= 0),
    device_id       uuid not null references device,
    account_id      uuid not null references account,
    added_seq       bigint not null,
    -- Its device was revoked or its account has left; the next commit removes it.
    pending         boolean not null default false,
    primary key (conversation_id, leaf_index),
    unique (conversation_id, device_id)
);
create index leaf_by_device on leaf (device_id);

create table event (
    conversation_id uuid not null references conversation,
    seq             bigint not null check (seq >= 1),
    kind            smallint not null check (kind between 1 and 5),
    account_id      uuid,
    device_id       uuid,
    client_id       uuid,
    epoch           bigint not null,
    -- MLSMessage bytes as the client sent them.
    body            bytea,
    card_id         uuid,
    -- CardView or MembersChange as of this event: ids, states and amounts, never content.
    data            jsonb,
    created_at      timestamptz not null,
    primary key (conversation_id, seq)
);
create unique index event_by_client_id on event (conversation_id, device_id, client_id) where client_id is not null;
-- One commit per epoch: what compare-and-set decides, said again; and where a loser finds the winner.
create unique index event_commit on event (conversation_id, epoch) where kind = 2;

create table group_info (
    -- Of the newest epoch only: nobody joins one that is over.
    conversation_id uuid not null references conversation,
    epoch           bigint not null,
    seq             bigint not null,
    body            bytea not null,
    primary key (conversation_id, epoch)
);

create table receipt (
    conversation_id uuid not null references conversation,
    device_id       uuid not null references device,
    account_id      uuid not null references account,
    delivered       bigint not null default 0 check (delivered >= 0),
    read            bigint not null default 0 check (read >= 0),
    primary key (conversation_id, device_id)
) with (fillfactor = 70);

create table device_message (
    id              uuid primary key,
    device_id       uuid not null references device,
    kind            smallint not null,
    conversation_id uuid not null references conversation,
    seq             bigint not null,
    body            bytea not null,
    created_at      timestamptz not null default now()
);
create index device_message_by_device on device_message (device_id, id);

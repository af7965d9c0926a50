-- Payment cards: terms and state. Memo and items exist only inside the encrypted message.

create table card (
    id                  uuid primary key,
    kind                smallint not null check (kind in (1, 2)),
    conversation_id     uuid not null references conversation,
    author_id           uuid not null references account,
    payer_id            uuid not null references account,
    payee_id            uuid not null references account,
    amount_minor        bigint not null check (amount_minor > 0),
    asset               text not null references asset,
    lifetime_seconds    integer not null check (lifetime_seconds > 0),
    detail_commit       bytea not null check (octet_length(detail_commit) = 32),
    state               smallint not null check (state between 1 and 7),
    version             integer not null check (version >= 1),
    hold_id             uuid references transfer,
    created_at          timestamptz not null,
    expires_at          timestamptz not null,
    closed_at           timestamptz,
    check (payer_id <> payee_id),
    check ((state in (1, 6)) = (closed_at is null)),
    -- A transfer is author pays; a request is author is paid.
    check ((kind = 1 and author_id = payer_id) or (kind = 2 and author_id = payee_id)),
    check ((kind = 1) = (hold_id is not null))
) with (fillfactor = 80);
create index card_by_conversation on card (conversation_id, id);
create index card_open_by_author on card (author_id) where closed_at is null;
create index card_expiring on card (expires_at) where closed_at is null;

create table card_action (
    actor_id        uuid not null references account,
    idempotency_key uuid not null,
    card_id         uuid not null,
    payload_hash    bytea not null check (octet_length(payload_hash) = 32),
    -- 0 done, otherwise the number of the error it was answered with.
    status          integer not null,
    -- The reply that was given, so that a retry gets the same.
    reply           jsonb not null,
    created_at      timestamptz not null,
    primary key (actor_id, idempotency_key)
);

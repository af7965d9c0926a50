-- What a node missed while it was not told, and finds by the transaction that wrote it.

alter table device_message add column changed_xid xid8 not null default '0';
alter table device_message alter column changed_xid set default pg_current_xact_id();
create index device_message_by_change on device_message (changed_xid);

-- Receipts as they were raised, one row for each round of a node, kept for a minute. The receipts themselves have no
-- index on what changed, so that raising one touches its row alone. A crash may empty this table: no receipt is lost by
-- it, only the news of it.
create unlogged table receipt_round (
    changed_xid     xid8 not null default pg_current_xact_id(),
    written_at      timestamptz not null default now(),
    -- The node that wrote it, and has told its own connections.
    node_id         uuid not null,
    conversation_ids uuid[] not null,
    account_ids     uuid[] not null,
    device_ids      uuid[] not null,
    delivered       bigint[] not null,
    read            bigint[] not null
);
create index receipt_round_by_change on receipt_round (changed_xid);

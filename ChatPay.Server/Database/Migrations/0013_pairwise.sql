-- Messages from one device to another, and what an account has read on any of its devices.

alter table device_message
    alter column conversation_id drop not null,
    add column from_account uuid references account,
    add column from_device uuid references device,
    add column client_id uuid,
    add constraint device_message_of_kind check (case kind
        when 1 then conversation_id is not null and from_account is null and from_device is null and client_id is null
        when 2 then conversation_id is null and from_account is not null and from_device is not null
            and client_id is not null and octet_length(body) between 1 and 16384
        end);
create index device_message_pairwise on device_message (device_id) where kind = 2;

create table device_message_sent (
    -- What was accepted, for a day, whether it has been acknowledged or not: a repeated request must not bring it back.
    from_device     uuid not null references device,
    client_id       uuid not null,
    device_id       uuid not null references device,
    body_hash       bytea not null check (octet_length(body_hash) = 32),
    sent_at         timestamptz not null default now(),
    primary key (from_device, client_id, device_id)
);
create index device_message_sent_by_time on device_message_sent (sent_at);

create index receipt_by_account on receipt (account_id, conversation_id);

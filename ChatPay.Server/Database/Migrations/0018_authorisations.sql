-- What payers' devices signed: with each debit that a card makes, the statement that let it happen.

create table card_authorisation (
    -- The debit: a transfer, or the opening of a hold.
    transfer_id     uuid primary key references transfer,
    device_id       uuid not null references device,
    -- As docs/PROTOCOL.md encodes it. It names card, terms, amount, payer and nonce.
    statement       bytea not null check (octet_length(statement) between 128 and 65535),
    signature       bytea not null check (octet_length(signature) = 64)
);
create trigger card_authorisation_insert_only before update or delete or truncate on card_authorisation
    for each statement execute function refuse_change();

-- Said again beside the code: no card takes money without it. Only what has been inserted since is asked for one.
create function require_authorisation() returns trigger language plpgsql as $$
begin
    if not exists (select from card_authorisation where transfer_id = new.id) then
        raise exception 'transfer % of card % has no authorisation', new.id, new.card_id
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end
$$;
create constraint trigger transfer_is_authorised after insert on transfer deferrable initially deferred
    for each row when (new.card_id is not null and new.status = 0 and new.kind in (1, 2))
    execute function require_authorisation();

-- From when on each must have one; one row.
create table card_authorisation_since (
    only_row        boolean primary key default true check (only_row),
    at              timestamptz not null default clock_timestamp()
);
insert into card_authorisation_since default values;

-- What payers' devices signed: with each debit that a card makes, the statement that let it happen.

create table card_authorisation (
    -- The debit: a transfer, the opening of a hold, or a refund. Of a mandate the id that a transfer of its posting would have.
    transfer_id     uuid primary key,
    card_id         uuid not null references card,
    device_id       uuid not null references device,
    -- As docs/PROTOCOL.md encodes it. It names card, terms, amount, payer and nonce.
    statement       bytea not null check (octet_length(statement) between 128 and 65535),
    signature       bytea not null check (octet_length(signature) = 64)
);
create index card_authorisation_by_card on card_authorisation (card_id);
create trigger card_authorisation_insert_only before update or delete or truncate on card_authorisation
    for each statement execute function refuse_change();

-- Said again beside the code: no card takes money without it. Only what has been inserted since is asked for one.
create function require_authorisation() returns trigger language plpgsql as $$
begin
    -- What is drawn on a mandate was signed for when that was posted.
    if not exists (select from card_authorisation where transfer_id = new.id)
        and not exists (
            select from card c join card_authorisation a on a.card_id = c.id
            where c.id = new.card_id and c.kind = 5 and new.kind = 1 and new.amount_minor <= c.amount_minor) then
        raise exception 'transfer % of card % has no authorisation', new.id, new.card_id
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end
$$;
create constraint trigger transfer_is_authorised after insert on transfer deferrable initially deferred
    for each row when (new.card_id is not null and new.status = 0 and new.kind in (1, 2, 6))
    execute function require_authorisation();

-- From when on each must have one; one row.
create table card_authorisation_since (
    only_row        boolean primary key default true check (only_row),
    at              timestamptz not null default clock_timestamp()
);
insert into card_authorisation_since default values;

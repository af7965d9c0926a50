-- Logs that are kept for a time only.

alter table conversation
    -- The log begins here; what was before has been removed. Never above the newest event.
    add column first_seq        bigint not null default 1,
    -- For how long events are kept; 0 for as long as the server's default says.
    add column retention_days   smallint not null default 0 check (retention_days between 0 and 3650),
    -- No event is older than this, or was worth a look before: what the sweeper finds conversations by.
    add column oldest_at        timestamptz not null default now(),
    add check (first_seq between 1 and greatest(head, 1));
update conversation set oldest_at = created_at;
create index conversation_by_oldest on conversation (retention_days, oldest_at);

-- Events go only below the place where their conversation says that its log begins.
create function refuse_hole() returns trigger language plpgsql as $$
begin
    if exists (
        select from gone g join conversation c on c.id = g.conversation_id where g.seq >= c.first_seq
    ) then
        raise exception 'events of a log are only removed below its first' using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;
create trigger event_without_holes after delete on event
    referencing old table as gone for each statement execute function refuse_hole();

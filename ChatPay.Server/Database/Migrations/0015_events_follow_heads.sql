-- An event is only written beside its conversation's row, in the same transaction: either locked, or updated on the
-- condition that its head is the one before the event. So the row is there, and looking it up once more for each event
-- cost as much as writing the event's index entries.
alter table event drop constraint event_conversation_id_fkey;

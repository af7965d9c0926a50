-- A message sent again is looked for by its device and id. While this index began with the conversation, like the primary
-- key, a planner that took the table for small saw no difference between the two, and a statement planned on a new
-- database went on reading whole logs until the statistics were renewed.
drop index event_by_client_id;
create unique index event_by_client_id on event (device_id, client_id, conversation_id) where client_id is not null;

-- The wait after which a record may be overwritten or deleted without the identity key that it names. One at a time; it goes
-- with its record.

alter table vault_record
    add column wait_id uuid,
    add column wait_device_id uuid,
    add column wait_until timestamptz,
    add constraint vault_record_wait_whole check (
        (wait_id is null) = (wait_until is null) and (wait_id is null) = (wait_device_id is null)),
    -- What is destroyed has nothing to wait for: whoever is signed in registers anew.
    add constraint vault_record_wait_for_something check (sealed is not null or wait_id is null);

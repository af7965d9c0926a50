-- What signing in needs to remember, and what features still have to do for accounts and devices.

-- Null until every feature has opened its part of the account (wallets and the like); retried until then.
alter table account add column opened_at timestamptz;
create index account_unopened on account (created_at) where opened_at is null;

alter table device
    -- SHA-256 of the token that lets a device be recognised when it signs in again, so that strangers who guess the
    -- password cannot keep the owner out.
    add column recognition_hash bytea unique check (octet_length(recognition_hash) = 32),
    -- Null until every feature has dropped a revoked device; retried until then.
    add column dropped_at timestamptz,
    -- MLS wants signature keys to be unique in a group, so one key is one device.
    add constraint device_signature_key_key unique (signature_key),
    add check (dropped_at is null or revoked_at is not null);
create index device_undropped on device (revoked_at) where revoked_at is not null and dropped_at is null;

alter table session
    -- 16 bits of a hash of the address it was opened from: enough to tell that an owner comes from there again, too
    -- little to say from where.
    add column address_mark integer check (address_mark between 0 and 65535);
create index session_expiring on session (expires_at);

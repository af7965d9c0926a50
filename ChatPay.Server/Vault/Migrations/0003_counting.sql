-- Room for the next version of a record beside it; said first, so that the table is written anew with it.
alter table vault_record set (fillfactor = 60);

-- Every recovery counts a guess and gives it back. While an index looked at the counter, each of the two wrote the record's
-- index entries anew and left an old one behind; it now looks at what changes when the last guess is used up and only then.
drop index vault_record_used_up;
alter table vault_record
    add column is_used_up boolean not null generated always as (sealed is not null and used = max_guesses) stored;
create index vault_record_used_up on vault_record (account_id) where is_used_up;

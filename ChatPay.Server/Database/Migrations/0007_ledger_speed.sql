-- What keeps the ledger fast: a batch is written while the one before it commits, and no row is checked one by one that
-- the engine has checked already. docs/LEDGER.md says what each of these gave.

-- A transfer's place in the order of all: its batch's number, taken in the order of deciding, and its place within it.
-- A sequence counted on insertion would put a batch that is written early before the one that it builds on.
create sequence ledger_batch;
select setval('ledger_batch', coalesce(max(seq), 0) / 1048576 + 1) from transfer;
alter table transfer
    alter column seq drop identity,
    alter column seq set default nextval('ledger_batch') * 1048576,
    drop constraint transfer_seq_key;

-- Rows lie nearly in this order, so an index of ranges finds them and costs next to nothing to keep.
create index transfer_by_seq on transfer using brin (seq) with (pages_per_range = 16, autosummarize = on);

-- An entry's account and transfer are written by the statement that writes the entry, or were; ledger verify checks both
-- ways. A foreign key looked each of them up again, row by row, which took a third of the time of a batch.
alter table entry
    drop constraint entry_account_id_fkey,
    drop constraint entry_transfer_id_fkey;

-- Aborts a transaction that was decided on rows which have changed since.
create function expect_rows(actual bigint, expected bigint) returns void language plpgsql as $$
begin
    if actual is distinct from expected then
        raise exception 'decided on % rows of which % are as they were', expected, actual
            using errcode = 'serialization_failure';
    end if;
end
$$;

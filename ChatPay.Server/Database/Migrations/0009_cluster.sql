-- By which transaction a row was last written: how a node finds what others have changed since it last looked.

alter table member add column changed_xid xid8 not null default '0';
alter table member alter column changed_xid set default pg_current_xact_id();
create index member_by_change on member (changed_xid);

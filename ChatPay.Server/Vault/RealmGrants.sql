-- What the server may do in a realm's schema; see Grants.sql of the database for how this is applied.

do $$
declare
    home oid := (select relnamespace from pg_class where oid = 'schema_migration'::regclass);
    mine record;
begin
    for mine in
        select oid::regclass as name from pg_class
        where relnamespace = home and relkind in ('r', 'p', 'v', 'm', 'S') and pg_has_role(relowner, 'usage')
    loop
        execute format('revoke all on table %s from chatpay_server', mine.name);
    end loop;
    execute format('grant usage on schema %s to chatpay_server', home::regnamespace);
end
$$;

grant select on schema_migration to chatpay_server;
grant select, insert, update (lineage, beat) on realm to chatpay_server;
grant select, insert, update (version, sealed, max_guesses, used, attempts, lineage, registered_at, wait_id,
    wait_device_id, wait_until), delete
    on vault_record to chatpay_server;
grant select, insert, update (outcome, counts), delete on vault_attempt to chatpay_server;
grant select, insert, delete on vault_news to chatpay_server;

using Npgsql;

namespace ChatPay.Server.Conversations;

/// <summary>
/// Which history this database tells. Its id is renewed when the cluster is another one than the row remembers, or has
/// branched off: then a backup was restored, and clients must discard their cursors. A file copy put back in place
/// of the same cluster looks like the cluster itself; whoever does that runs <c>delete from lineage</c> first.
/// </summary>
internal sealed class LineageStore(NpgsqlDataSource dataSource)
{
    /// <param name="fresh">The id to take if the stored one is missing or void.</param>
    /// <returns>Null if another server is writing the row right now: ask again.</returns>
    public async Task<Guid?> RenewAsync(Guid fresh, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            with now_is as (
                select s.system_identifier::text as system_identifier, c.timeline_id::bigint as timeline
                from pg_control_system() s, pg_control_checkpoint() c
            ), written as (
                insert into lineage as l (id, system_identifier, timeline)
                select $1, system_identifier, timeline from now_is
                on conflict (only_row) do update
                set id = excluded.id, system_identifier = excluded.system_identifier, timeline = excluded.timeline,
                    renewed_at = now()
                where l.system_identifier <> excluded.system_identifier or l.timeline <> excluded.timeline
                returning id
            )
            select id from written
            union all
            select id from lineage where not exists (select from written)
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = fresh });
        return (Guid?)await command.ExecuteScalarAsync(cancellationToken);
    }

    /// <summary>The id as it stands; null if there is none.</summary>
    public async Task<Guid?> FindAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("select id from lineage");
        return (Guid?)await command.ExecuteScalarAsync(cancellationToken);
    }
}

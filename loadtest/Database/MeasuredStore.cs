using ChatPay.LoadTest.Driving;
using Npgsql;

namespace ChatPay.LoadTest.Database;

/// <summary>What PostgreSQL says of itself and of the ledger.</summary>
internal static class MeasuredStore
{
    /// <summary>Settings that a figure depends on, by name.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> ReadSettingsAsync(
        NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select name, current_setting(name) from pg_settings
            where name in ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_compression',
                'shared_buffers', 'max_wal_size', 'checkpoint_timeout', 'wal_sync_method', 'wal_buffers', 'jit',
                'max_connections', 'data_checksums', 'io_method', 'default_transaction_isolation')
            order by name
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            settings.Add(reader.GetString(0), reader.GetString(1));
        }

        return settings;
    }

    /// <summary>Bytes of write-ahead log so far, and of all tables of ChatPay with their indexes.</summary>
    public static async Task<(long WalBytes, long TableBytes)> ReadSizesAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint,
                coalesce((select sum(pg_total_relation_size(c.oid)) from pg_class c
                    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'm')), 0)::bigint
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    /// <summary>Rows of entry and of transfer, counted.</summary>
    public static async Task<(long Entries, long Transfers)> CountAsync(
        NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select (select count(*) from entry), (select count(*) from transfer)");
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    /// <summary>Bytes of the ledger's tables and, one by one, of their indexes.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> ReadRelationsAsync(
        NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select c.relname::text, pg_relation_size(c.oid)
            from pg_class c left join pg_index i on i.indexrelid = c.oid
            where c.relkind in ('r', 'i') and coalesce(i.indrelid, c.oid) in
                ('transfer'::regclass, 'entry'::regclass, 'hold'::regclass, 'ledger_account'::regclass)
            order by coalesce(i.indrelid, c.oid)::regclass::text, c.relkind desc, c.relname
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var relations = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            relations.Add(reader.GetString(0), reader.GetInt64(1));
        }

        return relations;
    }

    /// <summary>The process that serves this connection, as its machine numbers it.</summary>
    public static async Task<int> ReadBackendAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select pg_backend_pid()", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Every applied command, as a fingerprint; streams, so it takes constant memory.</summary>
    public static async Task<IdFingerprint> ReadAppliedAsync(
        NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("select id from transfer where status = 0");
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var applied = default(IdFingerprint);
        while (await reader.ReadAsync(cancellationToken))
        {
            applied += IdFingerprint.Of(reader.GetGuid(0));
        }

        return applied;
    }

    /// <summary>Assets whose balances do not sum to zero.</summary>
    public static async Task<IReadOnlyList<string>> ReadUnbalancedAsync(
        NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select asset from ledger_account group by asset having sum(balance_minor) <> 0 order by asset");
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var assets = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            assets.Add(reader.GetString(0));
        }

        return assets;
    }
}

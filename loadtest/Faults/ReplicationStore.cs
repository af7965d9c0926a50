using Npgsql;

namespace ChatPay.LoadTest.Faults;

/// <summary>What an operator does on a primary, as its superuser.</summary>
internal sealed class ReplicationStore : IAsyncDisposable
{
    /// <summary>What a copy must not take along: it belongs to the running server.</summary>
    private static readonly string[] s_leftOut = ["postmaster.pid", "postmaster.opts", "standby.signal", "log"];

    private readonly NpgsqlDataSource _source;

    private ReplicationStore(NpgsqlDataSource source) => _source = source;

    public static ReplicationStore Open(string connectionString) => new(NpgsqlDataSource.Create(connectionString));

    public async Task CreateDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        await ExecuteAsync("create role chatpay login", cancellationToken);
        await ExecuteAsync("create role chatpay_server login", cancellationToken);
        await ExecuteAsync("grant chatpay_server to chatpay", cancellationToken);
        await ExecuteAsync($"create database {name} owner chatpay", cancellationToken);
    }

    /// <summary>
    /// Copies a running cluster as PostgreSQL's low-level backup has it; what changes meanwhile is streamed later.
    /// </summary>
    public async Task BackUpAsync(string from, string to, CancellationToken cancellationToken)
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        await using (var begin = new NpgsqlCommand("select pg_backup_start('replica', true)", connection))
        {
            await begin.ExecuteScalarAsync(cancellationToken);
        }

        Copy(new DirectoryInfo(from), to);
        await using var end = new NpgsqlCommand("select labelfile from pg_backup_stop(false)", connection);
        await File.WriteAllTextAsync(
            Path.Combine(to, "backup_label"), (string)(await end.ExecuteScalarAsync(cancellationToken))!, cancellationToken);
    }

    /// <summary>From here on a commit waits for that replica.</summary>
    public async Task RequireReplicaAsync(string name, CancellationToken cancellationToken)
    {
        await ExecuteAsync($"alter system set synchronous_standby_names = '{name}'", cancellationToken);
        await ExecuteAsync("select pg_reload_conf()", cancellationToken);
    }

    public Task<bool> IsStreamingAsync(string replica, CancellationToken cancellationToken) => AskAsync(
        $"select exists (select from pg_stat_replication where application_name = '{replica}' and state = 'streaming')",
        cancellationToken);

    /// <summary>How far its log is on disk.</summary>
    public async Task<string> PositionAsync(CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand("select pg_current_wal_flush_lsn()::text");
        return (string)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Whether a synchronous replica has it on disk up to there.</summary>
    public Task<bool> IsInStepAsync(string position, CancellationToken cancellationToken) => AskAsync(
        $"select exists (select from pg_stat_replication where sync_state = 'sync' and flush_lsn >= '{position}')",
        cancellationToken);

    /// <summary>Ends every connection of the server's role; how many there were.</summary>
    public async Task<long> TerminateServersAsync(CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'chatpay_server'");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task<bool> AskAsync(string question, CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand(question);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private async Task ExecuteAsync(string statement, CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Copy(DirectoryInfo from, string to)
    {
        Directory.CreateDirectory(to);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        foreach (var entry in from.EnumerateFileSystemInfos())
        {
            var target = Path.Combine(to, entry.Name);
            if (s_leftOut.Contains(entry.Name, StringComparer.Ordinal))
            {
                continue;
            }

            if (entry is DirectoryInfo folder)
            {
                Copy(folder, target);
            }
            else
            {
                CopyIfThere(entry.FullName, target);
            }
        }
    }

    /// <summary>A file that a running server has removed in the meantime is not needed.</summary>
    private static void CopyIfThere(string from, string to)
    {
        try
        {
            File.Copy(from, to);
        }
        catch (FileNotFoundException)
        {
        }
    }
}

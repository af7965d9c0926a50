using System.Data;
using ChatPay.Server.Hosting;
using Dapper;
using Npgsql;

namespace ChatPay.Server.Database;

/// <summary>
/// Brings a database to this build's schema, or refuses to start over one that it does not understand. Nodes that start
/// together take turns under an advisory lock; whoever comes second finds nothing left to do.
/// </summary>
/// <param name="dataSource">The owner's, or for looking only, the server's.</param>
/// <param name="role">What the server works as, and whether it logs in as the owner does; null to leave rights alone.</param>
/// <param name="schema">Whose migrations these are, for the log; null for the server's own.</param>
internal sealed partial class MigrationRunner(
    NpgsqlDataSource dataSource, IReadOnlyList<Migration> migrations, ILogger logger, ServerRole? role = null,
    bool forOwnLogin = true, string? schema = null)
{
    /// <summary>"chatpay\0" as a number: whoever migrates a ChatPay database holds this lock.</summary>
    private const long LockKey = 0x6368617470617900;

    private const string CreateTable =
        """
        create table schema_migration (
            number int primary key check (number > 0),
            name text not null,
            checksum text not null,
            applied_at timestamptz not null default now()
        )
        """;

    /// <exception cref="StartupException">An applied migration was edited, is missing here, or is newer.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        CheckNumbers();
        await using var connection = await OpenAsync(cancellationToken);
        if (await BelongsToSomebodyElseAsync(connection, cancellationToken))
        {
            // A server that was not told who the owner is works with what the owner has made ready.
            await RequireCurrentAsync(connection, cancellationToken);
            if (role is not null)
            {
                await role.RequireGrantedAsync(connection, cancellationToken);
            }

            return;
        }

        role?.RefuseAsOwner(UserOf(dataSource));

        // Waiting for another node's migration may take longer than any query should.
        await ExecuteAsync(connection, "select pg_advisory_lock(@LockKey)", new { LockKey }, cancellationToken);
        try
        {
            await CreateTableAsync(connection, cancellationToken);
            var applied = await ReadAppliedAsync(connection, cancellationToken);
            Check(applied);
            foreach (var migration in migrations.Skip(applied.Count))
            {
                await ApplyAsync(connection, migration, cancellationToken);
            }

            if (role is not null)
            {
                await role.EnsureAsync(connection, forOwnLogin, cancellationToken);
            }
        }
        finally
        {
            // A pooled connection would carry the lock back into the pool. A broken one has lost it already.
            if (connection.State == ConnectionState.Open)
            {
                await ExecuteAsync(connection, "select pg_advisory_unlock(@LockKey)", new { LockKey }, default);
            }
        }
    }

    /// <summary>Changes nothing.</summary>
    /// <exception cref="StartupException">The database is not exactly at this build's schema.</exception>
    public async Task RequireCurrentAsync(CancellationToken cancellationToken)
    {
        CheckNumbers();
        await using var connection = await OpenAsync(cancellationToken);
        await RequireCurrentAsync(connection, cancellationToken);
    }

    private async Task CreateTableAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Found anywhere along the search path, it is not made once more at the path's beginning.
        if (await ExistsAsync(connection, cancellationToken))
        {
            return;
        }

        try
        {
            await ExecuteAsync(connection, CreateTable, null, cancellationToken);
        }
        catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new StartupException(
                $"The database user {UserOf(dataSource)} may make no tables in the database; name its owner in "
                + "Database:OwnerConnectionString.",
                failure);
        }
    }

    private static Task<bool> BelongsToSomebodyElseAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            """
            select exists (
                select from pg_class
                where oid = to_regclass('schema_migration') and not pg_has_role(current_user, relowner, 'usage'))
            """,
            cancellationToken: cancellationToken));

    private async Task RequireCurrentAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var exists = await ExistsAsync(connection, cancellationToken);
        var applied = exists ? await ReadAppliedAsync(connection, cancellationToken) : [];
        Check(applied);
        if (applied.Count < migrations.Count)
        {
            throw new StartupException($"The database lacks migration {migrations[applied.Count].Name}; "
                + "start the server, or run the command: database migrate");
        }
    }

    private static Task<bool> ExistsAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "select to_regclass('schema_migration') is not null", cancellationToken: cancellationToken));

    private static async Task<List<Applied>> ReadAppliedAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken) =>
        (await connection.QueryAsync<Applied>(new CommandDefinition(
            "select number, name, checksum from schema_migration order by number",
            cancellationToken: cancellationToken))).AsList();

    private static Task<int> ExecuteAsync(
        NpgsqlConnection connection, string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            new CommandDefinition(sql, parameters, commandTimeout: 0, cancellationToken: cancellationToken));

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await dataSource.OpenConnectionAsync(cancellationToken);
        }
        catch (PostgresException failure) when (role?.Explain(failure, UserOf(dataSource)) is { } told)
        {
            throw new StartupException(told, failure);
        }
        catch (NpgsqlException failure)
        {
            // The driver's words name host and database; they hold no password.
            throw new StartupException($"The database cannot be reached: {failure.Message}", failure);
        }
    }

    private static string? UserOf(NpgsqlDataSource dataSource) =>
        new NpgsqlConnectionStringBuilder(dataSource.ConnectionString).Username;

    private void CheckNumbers()
    {
        for (var index = 0; index < migrations.Count; index++)
        {
            if (migrations[index].Number != index + 1)
            {
                throw new StartupException($"Migration {index + 1:0000} is missing from this build of ChatPay; "
                    + "install a complete one.");
            }
        }
    }

    private void Check(List<Applied> applied)
    {
        for (var index = 0; index < applied.Count; index++)
        {
            var row = applied[index];
            if (row.Number != index + 1)
            {
                throw new StartupException(
                    $"The database lacks migration {index + 1:0000} although it holds {row.Name}; restore a backup.");
            }

            if (row.Number > migrations.Count)
            {
                throw new StartupException($"The database is newer than this ChatPay: it holds migration {row.Name}, "
                    + "which this build does not know; start the version that wrote it, or a later one.");
            }

            var migration = migrations[index];
            if (row.Name != migration.Name)
            {
                throw new StartupException($"The database holds migration {row.Name}, which is missing from this build of "
                    + $"ChatPay; it has {migration.Name} in its place.");
            }

            if (row.Checksum != migration.Checksum)
            {
                throw new StartupException($"Migration {row.Name} was edited after it had been applied to this database; "
                    + "put the old text back and write the change as a new migration.");
            }
        }
    }

    private async Task ApplyAsync(
        NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            await ExecuteAsync(connection, migration.Sql, null, cancellationToken);
        }
        catch (PostgresException failure)
        {
            throw new StartupException(
                $"Migration {migration.Name} failed and changed nothing: {failure.MessageText}.", failure);
        }

        await ExecuteAsync(
            connection,
            "insert into schema_migration (number, name, checksum) values (@Number, @Name, @Checksum)",
            new { migration.Number, migration.Name, migration.Checksum },
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Log.AppliedMigration(logger, schema is null ? migration.Name : $"{schema}/{migration.Name}");
    }

    private sealed record Applied(int Number, string Name, string Checksum);

    private static partial class Log
    {
        [LoggerMessage(121, LogLevel.Information, "Applied migration {Name}.")]
        public static partial void AppliedMigration(ILogger logger, string name);
    }
}

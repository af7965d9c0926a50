using System.Reflection;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Database;

/// <summary>A schema of the database with migrations and rights of its own.</summary>
/// <param name="Name">Null for where everything is that has no schema to itself; else a to z, 0 to 9 and _.</param>
/// <param name="Grants">What the server's role may do there, as SQL in which it is called chatpay_server.</param>
internal sealed record DatabaseSchema(string? Name, IReadOnlyList<Migration> Migrations, string Grants)
{
    /// <summary>The server's own tables.</summary>
    public static DatabaseSchema Main { get; } = new(null, Migration.Embedded, ReadEmbedded("Grants.sql"));

    /// <summary>A text that is built into the server.</summary>
    public static string ReadEmbedded(string resource)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"This build has no {resource}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The same connections, but to this schema.</summary>
    public NpgsqlConnectionStringBuilder In(NpgsqlConnectionStringBuilder connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var copy = new NpgsqlConnectionStringBuilder(connection.ConnectionString);
        if (Name is not null)
        {
            copy.SearchPath = Name;
        }

        return copy;
    }

    /// <summary>Brings it to this build's state, as the owner.</summary>
    /// <param name="owner">Somewhere in the database.</param>
    /// <param name="forOwnLogin">Whether the server logs in as the owner does, and takes its role after that.</param>
    /// <exception cref="StartupException">The database is another one than this build expects, or refuses.</exception>
    public async Task MigrateAsync(
        NpgsqlConnectionStringBuilder owner, string serverRole, bool forOwnLogin, ILogger logger,
        CancellationToken cancellationToken)
    {
        await using var source = PrimarySource.Create(In(owner));
        if (Name is not null)
        {
            await CreateAsync(source, Name, cancellationToken);
        }

        await new MigrationRunner(source, Migrations, logger, new ServerRole(serverRole, Grants), forOwnLogin, Name)
            .RunAsync(cancellationToken);
    }

    private static async Task CreateAsync(NpgsqlDataSource source, string name, CancellationToken cancellationToken)
    {
        try
        {
            // Asked first: who may make no schemas works with what an owner has made.
            await using var create = source.CreateCommand(
                $"""
                do $$ begin
                    if to_regnamespace('{name}') is null then
                        create schema if not exists {name};
                    end if;
                end $$
                """);
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException failure) when (failure.SqlState is PostgresErrorCodes.UniqueViolation
            or PostgresErrorCodes.DuplicateSchema)
        {
            // Another node that starts at this moment was quicker.
        }
        catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new StartupException(
                $"The database has no schema {name}, and its user may make none; name the owner of the database in "
                + "Database:OwnerConnectionString.",
                failure);
        }
    }
}

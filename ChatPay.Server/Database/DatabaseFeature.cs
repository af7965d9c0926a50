using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.Server.Database;

internal static class DatabaseFeature
{
    /// <summary>Of each connection; every statement of the server finds room, so none is parsed and planned again.</summary>
    private const int PreparedStatementsMax = 200;

    /// <summary>
    /// Everything that serves goes from key to row by an index, one look-up for each row it needs. A statement that was
    /// planned while its table was nearly empty would read it whole instead, and go on doing so however large it
    /// grows, until the statistics are renewed.
    /// </summary>
    internal const string PlannerOptions = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off";

    private const int ProbeConnections = 2;

    /// <summary>One that is under way, and one that is tried again after it.</summary>
    private const int CommitConnectionsPerFlight = 2;

    /// <summary>
    /// The data source every store uses, as the server's role. Its connection string is there by the time the host is built.
    /// </summary>
    public static void AddDatabase(this IServiceCollection services)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        services.AddValidatedOptions<DatabaseOptions>(DatabaseOptions.Section);
        services.AddSingleton(DatabaseSchema.Main);
        services.AddSingleton(provider => provider.OpenForServing(
            provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.MaxPoolSize).BuildForPrimary());
        services.AddSingleton(provider =>
        {
            var source = provider.OpenForServing(
                CommitConnectionsPerFlight * provider.GetRequiredService<IOptions<GroupCommitOptions>>().Value.Flights);
            source.Name = "chatpay commits";

            // A batch changes nothing that outlives its transaction, so there is nothing to set back after it.
            source.ConnectionStringBuilder.NoResetOnClose = true;
            return new CommitSource(source.BuildForPrimary());
        });
        services.AddValidatedOptions<GroupCommitOptions>("GroupCommit");
        services.AddSingleton<GroupCommitter>();
        services.AddHostedService(provider => provider.GetRequiredService<GroupCommitter>());
    }

    /// <summary>
    /// A database that holds one feature's schema and nothing else; the data source is for asking whether it is there.
    /// </summary>
    public static void AddDatabaseOf(this IServiceCollection services, DatabaseSchema schema)
    {
        services.AddValidatedOptions<DatabaseOptions>(DatabaseOptions.Section);
        services.AddSingleton(provider => provider.OpenForServing(schema, ProbeConnections));
    }

    /// <summary>Connections of a feature that has a schema to itself, as the server's role. To be disposed of.</summary>
    public static NpgsqlDataSource OpenForServing(this IServiceProvider services, DatabaseSchema schema, int connections)
    {
        var source = services.OpenForServing(connections, schema);

        // What these features send are single statements, which change nothing that outlives them.
        source.ConnectionStringBuilder.NoResetOnClose = true;
        return source.BuildForPrimary();
    }

    private static NpgsqlDataSourceBuilder OpenForServing(
        this IServiceProvider services, int connections, DatabaseSchema? schema = null)
    {
        var options = services.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        var connection = (schema ?? DatabaseSchema.Main).In(options.ForServer());
        connection.ApplicationName = "chatpay";
        connection.MaxPoolSize = connections;
        connection.MaxAutoPrepare = PreparedStatementsMax;
        connection.AutoPrepareMinUsages = 2;
        connection.CommandTimeout = options.CommandTimeoutSeconds;
        connection.Options = $"{connection.Options} {PlannerOptions}".TrimStart();

        // Its metrics carry the name, which otherwise is the connection string.
        var source = new NpgsqlDataSourceBuilder(connection.ConnectionString)
        {
            Name = schema?.Name is { } name ? $"chatpay {name}" : "chatpay",
        };
        source.UseLoggerFactory(services.GetRequiredService<ILoggerFactory>());
        return source;
    }

    /// <summary>Brings the database to this build's schema and the server's role to its rights, before anything serves.</summary>
    public static async Task MigrateAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        var options = services.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        var server = Parse(options.ConnectionString, nameof(options.ConnectionString));
        var owner = options.OwnerConnectionString.Length == 0
            ? server
            : Parse(options.OwnerConnectionString, nameof(options.OwnerConnectionString));

        // Gone before anything serves: nothing that runs later can reach for the owner's rights.
        owner.ApplicationName = "chatpay migrations";
        owner.Pooling = false;
        foreach (var schema in services.Schemas())
        {
            await schema.MigrateAsync(
                owner, options.ServerRole, owner.Username == server.Username, services.Logger(), cancellationToken);
        }

        await services.RequireMigratedAsync(cancellationToken);
    }

    /// <summary>Refuses, as the server and looking only, a database that is not at this build's schema.</summary>
    public static async Task RequireMigratedAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        var options = services.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        foreach (var schema in services.Schemas())
        {
            var connection = schema.In(options.ForServer());
            connection.ApplicationName = "chatpay migrations";
            connection.Pooling = false;
            await using var source = PrimarySource.Create(connection);
            await new MigrationRunner(
                source, schema.Migrations, services.Logger(), new ServerRole(options.ServerRole, schema.Grants))
                .RequireCurrentAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Connections as the server's for work that reads much and takes its time: beside the pool, so that it takes none
    /// from whoever serves, and without a deadline. To be disposed of.
    /// </summary>
    public static NpgsqlDataSource OpenForReports(this IServiceProvider services)
    {
        var connection = services.GetRequiredService<IOptions<DatabaseOptions>>().Value.ForServer();
        connection.ApplicationName = "chatpay reports";
        connection.Pooling = false;
        connection.CommandTimeout = 0;
        return PrimarySource.Create(connection);
    }

    private static NpgsqlConnectionStringBuilder ForServer(this DatabaseOptions options) =>
        new ServerRole(options.ServerRole).Assume(Parse(options.ConnectionString, nameof(options.ConnectionString)));

    private static NpgsqlConnectionStringBuilder Parse(string connectionString, string key)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (ArgumentException failure)
        {
            // The driver's words may quote a piece of the password.
            throw new StartupException(
                $"Database:{key} is not one; it looks like Host=…;Database=…;Username=…;Password=….", failure);
        }
    }

    /// <summary>In the order in which features have added them: the server's own tables first.</summary>
    private static IEnumerable<DatabaseSchema> Schemas(this IServiceProvider services) =>
        services.GetServices<DatabaseSchema>();

    private static ILogger Logger(this IServiceProvider services) =>
        services.GetRequiredService<ILoggerFactory>().CreateLogger<MigrationRunner>();
}

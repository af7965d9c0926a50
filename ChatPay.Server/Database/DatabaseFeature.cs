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

    /// <summary>One that is under way, and one that is tried again after it.</summary>
    private const int CommitConnectionsPerFlight = 2;

    /// <summary>
    /// The data source every store uses, as the server's role. Its connection string is there by the time the host is built.
    /// </summary>
    public static void AddDatabase(this IServiceCollection services)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        services.AddValidatedOptions<DatabaseOptions>(DatabaseOptions.Section);
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

    private static NpgsqlDataSourceBuilder OpenForServing(this IServiceProvider services, int connections)
    {
        var options = services.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        var connection = options.ForServer();
        connection.ApplicationName = "chatpay";
        connection.MaxPoolSize = connections;
        connection.MaxAutoPrepare = PreparedStatementsMax;
        connection.AutoPrepareMinUsages = 2;
        connection.CommandTimeout = options.CommandTimeoutSeconds;
        connection.Options = $"{connection.Options} {PlannerOptions}".TrimStart();

        // Its metrics carry the name, which otherwise is the connection string.
        var source = new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = "chatpay" };
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
        await using (var source = PrimarySource.Create(owner))
        {
            await new MigrationRunner(
                source, Migration.Embedded, services.Logger(), new ServerRole(options.ServerRole),
                owner.Username == server.Username).RunAsync(cancellationToken);
        }

        await services.RequireMigratedAsync(cancellationToken);
    }

    /// <summary>Refuses, as the server and looking only, a database that is not at this build's schema.</summary>
    public static Task RequireMigratedAsync(this IServiceProvider services, CancellationToken cancellationToken) =>
        new MigrationRunner(
            services.GetRequiredService<NpgsqlDataSource>(), Migration.Embedded, services.Logger(),
            new ServerRole(services.GetRequiredService<IOptions<DatabaseOptions>>().Value.ServerRole))
            .RequireCurrentAsync(cancellationToken);

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

    private static ILogger Logger(this IServiceProvider services) =>
        services.GetRequiredService<ILoggerFactory>().CreateLogger<MigrationRunner>();
}

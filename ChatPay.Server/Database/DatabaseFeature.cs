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
    /// The data source every store uses, as the server's role. Its connection string is there by the time the host is built.
    /// </summary>
    public static void AddDatabase(this IServiceCollection services)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        services.AddValidatedOptions<DatabaseOptions>(DatabaseOptions.Section);
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<DatabaseOptions>>().Value;
            var connection = options.ForServer();
            connection.ApplicationName = "chatpay";
            connection.MaxPoolSize = options.MaxPoolSize;
            connection.MaxAutoPrepare = PreparedStatementsMax;
            connection.AutoPrepareMinUsages = 2;
            connection.CommandTimeout = options.CommandTimeoutSeconds;

            // Its metrics carry the name, which otherwise is the connection string.
            var source = new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = "chatpay" };
            source.UseLoggerFactory(provider.GetRequiredService<ILoggerFactory>());
            return source.BuildForPrimary();
        });
        services.AddValidatedOptions<GroupCommitOptions>("GroupCommit");
        services.AddSingleton<GroupCommitter>();
        services.AddHostedService(provider => provider.GetRequiredService<GroupCommitter>());
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

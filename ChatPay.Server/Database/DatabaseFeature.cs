using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.Server.Database;

internal static class DatabaseFeature
{
    /// <summary>The data source every store uses. Its connection string is there by the time the host is built.</summary>
    public static void AddDatabase(this IServiceCollection services)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        services.AddValidatedOptions<DatabaseOptions>(DatabaseOptions.Section);
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<DatabaseOptions>>().Value;
            var connection = Parse(options.ConnectionString);
            connection.ApplicationName = "chatpay";
            connection.MaxPoolSize = options.MaxPoolSize;
            connection.CommandTimeout = options.CommandTimeoutSeconds;
            var source = new NpgsqlDataSourceBuilder(connection.ConnectionString);
            source.UseLoggerFactory(provider.GetRequiredService<ILoggerFactory>());
            return source.Build();
        });
        services.AddValidatedOptions<GroupCommitOptions>("GroupCommit");
        services.AddSingleton<GroupCommitter>();
        services.AddHostedService(provider => provider.GetRequiredService<GroupCommitter>());
    }

    /// <summary>Brings the database to this build's schema, before anything serves.</summary>
    public static Task MigrateAsync(this IServiceProvider services, CancellationToken cancellationToken) =>
        services.Migrations().RunAsync(cancellationToken);

    /// <summary>For commands that only look: refuses a database that is not at this build's schema.</summary>
    public static Task RequireMigratedAsync(this IServiceProvider services, CancellationToken cancellationToken) =>
        services.Migrations().RequireCurrentAsync(cancellationToken);

    private static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (ArgumentException failure)
        {
            // The driver's words may quote a piece of the password.
            throw new StartupException(
                "Database:ConnectionString is not one; it looks like Host=…;Database=…;Username=…;Password=….", failure);
        }
    }

    private static MigrationRunner Migrations(this IServiceProvider services) => new(
        services.GetRequiredService<NpgsqlDataSource>(),
        Migration.Embedded,
        services.GetRequiredService<ILoggerFactory>().CreateLogger<MigrationRunner>());
}

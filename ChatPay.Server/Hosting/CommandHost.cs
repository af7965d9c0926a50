using ChatPay.Core.Cryptography;
using ChatPay.Server.Database;
using ChatPay.Server.Vault;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ChatPay.Server.Hosting;

/// <summary>Runs the program's commands over the same configuration and the same database.</summary>
internal static partial class CommandHost
{
    /// <summary>
    /// Serves until <paramref name="cancellationToken"/> is cancelled; then drains, which <paramref name="hurry"/>
    /// cuts short, and stops the database last.
    /// </summary>
    public static async Task<int> ServeAsync(
        IReadOnlyDictionary<string, string?> settings, CancellationToken hurry, CancellationToken cancellationToken)
    {
        RequireCryptography();
        var builder = ServerHost.CreateBuilder(settings);
        using var loggers = LoggersOf(builder);
        var logger = loggers.CreateLogger(typeof(CommandHost).FullName!);
        var (database, dataFolder) = Read(builder);
        await using var lease = await DatabaseLease.ForServerAsync(database, dataFolder, logger, cancellationToken);
        lease.Configure(builder.Configuration);

        // After the data folder: a second server on it is told so, and not that its port is taken.
        ListenAddresses.RequireFree(builder.Configuration);
        await using var app = ServerHost.Build(builder);
        await app.Services.MigrateAsync(cancellationToken);
        await app.StartAsync(cancellationToken);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        await Console.Out.WriteLineAsync(ServerHost.RoleOf(app.Configuration) == HostRole.Realm
            ? $"ChatPay's realm {app.Services.GetRequiredService<RealmHouse>().Realms[0].Id} is ready at {addresses.First()}"
            : $"ChatPay is ready: open {addresses.First()}");
        Log.Ready(logger, builder.Environment.EnvironmentName);
        await UntilAsync(app.Lifetime.ApplicationStopping, cancellationToken);
        try
        {
            // Before the host's own signal for stopping come those who drain.
            await app.StopAsync(hurry);
        }
        catch (OperationCanceledException)
        {
            Log.CutShort(logger);
        }

        Log.Stopping(logger);
        return 0;
    }

    private static async Task UntilAsync(CancellationToken one, CancellationToken other)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(one, other);
        await Task.Delay(Timeout.InfiniteTimeSpan, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// Runs a command that needs the database, also beside a running server. <paramref name="run"/> gets the server's own
    /// services, none of which has been started, and returns the exit code.
    /// </summary>
    public static async Task<int> RunAsync(
        IReadOnlyDictionary<string, string?> settings, Func<IServiceProvider, CancellationToken, Task<int>> run,
        CancellationToken cancellationToken)
    {
        var builder = ServerHost.CreateBuilder(settings);
        using var loggers = LoggersOf(builder);
        var (database, dataFolder) = Read(builder);
        await using var lease = await DatabaseLease.ForCommandAsync(
            database, dataFolder, loggers.CreateLogger(typeof(CommandHost).FullName!), cancellationToken);
        lease.Configure(builder.Configuration);
        await using var app = builder.Build();
        return await run(app.Services, cancellationToken);
    }

    /// <summary>Runs a command that needs the configuration and no database.</summary>
    public static async Task<int> RunWithoutDatabaseAsync(
        IReadOnlyDictionary<string, string?> settings, Func<IServiceProvider, Task<int>> run)
    {
        RequireCryptography();
        await using var app = ServerHost.CreateBuilder(settings).Build();
        return await run(app.Services);
    }

    /// <summary>Asked first: without its cryptography the server could start and then fail in the middle of work.</summary>
    private static void RequireCryptography()
    {
        try
        {
            Sodium.Initialize();
        }
        catch (PlatformNotSupportedException failure)
        {
            throw new StartupException(failure.Message, failure);
        }
    }

    private static (DatabaseOptions Database, string DataFolder) Read(WebApplicationBuilder builder)
    {
        // Before the host is built there is no options machinery; it checks the same values when it is.
        var database = builder.Configuration.GetSection(DatabaseOptions.Section).Get<DatabaseOptions>() ?? new();
        var hosting = builder.Configuration.GetSection(HostingOptions.Section).Get<HostingOptions>() ?? new();
        return (database, hosting.DataFolder);
    }

    /// <summary>The database starts before the host and stops after it, so its log cannot be the host's.</summary>
    private static ILoggerFactory LoggersOf(WebApplicationBuilder builder) => LoggerFactory.Create(logging =>
    {
        logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        ServerHost.LogToConsole(logging);
    });

    private static partial class Log
    {
        [LoggerMessage(221, LogLevel.Information, "Ready, in the environment {Environment}.")]
        public static partial void Ready(ILogger logger, string environment);

        [LoggerMessage(223, LogLevel.Warning, "Not everything could be finished before the end.")]
        public static partial void CutShort(ILogger logger);

        [LoggerMessage(222, LogLevel.Information, "Stopped serving.")]
        public static partial void Stopping(ILogger logger);
    }
}

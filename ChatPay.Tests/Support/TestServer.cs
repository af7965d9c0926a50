using System.Collections.Concurrent;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>The whole server in this process, on a real Kestrel and a free port of the loopback address.</summary>
public sealed class TestServer : IAsyncDisposable
{
    /// <summary>Each database has its realms' keys in a folder of its own, which its nodes share.</summary>
    private static readonly TemporaryFolder s_vaultKeys = new();

    private readonly WebApplication _app;
    private readonly LogCollector _log;

    private TestServer(WebApplication app, LogCollector log)
    {
        _app = app;
        _log = log;
        Address = new Uri(
            app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public Uri Address { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Everything the server has logged, one message per line, exceptions included.</summary>
    public string Log => string.Join('\n', _log.Lines);

    /// <param name="settings">Configuration keys such as <c>RateLimits:SignInPerMinute</c>; they win over the usual.</param>
    /// <param name="configure">Adds services of the test's own beside the server's.</param>
    /// <param name="map">Maps endpoints that only a test needs.</param>
    public static async Task<TestServer> StartAsync(
        string connectionString, IReadOnlyDictionary<string, string?>? settings = null,
        string environment = "Development", Action<IServiceCollection>? configure = null,
        Action<WebApplication>? map = null)
    {
        var configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Database:ConnectionString"] = connectionString,
            ["Vault:KeyFolder"] = await KeyFolderAsync(connectionString),

            // Tests of limits set their own; all others come from one address and know no patience.
            ["RateLimits:SignInPerMinute"] = "1000000",
            ["RateLimits:WritesPerMinute"] = "1000000",
            ["RateLimits:ReadsPerMinute"] = "1000000",
            ["RateLimits:ExportsPerMinute"] = "1000000",
            ["KeyPackages:ClaimsPerPairBurst"] = "1000000",
            ["KeyPackages:ClaimsBurst"] = "1000000",
            ["Accounts:PasswordMemoryKib"] = "8192",
            ["Accounts:PasswordPasses"] = "1",
            ["Realtime:WritesPerSecond"] = "10000",
            ["Realtime:ReadsPerSecond"] = "10000",
            ["Realtime:SignalsPerSecond"] = "10000",
        };
        foreach (var (key, value) in settings ?? new Dictionary<string, string?>(StringComparer.Ordinal))
        {
            configuration[key] = value;
        }

        var builder = ServerHost.CreateBuilder(configuration, environment);
        var log = new LogCollector();
        builder.Logging.ClearProviders().AddProvider(log);
        configure?.Invoke(builder.Services);
        var app = ServerHost.Build(builder);
        map?.Invoke(app);
        await app.Services.MigrateAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new TestServer(app, log);
    }

    /// <summary>
    /// Where the realms' keys of a database are: all its nodes share them, also after a restart on another port.
    /// </summary>
    public static async Task<string> KeyFolderAsync(string connectionString)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        try
        {
            await using var source = NpgsqlDataSource.Create(database);
            await using var command = source.CreateCommand("select system_identifier::text from pg_control_system()");
            var cluster = (string?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
            return Path.Combine(s_vaultKeys.Path, $"{cluster}-{database.Database}");
        }
        catch (NpgsqlException)
        {
            // A server over a database that is not there does not come as far as its keys.
            return s_vaultKeys.Path;
        }
    }

    /// <summary>A client without cookies that follows no redirects.</summary>
    public HttpClient CreateClient() =>
        new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = Address };

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private sealed class LogCollector : ILoggerProvider
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => new Logger(categoryName, Lines);

        public void Dispose()
        {
        }

        private sealed class Logger(string category, ConcurrentQueue<string> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception,
                Func<TState, Exception?, string> formatter) =>
                lines.Enqueue($"{logLevel} {category}[{eventId.Id}] {formatter(state, exception)} {exception}".TrimEnd());
        }
    }
}

/// <summary>A server on a migrated database of its own, for one test class: take it as a class fixture.</summary>
public sealed class ServerFixture(PostgresFixture postgres) : IAsyncLifetime
{
    private NpgsqlDataSource? _dataSource;
    private TestServer? _server;

    public string ConnectionString { get; private set; } = "";

    /// <summary>The server's database, as its owner, for looking behind the door.</summary>
    public NpgsqlDataSource DataSource => _dataSource!;

    public TestServer Server => _server!;

    public Uri Address => Server.Address;

    public HttpClient CreateClient() => Server.CreateClient();

    public async ValueTask InitializeAsync()
    {
        ArgumentNullException.ThrowIfNull(postgres);
        ConnectionString = await postgres.CreateDatabaseAsync();
        _dataSource = NpgsqlDataSource.Create(ConnectionString);
        _server = await TestServer.StartAsync(ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        if (_dataSource is not null)
        {
            await _dataSource.DisposeAsync();
        }
    }
}

using System.Globalization;
using ChatPay.Server.Database;
using ChatPay.Server.Vault;
using ChatPay.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace ChatPay.Tests.Support;

/// <summary>
/// One embedded PostgreSQL for the whole run, started when the first test asks for it. A database for a test class is a
/// copy of a migrated template, so it costs milliseconds.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private const string Template = "migrated";

    /// <summary>A test's database need not survive a power cut; everything else is as in production.</summary>
    private static readonly Dictionary<string, string> s_settings = new(StringComparer.Ordinal)
    {
        ["fsync"] = "off",
        ["full_page_writes"] = "off",
        ["max_connections"] = "400",
        ["shared_buffers"] = "128MB",
    };

    private readonly SemaphoreSlim _gate = new(1);
    private TemporaryFolder? _folder;
    private DataFolder? _dataFolder;
    private EmbeddedPostgres? _postgres;
    private NpgsqlDataSource? _superuser;
    private int _databases;

    public ValueTask InitializeAsync() => default;

    /// <summary>A fresh database with every migration applied; the connection string of its owner, no superuser.</summary>
    public Task<string> CreateDatabaseAsync() => CreateDatabaseAsync(Template);

    /// <summary>A fresh database with nothing in it.</summary>
    public Task<string> CreateEmptyDatabaseAsync() => CreateDatabaseAsync("template1");

    /// <summary>A copy of a database that nobody is connected to; the same connection string but for its name.</summary>
    public async Task<string> CopyDatabaseAsync(string connectionString)
    {
        var original = new NpgsqlConnectionStringBuilder(connectionString);
        var copy = new NpgsqlConnectionStringBuilder(await CreateDatabaseAsync(original.Database!)).Database;
        return new NpgsqlConnectionStringBuilder(connectionString) { Database = copy }.ConnectionString;
    }

    /// <summary>What an administrator does in <paramref name="database"/>, such as making logins.</summary>
    public async Task AdministerAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(
            _postgres!.SuperuserConnectionString)
        {
            Database = new NpgsqlConnectionStringBuilder(database).Database,
            Pooling = false,

            // Filling a database for tests of plans takes half a minute on a slow machine.
            CommandTimeout = 600,
        });
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_superuser is not null)
        {
            await _superuser.DisposeAsync();
        }

        if (_postgres is not null)
        {
            NpgsqlConnection.ClearAllPools();
            await _postgres.DisposeAsync();
        }

        _dataFolder?.Dispose();
        _folder?.Dispose();
        _gate.Dispose();
    }

    private async Task<string> CreateDatabaseAsync(string template)
    {
        await _gate.WaitAsync();
        try
        {
            if (_superuser is null)
            {
                await StartAsync();
            }

            var name = "test" + (++_databases).ToString(CultureInfo.InvariantCulture);
            await using var create = _superuser!.CreateCommand(
                $"create database {name} template {template} owner chatpay");
            await create.ExecuteNonQueryAsync();
            return ConnectionStringOf(name);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task StartAsync()
    {
        _folder = new TemporaryFolder();
        _dataFolder = DataFolder.Hold(_folder.Path);
        _postgres = await EmbeddedPostgres.StartAsync(_dataFolder, null, s_settings, NullLogger.Instance, default);
        var superuser = NpgsqlDataSource.Create(_postgres.SuperuserConnectionString);
        await using (var create = superuser.CreateCommand($"create database {Template} owner chatpay"))
        {
            await create.ExecuteNonQueryAsync();
        }

        // PostgreSQL copies a template only while nobody is connected to it.
        var owner = new NpgsqlConnectionStringBuilder(ConnectionStringOf(Template)) { Pooling = false };
        foreach (var schema in new[] { DatabaseSchema.Main }.Concat(RealmSchemas.All))
        {
            await schema.MigrateAsync(owner, ServerRole.DefaultName, true, NullLogger.Instance, default);
        }

        _superuser = superuser;
    }

    private string ConnectionStringOf(string database) =>
        new NpgsqlConnectionStringBuilder(_postgres!.ConnectionString)
        {
            Database = database,
            MaxPoolSize = 30,
            IncludeErrorDetail = true,
        }.ConnectionString;
}

/// <summary>A migrated database of its own for one test class: take it as a class fixture.</summary>
public sealed class DatabaseFixture(PostgresFixture postgres) : IAsyncLifetime
{
    private NpgsqlDataSource? _dataSource;

    public string ConnectionString { get; private set; } = "";

    public NpgsqlDataSource DataSource => _dataSource!;

    public async ValueTask InitializeAsync()
    {
        ArgumentNullException.ThrowIfNull(postgres);
        ConnectionString = await postgres.CreateDatabaseAsync();
        _dataSource = NpgsqlDataSource.Create(ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (_dataSource is not null)
        {
            await _dataSource.DisposeAsync();
        }
    }
}

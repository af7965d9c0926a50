using ChatPay.Server.Database;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ChatPay.LoadTest.Database;

/// <summary>
/// The database of a run: one's own, or an embedded one in a temporary folder with exactly the settings that the server
/// gives it.
/// </summary>
internal sealed class DatabaseUnderTest : IAsyncDisposable
{
    /// <summary>Of 16 MB each: more than a run of any scenario with fixed numbers writes.</summary>
    private const int LogFiles = 32;

    private readonly DataFolder? _folder;
    private readonly EmbeddedPostgres? _postgres;
    private readonly bool _keep;

    private DatabaseUnderTest(string connectionString, DataFolder? folder, EmbeddedPostgres? postgres, bool keep)
    {
        ConnectionString = connectionString;
        _folder = folder;
        _postgres = postgres;
        _keep = keep;
    }

    /// <summary>Of the role that owns the tables.</summary>
    public string ConnectionString { get; }

    /// <summary>
    /// For the server, as the server itself connects: to the embedded one with a login of its own. The keys of its realms
    /// stay with the database, because neither serves without the other.
    /// </summary>
    public IEnumerable<KeyValuePair<string, string?>> ServerSettings => _postgres is null
        ? [new("Database:ConnectionString", ConnectionString), new("Vault:KeyFolder", KeysOf(ConnectionString))]
        :
        [
            new("Database:ConnectionString", EmbeddedPostgres.ServerLoginOf(ConnectionString)),
            new("Database:OwnerConnectionString", ConnectionString),
            new("Vault:KeyFolder", Path.Combine(_folder!.Path, "vault-keys")),
        ];

    /// <summary>Of a superuser on the same database; null where the database is one's own.</summary>
    public string? SuperuserConnectionString => _postgres is null
        ? null
        : new NpgsqlConnectionStringBuilder(_postgres.SuperuserConnectionString)
        {
            Database = new NpgsqlConnectionStringBuilder(ConnectionString).Database,
        }.ConnectionString;

    /// <summary>Where its files are; null for one's own database.</summary>
    public string? Folder => _folder?.Path;

    /// <param name="connectionString">One's own database, or null.</param>
    /// <param name="dataFolder">Where to keep the embedded one; null for a folder that is gone afterwards.</param>
    public static async Task<DatabaseUnderTest> StartAsync(
        string? connectionString, string? dataFolder, CancellationToken cancellationToken)
    {
        if (connectionString is not null)
        {
            return new DatabaseUnderTest(connectionString, null, null, keep: true);
        }

        var folder = DataFolder.Hold(dataFolder ?? TemporaryFolder());
        try
        {
            var postgres = await EmbeddedPostgres.StartAsync(
                folder, null, null, NullLogger.Instance, cancellationToken);
            await LayOutLogAsync(postgres, cancellationToken);
            return new DatabaseUnderTest(postgres.ConnectionString, folder, postgres, keep: dataFolder is not null);
        }
        catch
        {
            folder.Dispose();
            if (dataFolder is null)
            {
                Directory.Delete(folder.Path, recursive: true);
            }

            throw;
        }
    }

    /// <summary>Another, empty database of the embedded PostgreSQL; it goes when that one goes.</summary>
    public async Task<DatabaseUnderTest> CreateBesideAsync(string name, CancellationToken cancellationToken)
    {
        await using var superuser = NpgsqlDataSource.Create(SuperuserConnectionString
            ?? throw new InvalidOperationException("Nobody may make databases beside one's own."));
        var owner = new NpgsqlConnectionStringBuilder(ConnectionString);
        await using var create = superuser.CreateCommand($"create database {name} owner {owner.Username}");
        await create.ExecuteNonQueryAsync(cancellationToken);
        owner.Database = name;
        return new DatabaseUnderTest(owner.ConnectionString, null, null, keep: true);
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }

        if (_folder is not null)
        {
            _folder.Dispose();
            if (!_keep)
            {
                Directory.Delete(_folder.Path, recursive: true);
            }
        }
    }

    /// <summary>
    /// Gives a new cluster files to write its log into, as one has that has been through a checkpoint: a new one makes each
    /// file when it needs it, and whoever commits then waits for tens of milliseconds.
    /// </summary>
    private static async Task LayOutLogAsync(EmbeddedPostgres postgres, CancellationToken cancellationToken)
    {
        await using var superuser = NpgsqlDataSource.Create(postgres.SuperuserConnectionString);
        await using var connection = await superuser.OpenConnectionAsync(cancellationToken);
        for (var file = 0; file < LogFiles; file++)
        {
            await using var fill = new NpgsqlCommand(
                "select pg_logical_emit_message(false, 'loadtest', ''), pg_switch_wal()", connection);
            await fill.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var recycle = new NpgsqlCommand("checkpoint", connection);
        await recycle.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string KeysOf(string connectionString)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString);
        return Path.Combine(
            Path.GetTempPath(), "chatpay-loadtest-keys",
            Uri.EscapeDataString($"{database.Host}-{database.Port}-{database.Database}"));
    }

    private static string TemporaryFolder()
    {
        var path = Directory.CreateTempSubdirectory("chatpay-loadtest-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            // Run as root, PostgreSQL becomes another user, who has to get through here.
            File.SetUnixFileMode(
                path, File.GetUnixFileMode(path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }

        return path;
    }
}

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
    private readonly DataFolder? _folder;
    private readonly EmbeddedPostgres? _postgres;

    private DatabaseUnderTest(string connectionString, DataFolder? folder, EmbeddedPostgres? postgres)
    {
        ConnectionString = connectionString;
        _folder = folder;
        _postgres = postgres;
    }

    /// <summary>Of the role that owns the tables.</summary>
    public string ConnectionString { get; }

    /// <summary>Where its files are; null for one's own database.</summary>
    public string? Folder => _folder?.Path;

    public static async Task<DatabaseUnderTest> StartAsync(
        string? connectionString, CancellationToken cancellationToken)
    {
        if (connectionString is not null)
        {
            return new DatabaseUnderTest(connectionString, null, null);
        }

        var path = Directory.CreateTempSubdirectory("chatpay-loadtest-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            // Run as root, PostgreSQL becomes another user, who has to get through here.
            File.SetUnixFileMode(
                path, File.GetUnixFileMode(path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }

        var folder = DataFolder.Hold(path);
        try
        {
            var postgres = await EmbeddedPostgres.StartAsync(
                folder, null, null, NullLogger.Instance, cancellationToken);
            return new DatabaseUnderTest(postgres.ConnectionString, folder, postgres);
        }
        catch
        {
            folder.Dispose();
            Directory.Delete(path, recursive: true);
            throw;
        }
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
            Directory.Delete(_folder.Path, recursive: true);
        }
    }
}

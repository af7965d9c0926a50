using ChatPay.Server.Hosting;

namespace ChatPay.Server.Database;

/// <summary>A database to work with for as long as this is held: one's own, or the embedded one.</summary>
internal sealed class DatabaseLease : IAsyncDisposable
{
    /// <summary>How long a command waits for a server that is just starting its database.</summary>
    private static readonly TimeSpan AttachTimeout = TimeSpan.FromSeconds(30);

    private readonly DataFolder? _folder;
    private readonly EmbeddedPostgres? _postgres;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _keepAlive;

    private DatabaseLease(
        string connectionString, string ownerConnectionString, string serverRole, DataFolder? folder = null,
        EmbeddedPostgres? postgres = null)
    {
        ConnectionString = connectionString;
        OwnerConnectionString = ownerConnectionString;
        ServerRole = serverRole;
        _folder = folder;
        _postgres = postgres;
        _keepAlive = postgres?.KeepAliveAsync(_stop.Token) ?? Task.CompletedTask;
    }

    /// <summary>The server's.</summary>
    public string ConnectionString { get; }

    /// <summary>Empty where it is the same.</summary>
    public string OwnerConnectionString { get; }

    public string ServerRole { get; }

    /// <summary>For the server, which must have the data folder for itself.</summary>
    /// <exception cref="StartupException">It has not, or the database does not start.</exception>
    public static async Task<DatabaseLease> ForServerAsync(
        DatabaseOptions options, string dataFolder, ILogger logger, CancellationToken cancellationToken)
    {
        if (OfOnesOwn(options) is { } given)
        {
            return given;
        }

        return await StartAsync(DataFolder.Hold(dataFolder), options, logger, cancellationToken);
    }

    /// <summary>For a command, which also works beside a running server: it then shares that server's database.</summary>
    /// <exception cref="StartupException">The database does not start, or a server holds it and never gets ready.</exception>
    public static async Task<DatabaseLease> ForCommandAsync(
        DatabaseOptions options, string dataFolder, ILogger logger, CancellationToken cancellationToken)
    {
        if (OfOnesOwn(options) is { } given)
        {
            return given;
        }

        if (!Directory.Exists(dataFolder))
        {
            throw new StartupException($"There is no data folder {Path.GetFullPath(dataFolder)}; name one with --data.");
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(AttachTimeout);
        while (true)
        {
            var folder = DataFolder.TryHold(dataFolder);
            if (folder.IsHeld)
            {
                return await StartAsync(folder, options, logger, cancellationToken);
            }

            if (await EmbeddedPostgres.FindRunningAsync(folder, cancellationToken) is { } connectionString)
            {
                return OfEmbedded(connectionString);
            }

            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), deadline.Token);
            }
            catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
            {
                throw new StartupException(
                    $"A ChatPay server holds the data folder {folder.Path}, but its database does not get ready; "
                    + "look at that server's output.",
                    late);
            }
        }
    }

    /// <summary>Tells the host what to connect to.</summary>
    public void Configure(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        configuration["Database:ConnectionString"] = ConnectionString;
        configuration["Database:OwnerConnectionString"] = OwnerConnectionString;
        configuration["Database:ServerRole"] = ServerRole;
    }

    public async ValueTask DisposeAsync()
    {
        // Nobody must start it again while it is being stopped.
        await _stop.CancelAsync();
        await _keepAlive.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }

        _folder?.Dispose();
    }

    private static DatabaseLease? OfOnesOwn(DatabaseOptions options)
    {
        if (options.ConnectionString.Length > 0)
        {
            return new DatabaseLease(options.ConnectionString, options.OwnerConnectionString, options.ServerRole);
        }

        return options.OwnerConnectionString.Length == 0
            ? null
            : throw new StartupException("Database:OwnerConnectionString is set and Database:ConnectionString is not; set both.");
    }

    private static DatabaseLease OfEmbedded(string owner, DataFolder? folder = null, EmbeddedPostgres? postgres = null) =>
        new(EmbeddedPostgres.ServerLoginOf(owner), owner, Database.ServerRole.DefaultName, folder, postgres);

    private static async Task<DatabaseLease> StartAsync(
        DataFolder folder, DatabaseOptions options, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            var postgres = await EmbeddedPostgres.StartAsync(folder, options.Binaries, null, logger, cancellationToken);
            return OfEmbedded(postgres.ConnectionString, folder, postgres);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }
}

using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Cryptography;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Database;

/// <summary>
/// A private PostgreSQL 18 in the data folder, for servers that are given no connection string. It listens on a free
/// port of the loopback address only, with a random password that lies in the data folder, readable by its owner.
/// </summary>
/// <remarks>
/// The postmaster is started by <c>pg_ctl</c>, which detaches it from the terminal: Ctrl-C reaches the server alone,
/// which stops its database last. A server that was killed leaves its postmaster running; the next start stops that
/// one first, so there is one way to start. PostgreSQL recovers its own files.
/// </remarks>
internal sealed partial class EmbeddedPostgres : IAsyncDisposable
{
    public const string MajorVersion = "18";

    /// <summary>The superuser: it makes roles and databases, and nothing else uses it.</summary>
    private const string Superuser = "postgres";

    /// <summary>The database and its owner, who is no superuser. Migrations run as the owner.</summary>
    private const string Application = "chatpay";

    private const string PasswordFile = "postgres-password";
    private const string HomeFile = "postgres-home";
    private const string SettingsFile = "chatpay.conf";

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>Another program may take the free port between its choice and PostgreSQL's use of it.</summary>
    private const int StartAttempts = 3;

    private readonly string _home;
    private readonly ILogger _logger;
    private readonly IReadOnlyDictionary<string, string> _extraSettings;
    private readonly PostgresBinaries _binaries;
    private readonly UnprivilegedUser? _user;
    private string _password = "";
    private int _port;

    private EmbeddedPostgres(
        string home, PostgresBinaries binaries, UnprivilegedUser? user, IReadOnlyDictionary<string, string>? settings,
        ILogger logger)
    {
        _home = home;
        _binaries = binaries;
        _user = user;
        _extraSettings = settings ?? FrozenDictionary<string, string>.Empty;
        _logger = logger;
    }

    /// <summary>The owner's, for migrations; see <see cref="ServerLoginOf"/> for the server's.</summary>
    public string ConnectionString => ConnectionStringOf(Application, Application, _password, _port);

    /// <summary>For tests, which make databases of their own.</summary>
    public string SuperuserConnectionString => ConnectionStringOf(Superuser, Superuser, _password, _port);

    private string Cluster => Path.Combine(_home, "cluster");

    /// <summary>Starts the database of <paramref name="folder"/>, which must be held; makes it where there is none.</summary>
    /// <param name="binaries">A folder of PostgreSQL binaries to use, or null for the npm package's.</param>
    /// <param name="settings">PostgreSQL settings beyond the usual, or null.</param>
    /// <exception cref="StartupException">It could not be started; the message says what to do.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(
        DataFolder folder, string? binaries, IReadOnlyDictionary<string, string>? settings, ILogger logger,
        CancellationToken cancellationToken)
    {
        var found = PostgresBinaries.Find(binaries);
        var user = await UnprivilegedUser.FindAsync(
            Path.Combine(await ReadHomeAsync(folder, cancellationToken), "cluster"), cancellationToken);
        var home = await MakeHomeAsync(folder, user, logger, cancellationToken);
        var prepared = await found.PrepareAsync(user, home, cancellationToken);
        if (user is not null)
        {
            Log.RunsAs(logger, user.Name);
            await user.OwnAsync(home, cancellationToken);
        }

        var postgres = new EmbeddedPostgres(home, prepared, user, settings, logger);
        await postgres.StopOrphanAsync(cancellationToken);
        postgres._password = await postgres.EnsureClusterAsync(folder, cancellationToken);
        await postgres.StartPostmasterAsync(cancellationToken);
        try
        {
            await postgres.EnsureDatabaseAsync(cancellationToken);
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }

        Log.Started(logger, postgres._port);
        return postgres;
    }

    /// <summary>
    /// The server's way into the owner's database. It logs in as a role that is nobody else's member, so no statement makes
    /// it the owner; that the two share a password lets the process in, which knows it anyway.
    /// </summary>
    public static string ServerLoginOf(string ownerConnectionString) =>
        new NpgsqlConnectionStringBuilder(ownerConnectionString) { Username = ServerRole.DefaultName }.ConnectionString;

    /// <summary>The owner's way into the database that another process runs in this folder; null if none runs.</summary>
    public static async Task<string?> FindRunningAsync(DataFolder folder, CancellationToken cancellationToken)
    {
        var home = await ReadHomeAsync(folder, cancellationToken);
        var postmaster = await PostmasterFile.ReadAsync(Path.Combine(home, "cluster"), cancellationToken);
        var password = await folder.ReadSecretAsync(PasswordFile, cancellationToken);
        return postmaster is { IsReady: true, Port: { } port } && password is not null
            ? ConnectionStringOf(Application, Application, password, port)
            : null;
    }

    /// <summary>Stops PostgreSQL: a checkpoint, then all of it gone.</summary>
    public async ValueTask DisposeAsync()
    {
        // A stop is not cancelled half way; the tool's own deadline bounds it.
        var stop = await RunAsync("pg_ctl", ["stop", "-D", Cluster, "-m", "fast", "-w", "-t", "120"], default);
        if (stop.ExitCode == 0)
        {
            Log.Stopped(_logger);
        }
        else
        {
            Log.NotStopped(_logger, stop.Output);
        }
    }

    private static string ConnectionStringOf(string role, string database, string password, int port) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = role,
            Database = database,
            Password = password,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;

    private static async Task<string> ReadHomeAsync(DataFolder folder, CancellationToken cancellationToken) =>
        await folder.ReadSecretAsync(HomeFile, cancellationToken) ?? Path.Combine(folder.Path, "postgres");

    /// <summary>
    /// PostgreSQL's home is in the data folder, unless its user cannot walk there, as when root works in a private home
    /// folder. Nobody's permissions are widened: the home moves to /var/lib/chatpay, and the data folder says where.
    /// </summary>
    private static async Task<string> MakeHomeAsync(
        DataFolder folder, UnprivilegedUser? user, ILogger logger, CancellationToken cancellationToken)
    {
        var home = await ReadHomeAsync(folder, cancellationToken);
        if (user is not null && !Directory.Exists(home) && !await user.CanReachAsync(folder.Path, cancellationToken))
        {
            // Public, so nothing secret may be in the name; random, so a deleted data folder leaves no trap behind.
            home = "/var/lib/chatpay/" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
            await folder.WriteSecretAsync(HomeFile, home, cancellationToken);
            Log.Elsewhere(logger, user.Name, folder.Path, home);
        }

        Directory.CreateDirectory(home);
        return home;
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        probe.Start();
        return ((System.Net.IPEndPoint)probe.LocalEndpoint).Port;
    }

    private async Task StopOrphanAsync(CancellationToken cancellationToken)
    {
        var postmaster = await PostmasterFile.ReadAsync(Cluster, cancellationToken);
        if (postmaster is null)
        {
            return;
        }

        if (!postmaster.IsAlive(Cluster))
        {
            // The process number may belong to somebody else by now, and PostgreSQL would believe the file.
            Log.StaleFile(_logger, postmaster.ProcessId);
            File.Delete(PostmasterFile.PathIn(Cluster));
            return;
        }

        Log.Orphan(_logger, postmaster.ProcessId);
        var stop = await RunAsync(
            "pg_ctl", ["stop", "-D", Cluster, "-m", "fast", "-w", "-t", "120"], cancellationToken);
        if (stop.ExitCode != 0 && postmaster.IsAlive(Cluster))
        {
            throw new StartupException($"A PostgreSQL of an earlier run (process {postmaster.ProcessId}) still uses "
                + $"{Cluster} and does not stop: {stop.Output}");
        }
    }

    /// <summary>Makes the cluster where there is none, and returns its password.</summary>
    private async Task<string> EnsureClusterAsync(DataFolder folder, CancellationToken cancellationToken)
    {
        var password = await folder.ReadSecretAsync(PasswordFile, cancellationToken);
        var versionFile = Path.Combine(Cluster, "PG_VERSION");
        if (File.Exists(versionFile))
        {
            var version = (await File.ReadAllTextAsync(versionFile, cancellationToken)).Trim();
            return version != MajorVersion
                ? throw new StartupException($"The database in {folder.Path} is of PostgreSQL {version}, and this ChatPay "
                    + $"brings PostgreSQL {MajorVersion}; move it with pg_dump of {version} first.")
                : password ?? throw new StartupException(
                    $"The file {PasswordFile} is missing from {folder.Path}; bring it back from a backup.");
        }

        if (password is null)
        {
            password = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(24));
            await folder.WriteSecretAsync(PasswordFile, password, cancellationToken);
        }

        await InitialiseAsync(password, cancellationToken);
        return password;
    }

    /// <summary>Makes the cluster beside its place and moves it there whole: a crash leaves no half of one.</summary>
    private async Task InitialiseAsync(string password, CancellationToken cancellationToken)
    {
        var unfinished = Path.Combine(_home, "cluster.new");
        if (Directory.Exists(unfinished))
        {
            Directory.Delete(unfinished, recursive: true);
        }

        var passwordFile = Path.Combine(_home, "initdb-password");
        File.Delete(passwordFile);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using (var writer = new StreamWriter(passwordFile, options))
        {
            await writer.WriteAsync(password.AsMemory(), cancellationToken);
        }

        if (_user is not null)
        {
            await _user.OwnAsync(passwordFile, cancellationToken);
        }

        var initdb = await RunAsync(
            "initdb",
            [
                "-D", unfinished, "--username", Superuser, "--pwfile", passwordFile, "--auth", "scram-sha-256",
                "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C",
            ],
            cancellationToken);
        File.Delete(passwordFile);
        if (initdb.ExitCode != 0)
        {
            throw new StartupException($"The embedded PostgreSQL could not make its cluster: {initdb.Output}");
        }

        await File.AppendAllTextAsync(
            Path.Combine(unfinished, "postgresql.conf"), $"\ninclude_if_exists '{SettingsFile}'\n", cancellationToken);
        Directory.Move(unfinished, Cluster);
        Log.Initialised(_logger, _home);
    }

    /// <summary>
    /// Starts PostgreSQL again, on its old port, whenever it has died: killed by hand or for want of memory. What it had
    /// acknowledged is in its log, and whoever was connected connects anew.
    /// </summary>
    public async Task KeepAliveAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LookInterval);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var postmaster = await PostmasterFile.ReadAsync(Cluster, cancellationToken);
            if (postmaster is not null && postmaster.IsAlive(Cluster))
            {
                continue;
            }

            Log.Died(_logger);
            try
            {
                await StopOrphanAsync(cancellationToken);
                await StartPostmasterAsync(cancellationToken);
                Log.Started(_logger, _port);
            }
            catch (StartupException failure)
            {
                // Tried again at the next look.
                Log.NotRestarted(_logger, failure.Message);
            }
        }
    }

    private async Task StartPostmasterAsync(CancellationToken cancellationToken)
    {
        // The server's connections know the port, so only the first start may choose it.
        var isFirst = _port == 0;
        for (var attempt = 1; ; attempt++)
        {
            _port = isFirst ? FreePort() : _port;
            var settings = EmbeddedSettings.Render(_port, _extraSettings);
            var file = Path.Combine(Cluster, SettingsFile);
            await File.WriteAllTextAsync(file, settings, cancellationToken);
            if (_user is not null)
            {
                await _user.OwnAsync(file, cancellationToken);
            }

            var log = Path.Combine(_home, "start.log");
            var start = await RunAsync(
                "pg_ctl", ["start", "-D", Cluster, "-l", log, "-w", "-t", "300", "-s"], cancellationToken);
            if (start.ExitCode == 0)
            {
                return;
            }

            if (attempt == StartAttempts)
            {
                throw new StartupException($"The embedded PostgreSQL did not start; its own words are in {log}.");
            }

            Log.Retry(_logger, attempt, start.Output);
            await Task.Delay(TimeSpan.FromSeconds(attempt), cancellationToken);
        }
    }

    /// <summary>Roles and database; asked at every start, because a crash may fall between the steps.</summary>
    private async Task EnsureDatabaseAsync(CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(SuperuserConnectionString + ";Pooling=false");
        await using var connection = await source.OpenConnectionAsync(cancellationToken);

        // The password is base64url of our own making; a role cannot be created with a parameter.
        foreach (var role in new[] { Application, ServerRole.DefaultName })
        {
            await EnsureAsync(
                $"select exists (select from pg_roles where rolname = '{role}')",
                $"create role {role} login password '{_password}'");
        }

        // For tools that were given the owner's connection string alone.
        await EnsureAsync(
            $"select pg_has_role('{Application}', '{ServerRole.DefaultName}', 'set')",
            $"grant {ServerRole.DefaultName} to {Application}");
        await EnsureAsync(
            $"select exists (select from pg_database where datname = '{Application}')",
            $"create database {Application} owner {Application}");

        async Task EnsureAsync(string question, string remedy)
        {
            await using var ask = new NpgsqlCommand(question, connection);
            if (await ask.ExecuteScalarAsync(cancellationToken) is false)
            {
                await using var act = new NpgsqlCommand(remedy, connection);
                await act.ExecuteNonQueryAsync(cancellationToken);
            }
        }
    }

    private Task<Tool.Outcome> RunAsync(string program, string[] arguments, CancellationToken cancellationToken) =>
        Tool.RunAsync([_binaries.Program(program), .. arguments], _user, _home, cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(101, LogLevel.Information, "Embedded PostgreSQL listens on 127.0.0.1:{Port}.")]
        public static partial void Started(ILogger logger, int port);

        [LoggerMessage(102, LogLevel.Information, "Embedded PostgreSQL stopped.")]
        public static partial void Stopped(ILogger logger);

        [LoggerMessage(103, LogLevel.Error, "Embedded PostgreSQL did not stop: {Output}")]
        public static partial void NotStopped(ILogger logger, string output);

        [LoggerMessage(104, LogLevel.Information, "Made a new PostgreSQL cluster in {Home}.")]
        public static partial void Initialised(ILogger logger, string home);

        [LoggerMessage(105, LogLevel.Information, "Running as root, so PostgreSQL runs as the user {User}.")]
        public static partial void RunsAs(ILogger logger, string user);

        [LoggerMessage(106, LogLevel.Warning,
            "The user {User} cannot reach {Folder}, so PostgreSQL keeps its files in {Home}; back up both.")]
        public static partial void Elsewhere(ILogger logger, string user, string folder, string home);

        [LoggerMessage(107, LogLevel.Warning, "Stopping PostgreSQL {ProcessId}, left by a server that was killed.")]
        public static partial void Orphan(ILogger logger, int processId);

        [LoggerMessage(108, LogLevel.Warning, "PostgreSQL {ProcessId} was killed; it recovers from its log now.")]
        public static partial void StaleFile(ILogger logger, int processId);

        [LoggerMessage(109, LogLevel.Warning, "Embedded PostgreSQL did not start at attempt {Attempt}: {Output}")]
        public static partial void Retry(ILogger logger, int attempt, string output);

        [LoggerMessage(110, LogLevel.Error, "Embedded PostgreSQL is gone; starting it again.")]
        public static partial void Died(ILogger logger);

        [LoggerMessage(111, LogLevel.Error, "Embedded PostgreSQL could not be started again: {Reason}")]
        public static partial void NotRestarted(ILogger logger, string reason);
    }
}

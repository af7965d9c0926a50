using System.Globalization;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;

namespace ChatPay.LoadTest.Faults;

/// <summary>One PostgreSQL of a pair: the embedded package's programs on a cluster folder and a port of its own.</summary>
internal sealed class PostgresServer(PostgresBinaries binaries, UnprivilegedUser? user, string home, string name)
{
    /// <summary>Few, so that it takes little to use them up.</summary>
    public const int MaxConnections = 80;

    private const string StandbySignal = "standby.signal";

    public string Name => name;

    public int Port { get; } = ChildProcess.FreePort();

    public string Cluster => Path.Combine(home, name);

    /// <summary>Makes a new, empty cluster whose superuser needs no password from this machine.</summary>
    public async Task InitialiseAsync(CancellationToken cancellationToken) => Require(
        await RunAsync(
            "initdb",
            [
                "-D", Cluster, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
                "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C", "--no-sync",
            ],
            cancellationToken));

    /// <summary>Starts it as what its folder says it is, and waits until it answers.</summary>
    /// <param name="upstream">What to follow as a replica; null for a primary.</param>
    public async Task StartAsync(PostgresServer? upstream, CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["max_connections"] = MaxConnections.ToString(CultureInfo.InvariantCulture),
            ["superuser_reserved_connections"] = "5",
            ["shared_buffers"] = "64MB",
            ["wal_level"] = "replica",
            ["max_wal_senders"] = "5",
            ["wal_keep_size"] = "512MB",
            ["hot_standby"] = "on",
            ["wal_receiver_status_interval"] = "1s",
            ["wal_retrieve_retry_interval"] = "200ms",
            ["wal_receiver_timeout"] = "10s",
            ["wal_sender_timeout"] = "10s",
        };
        if (upstream is not null)
        {
            settings["primary_conninfo"] = string.Create(
                CultureInfo.InvariantCulture,
                $"host=127.0.0.1 port={upstream.Port} user=postgres application_name={name} sslmode=disable");
            await File.WriteAllTextAsync(Path.Combine(Cluster, StandbySignal), "", cancellationToken);
        }

        await File.WriteAllTextAsync(
            Path.Combine(Cluster, "postgresql.conf"), EmbeddedSettings.Render(Port, settings), cancellationToken);
        if (user is not null)
        {
            await user.OwnAsync(Cluster, cancellationToken);
        }

        Require(await RunAsync(
            "pg_ctl", ["start", "-D", Cluster, "-l", Path.Combine(home, name + ".log"), "-w", "-t", "120", "-s"],
            cancellationToken));
    }

    /// <param name="mode">fast, which lets running transactions fail, or immediate, which is a crash.</param>
    public async Task StopAsync(string mode, CancellationToken cancellationToken) => Require(
        await RunAsync("pg_ctl", ["stop", "-D", Cluster, "-m", mode, "-w", "-t", "120"], cancellationToken));

    public async Task PromoteAsync(CancellationToken cancellationToken) => Require(
        await RunAsync("pg_ctl", ["promote", "-D", Cluster, "-w", "-t", "120"], cancellationToken));

    /// <summary>Whether a postmaster runs on the folder.</summary>
    public async Task<bool> IsRunningAsync() =>
        await PostmasterFile.ReadAsync(Cluster, CancellationToken.None) is { } file && file.IsAlive(Cluster);

    private Task<Tool.Outcome> RunAsync(string program, string[] arguments, CancellationToken cancellationToken) =>
        Tool.RunAsync([binaries.Program(program), .. arguments], user, home, cancellationToken);

    private void Require(Tool.Outcome outcome)
    {
        if (outcome.ExitCode != 0)
        {
            throw new StartupException($"PostgreSQL {name} ended with {outcome.ExitCode}: {outcome.Output}");
        }
    }
}

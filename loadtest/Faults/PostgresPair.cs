using System.Globalization;
using ChatPay.Server.Database;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// A primary and a replica that streams from it. A commit is acknowledged when both have it on disk, so that a fail-over
/// loses nothing that anybody was told of.
/// </summary>
internal sealed class PostgresPair : IAsyncDisposable
{
    private const string Database = "chatpay";
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(90);

    private PostgresPair(PostgresServer primary, PostgresServer replica) => (Primary, Replica) = (primary, replica);

    public PostgresServer Primary { get; private set; }

    public PostgresServer Replica { get; private set; }

    /// <summary>For the server: whichever of the two is the primary.</summary>
    public string ServerConnectionString => ConnectionStringOf(
        "chatpay_server", [Primary, Replica], "Target Session Attributes=primary;Host Recheck Seconds=1;Timeout=5");

    /// <summary>For migrations and for the run itself.</summary>
    public string OwnerConnectionString => ConnectionStringOf(
        "chatpay", [Primary, Replica], "Target Session Attributes=primary;Host Recheck Seconds=1;Timeout=5");

    public string FolderOfPrimary => Primary.Cluster;

    public static async Task<PostgresPair> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var home = Path.Combine(folder, "postgres");
        Directory.CreateDirectory(home);
        var user = await UnprivilegedUser.FindAsync(Path.Combine(home, "one"), cancellationToken);
        var binaries = await PostgresBinaries.Find(null).PrepareAsync(user, home, cancellationToken);
        if (user is not null)
        {
            await user.OwnAsync(home, cancellationToken);
        }

        var pair = new PostgresPair(new(binaries, user, home, "one"), new(binaries, user, home, "two"));
        try
        {
            await pair.Primary.InitialiseAsync(cancellationToken);
            await pair.Primary.StartAsync(null, cancellationToken);
            await using (var store = ReplicationStore.Open(SuperuserOf(pair.Primary, "postgres")))
            {
                await store.CreateDatabaseAsync(Database, cancellationToken);
            }

            await pair.AddReplicaAsync(cancellationToken);
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>A superuser's way to the primary, for what only an operator does.</summary>
    public ReplicationStore OpenPrimary() => ReplicationStore.Open(SuperuserOf(Primary, Database));

    /// <summary>Stops the primary and starts it again; a replica keeps following it.</summary>
    public async Task RestartAsync(string mode, TimeSpan pause, CancellationToken cancellationToken)
    {
        await Primary.StopAsync(mode, cancellationToken);
        await Task.Delay(pause, cancellationToken);
        await Primary.StartAsync(null, cancellationToken);
    }

    /// <summary>The primary dies; the replica takes its place, alone.</summary>
    public async Task FailOverAsync(CancellationToken cancellationToken)
    {
        await UntilInStepAsync(cancellationToken);
        await Primary.StopAsync("immediate", cancellationToken);
        await Replica.PromoteAsync(cancellationToken);
        (Primary, Replica) = (Replica, Primary);
    }

    /// <summary>Makes the replica anew out of a copy of the primary, and waits until it is in step.</summary>
    public async Task AddReplicaAsync(CancellationToken cancellationToken)
    {
        await using var store = OpenPrimary();
        if (Directory.Exists(Replica.Cluster))
        {
            Directory.Delete(Replica.Cluster, recursive: true);
        }

        await store.BackUpAsync(Primary.Cluster, Replica.Cluster, cancellationToken);
        await Replica.StartAsync(Primary, cancellationToken);
        await UntilAsync(
            async () => await store.IsStreamingAsync(Replica.Name, cancellationToken), "stream", cancellationToken);
        await store.RequireReplicaAsync(Replica.Name, cancellationToken);
        await UntilInStepAsync(cancellationToken);
    }

    /// <summary>Until the replica has what the primary has acknowledged.</summary>
    public async Task UntilInStepAsync(CancellationToken cancellationToken)
    {
        await using var store = OpenPrimary();
        var position = await store.PositionAsync(cancellationToken);
        await UntilAsync(
            async () => await store.IsInStepAsync(position, cancellationToken), "get in step", cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in new[] { Replica, Primary })
        {
            if (await server.IsRunningAsync())
            {
                await server.StopAsync("immediate", CancellationToken.None);
            }
        }
    }

    private static string ConnectionStringOf(string role, PostgresServer[] servers, string more) => string.Create(
        CultureInfo.InvariantCulture,
        $"Host={string.Join(',', servers.OrderBy(server => server.Name, StringComparer.Ordinal)
            .Select(server => $"127.0.0.1:{server.Port}"))};Username={role};Database={Database};SSL Mode=Disable;{more}");

    private static string SuperuserOf(PostgresServer server, string database) => string.Create(
        CultureInfo.InvariantCulture,
        $"Host=127.0.0.1;Port={server.Port};Username=postgres;Database={database};SSL Mode=Disable;Pooling=false");

    private async Task UntilAsync(Func<Task<bool>> holds, string what, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(s_timeout);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        try
        {
            while (!await holds())
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException($"PostgreSQL {Replica.Name} does not {what} with {Primary.Name}.", late);
        }
    }
}

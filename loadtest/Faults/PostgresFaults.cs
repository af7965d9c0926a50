using System.Globalization;
using Npgsql;

namespace ChatPay.LoadTest.Faults;

/// <summary>The database restarts, crashes, has no connection left, or fails over.</summary>
internal static class PostgresFaults
{
    public static Task RestartAsync(FaultRun run, CancellationToken cancellationToken) =>
        run.Bench.Postgres.RestartAsync("fast", TimeSpan.Zero, cancellationToken);

    public static Task StopAsync(FaultRun run, CancellationToken cancellationToken) =>
        run.Bench.Postgres.RestartAsync("immediate", run.Bench.Options.Absence, cancellationToken);

    /// <summary>Somebody else takes every connection there is, and the servers lose theirs.</summary>
    public static async Task ExhaustAsync(FaultRun run, CancellationToken cancellationToken)
    {
        await using var operatorStore = run.Bench.Postgres.OpenPrimary();
        await using var greedy = NpgsqlDataSource.Create(string.Create(
            CultureInfo.InvariantCulture,
            $"Host=127.0.0.1;Port={run.Bench.Postgres.Primary.Port};Username=chatpay;Database=chatpay;SSL Mode=Disable;"
            + $"Maximum Pool Size={PostgresServer.MaxConnections};Timeout=5"));
        var taken = new List<NpgsqlConnection>();
        var refused = false;
        try
        {
            // Again and again, because a server takes back what it can between two attempts.
            for (var round = 0; round < 3; round++)
            {
                await operatorStore.TerminateServersAsync(cancellationToken);
                refused |= await TakeAllAsync(greedy, taken, cancellationToken);
            }

            await Task.Delay(run.Bench.Options.Pause, cancellationToken);
        }
        finally
        {
            foreach (var connection in taken)
            {
                await connection.DisposeAsync();
            }
        }

        if (!refused)
        {
            run.Bench.Book.Violate(Rules.FaultsEffective, "PostgreSQL had connections left when it was to have none");
        }
    }

    /// <summary>The primary dies for good, its replica takes over, and a new replica is made in the dead one's place.</summary>
    public static async Task FailOverAsync(FaultRun run, CancellationToken cancellationToken)
    {
        await run.Bench.Postgres.FailOverAsync(cancellationToken);
        await run.RequireWorkAsync("on the replica that was promoted", cancellationToken);
        await run.Bench.Postgres.AddReplicaAsync(cancellationToken);
    }

    /// <returns>Whether it came to the end of them.</returns>
    private static async Task<bool> TakeAllAsync(
        NpgsqlDataSource source, List<NpgsqlConnection> taken, CancellationToken cancellationToken)
    {
        while (taken.Count < PostgresServer.MaxConnections)
        {
            try
            {
                taken.Add(await source.OpenConnectionAsync(cancellationToken));
            }
            catch (PostgresException full) when (full.SqlState == PostgresErrorCodes.TooManyConnections)
            {
                return true;
            }
        }

        return false;
    }
}

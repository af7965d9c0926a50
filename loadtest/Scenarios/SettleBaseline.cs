using System.Globalization;
using ChatPay.LoadTest.Baselines;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Measuring;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>The baseline: pgbench's transaction, one after the other on each of 8, 16 and 32 connections.</summary>
internal sealed class SettleBaseline(SettleRun run)
{
    public const string Statements = "tpcb";
    public const string Pipelined = "tpcb_pipelined";
    public const string RealPgbench = "pgbench";

    private static readonly int[] s_connections = [8, 16, 32];

    private readonly (string Name, TpcbShape Shape)[] _shapes =
    [
        .. new[] { (Name: Statements, TpcbShape.Statements), (Name: Pipelined, TpcbShape.Pipelined) }
            .Where(shape => run.Options.Wants(shape.Name)),
    ];

    private readonly string? _pgbench = run.Options.Wants(RealPgbench) ? Pgbench.Find() : null;

    private bool IsWanted => _shapes.Length > 0 || _pgbench is not null;

    /// <summary>Sections in a round.</summary>
    public int Sections => (_shapes.Length * s_connections.Length) + (_pgbench is null ? 0 : 1);

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (!IsWanted)
        {
            return;
        }

        run.Console.Begin("pgbench's tables");
        await TpcbStore.CreateAsync(run.DataSource, run.Options.TpcbScale, run.Options.TpcbAccounts, cancellationToken);
        await TpcbStore.VacuumAsync(run.DataSource, full: true, cancellationToken);
        run.Console.Done();
    }

    public async Task MeasureAsync(int round, CancellationToken cancellationToken)
    {
        // pgbench gets as many as suit its own shape best.
        var best = s_connections[^1];
        foreach (var (name, shape) in _shapes)
        {
            var fastest = await MeasureAsync(name, shape, round, cancellationToken);
            best = shape == TpcbShape.Statements ? fastest : best;
        }

        if (_pgbench is not null)
        {
            run.Console.Begin(RealPgbench);
            await TpcbStore.VacuumAsync(run.DataSource, full: false, cancellationToken);
            if (await Pgbench.RunAsync(
                _pgbench, run.ConnectionString, best, run.Options.Seconds, cancellationToken) is { } perSecond)
            {
                run.Add(round, RealPgbench, SectionResult.OfRate(perSecond));
            }
            else
            {
                run.Console.Done("pgbench is installed and did not run");
            }
        }
    }

    /// <summary>Whether pgbench's three balances still tell the same sum; takes its tables away.</summary>
    public async Task<bool> FinishAsync(CancellationToken cancellationToken)
    {
        if (!IsWanted)
        {
            return true;
        }

        var agree = await TpcbStore.IsConsistentAsync(run.DataSource, cancellationToken);
        await TpcbStore.DropAsync(run.DataSource, cancellationToken);
        return agree;
    }

    /// <returns>With how many connections it was fastest; that result is the round's.</returns>
    private async Task<int> MeasureAsync(
        string name, TpcbShape shape, int round, CancellationToken cancellationToken)
    {
        (int Connections, SectionResult Result)? best = null;
        foreach (var connections in s_connections)
        {
            var section = name + "_" + connections.ToString(CultureInfo.InvariantCulture);
            run.Console.Begin(section);
            await TpcbStore.VacuumAsync(run.DataSource, full: false, cancellationToken);
            var result = await MeasureAsync(shape, connections, cancellationToken);
            run.Add(round, section, result);
            best = best is null || result.PerSecond > best.Value.Result.PerSecond ? (connections, result) : best;
        }

        run.Log.Add(name, best!.Value.Result);
        return best.Value.Connections;
    }

    private async Task<SectionResult> MeasureAsync(
        TpcbShape shape, int connections, CancellationToken cancellationToken)
    {
        var gate = new WorkerGate();
        var clients = new List<TpcbClient>(connections);
        try
        {
            for (var index = 0; index < connections; index++)
            {
                clients.Add(await TpcbClient.ConnectAsync(
                    run.DataSource, run.Options.TpcbScale, run.Options.TpcbAccounts, shape, run.NextSeed(), gate,
                    cancellationToken));
            }

            var result = await Section.RunAsync(clients, 1, gate, run.Probe, run.Window, cancellationToken);

            // The server idles beside it: its tables and batches have nothing to say here.
            return result with { TableBytes = null, BatchMean = null };
        }
        finally
        {
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }
}

using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using Npgsql;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What a scenario with servers in their own processes begins and ends with.</summary>
internal sealed class ServingBench : IAsyncDisposable
{
    private readonly ServingOptions _options;
    private readonly DateTimeOffset _startedAt = TimeProvider.System.GetUtcNow();
    private readonly string _commit;
    private readonly Machine _machine;

    private ServingBench(
        ServingOptions options, ScenarioConsole console, DatabaseUnderTest database, NpgsqlDataSource owner,
        ServingProbe probe, string commit, Machine machine)
    {
        (_options, Console, Database, Owner, Probe) = (options, console, database, owner, probe);
        (_commit, _machine) = (commit, machine);
    }

    public ScenarioConsole Console { get; }

    public DatabaseUnderTest Database { get; }

    /// <summary>The run's own connections, as the owner of the tables.</summary>
    public NpgsqlDataSource Owner { get; }

    public ServingProbe Probe { get; }

    /// <summary>Starts the database; the first server that is started over it brings it to its schema.</summary>
    public static async Task<ServingBench> StartAsync(
        ServingOptions options, ScenarioConsole console, CancellationToken cancellationToken)
    {
        console.Begin("PostgreSQL");
        var commit = await RunIdentity.CommitAsync(cancellationToken);
        var database = await DatabaseUnderTest.StartAsync(options.Database, null, cancellationToken);
        NpgsqlDataSource? owner = null;
        try
        {
            owner = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(database.ConnectionString) { ApplicationName = "loadtest" });
            var machine = Machine.Describe(
                database.Folder, await MeasuredStore.ReadSettingsAsync(owner, cancellationToken));
            console.Done(machine.ToString());
            return new ServingBench(
                options, console, database, owner, await ServingProbe.OpenAsync(owner, cancellationToken), commit, machine);
        }
        catch
        {
            if (owner is not null)
            {
                await owner.DisposeAsync();
            }

            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Shows and writes the report of a run that has come to its end.</summary>
    public Task<int> ConcludeAsync(
        string scenario, IReadOnlyDictionary<string, object> figures, IReadOnlyDictionary<string, double> ratios,
        IReadOnlyDictionary<string, bool> invariants, IReadOnlyDictionary<string, RatioTarget> targets,
        CancellationToken cancellationToken)
    {
        var whole = new Dictionary<string, object>(figures, StringComparer.Ordinal)
        {
            ["server_settings"] = _options.Server,
        };
        return new Report(scenario, _options.Command, _commit, _machine, _startedAt, whole, ratios, invariants)
            .ConcludeAsync(Console, targets, _options.Json, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Probe.DisposeAsync();
        await Owner.DisposeAsync();
        await Database.DisposeAsync();
    }
}

using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Reporting;
using Npgsql;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What every scenario begins with: the database, the server over it, and what its report says of the run.</summary>
internal sealed class ScenarioBench : IAsyncDisposable
{
    private readonly DateTimeOffset _startedAt;
    private readonly string _commit;
    private readonly Machine _machine;

    private ScenarioBench(
        DatabaseUnderTest database, EngineHost engine, NpgsqlDataSource owner, DateTimeOffset startedAt, string commit,
        Machine machine)
    {
        (Database, Engine, Owner) = (database, engine, owner);
        (_startedAt, _commit, _machine) = (startedAt, commit, machine);
    }

    public DatabaseUnderTest Database { get; }

    public EngineHost Engine { get; }

    /// <summary>The run's own connections, apart from the engine's, as the owner of the tables.</summary>
    public NpgsqlDataSource Owner { get; }

    /// <param name="connectionString">A PostgreSQL of one's own; null for an embedded one.</param>
    /// <param name="dataFolder">Where to keep the embedded one; null to throw it away.</param>
    public static async Task<ScenarioBench> StartAsync(
        ScenarioConsole console, string? connectionString, string? dataFolder, CancellationToken cancellationToken)
    {
        console.Begin("PostgreSQL and the server");
        var startedAt = TimeProvider.System.GetUtcNow();
        var commit = await RunIdentity.CommitAsync(cancellationToken);
        var database = await DatabaseUnderTest.StartAsync(connectionString, dataFolder, cancellationToken);
        EngineHost? engine = null;
        NpgsqlDataSource? owner = null;
        try
        {
            engine = await EngineHost.StartAsync(database, cancellationToken);
            owner = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(database.ConnectionString) { ApplicationName = "loadtest" });
            var machine = Machine.Describe(
                database.Folder, await MeasuredStore.ReadSettingsAsync(owner, cancellationToken));
            console.Done(machine.ToString());
            return new ScenarioBench(database, engine, owner, startedAt, commit, machine);
        }
        catch
        {
            await DisposeAsync(owner, engine, database);
            throw;
        }
    }

    /// <summary>The report of a run that has come to its end.</summary>
    public Report Report(
        string scenario, string command, IReadOnlyDictionary<string, object> figures,
        IReadOnlyDictionary<string, double> ratios, IReadOnlyDictionary<string, bool> invariants) =>
        new(scenario, command, _commit, _machine, _startedAt, figures, ratios, invariants);

    public ValueTask DisposeAsync() => DisposeAsync(Owner, Engine, Database);

    private static async ValueTask DisposeAsync(params IAsyncDisposable?[] parts)
    {
        foreach (var part in parts.OfType<IAsyncDisposable>())
        {
            await part.DisposeAsync();
        }
    }
}

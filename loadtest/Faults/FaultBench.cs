using System.Globalization;
using ChatPay.LoadTest.Driving;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// Everything that can fail, as processes of this run: two servers, PostgreSQL with a replica, Redis, nginx where there is
/// one, and a proxy of the run's own before them that can cut.
/// </summary>
internal sealed class FaultBench : IAsyncDisposable
{
    private const int Nodes = 2;

    private readonly List<IAsyncDisposable> _parts = [];
    private readonly List<ServerNode> _nodes = [];
    private readonly List<CutProxy> _proxies = [];
    private readonly DirectoryInfo _folder;
    private SplitMix64 _random;

    private FaultBench(FaultOptions options)
    {
        Options = options;
        _folder = Directory.CreateTempSubdirectory("chatpay-faults-");
        _random = new SplitMix64(~options.Seed);
        if (!OperatingSystem.IsWindows())
        {
            // Run as root, PostgreSQL becomes another user, who has to get through here.
            _folder.UnixFileMode |= UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        }

        Redis = new RedisServer(_folder.FullName);
        _parts.Add(Redis);
    }

    public FaultOptions Options { get; }

    public HistoryBook Book { get; } = new();

    public FaultCounts Counts { get; } = new();

    public RedisServer Redis { get; }

    public PostgresPair Postgres { get; private set; } = null!;

    /// <summary>The run's own connections to the primary, as the owner of the tables.</summary>
    public NpgsqlDataSource Owner { get; private set; } = null!;

    public FaultCrowd Crowd { get; private set; } = null!;

    /// <summary>Whether nginx stands before the nodes; otherwise clients know the nodes' addresses.</summary>
    public bool HasNginx { get; private set; }

    /// <summary>What the names of this run's channels begin with.</summary>
    public string Prefix { get; } = "faults";

    public IReadOnlyList<ServerNode> AllNodes => _nodes;

    public IReadOnlyList<CutProxy> Proxies => _proxies;

    /// <summary>Where clients connect.</summary>
    public IReadOnlyList<Uri> Front => [.. _proxies.Select(proxy => proxy.Address)];

    /// <summary>Starts everything but Redis, which a server must be able to start without.</summary>
    public static async Task<FaultBench> StartAsync(FaultOptions options, CancellationToken cancellationToken)
    {
        var bench = new FaultBench(options);
        try
        {
            bench.Postgres = bench.Keep(await PostgresPair.StartAsync(bench._folder.FullName, cancellationToken));
            bench.Owner = bench.Keep(PrimarySource.Create(new(bench.Postgres.OwnerConnectionString)
            {
                ApplicationName = "loadtest",

                // A connection that has lived through a fail-over is of no use.
                Pooling = false,
            }));
            await bench.StartNodesAsync(cancellationToken);
            await bench.StartFrontAsync(cancellationToken);
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>Signs everybody up and lets them begin.</summary>
    public async Task GatherAsync(CancellationToken cancellationToken)
    {
        Crowd = Keep(await FaultCrowd.GatherAsync(
            Options.People, _nodes[0].Address, Front, Owner, Book, Options.Seed, cancellationToken));
        Crowd.Begin(Options.Seed);
    }

    /// <summary>0 to <paramref name="end"/> - 1 from the schedule's seed.</summary>
    public int Below(int end) => _random.Below(end);

    public ServerNode AnyNode() => _nodes[Below(_nodes.Count)];

    /// <summary>Half of the clients lose their connection, so that they spread over the nodes again.</summary>
    public void Spread() => _proxies.ForEach(proxy => proxy.CutSome(() => Below(2) == 0));

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    private async Task StartNodesAsync(CancellationToken cancellationToken)
    {
        foreach (var index in Enumerable.Range(1, Nodes))
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"node{index}");
            var log = Options.Logs is { } logs ? new FileInfo(Path.Combine(logs.FullName, name + ".log")) : null;
            log?.Directory!.Create();
            _nodes.Add(Keep(new ServerNode(name, _folder.FullName, Settings(), log)));

            // One after the other: the first brings the database to its schema.
            await _nodes[^1].StartAsync(cancellationToken);
        }
    }

    private async Task StartFrontAsync(CancellationToken cancellationToken)
    {
        if (NginxProxy.Find() is { } program)
        {
            var nginx = Keep(await NginxProxy.StartAsync(
                program, _folder.FullName, _nodes.Select(node => node.Port), cancellationToken));
            _proxies.Add(Keep(CutProxy.To(nginx.Port)));
            HasNginx = true;
        }
        else
        {
            _proxies.AddRange(_nodes.Select(node => Keep(CutProxy.To(node.Port))));
        }
    }

    private Dictionary<string, string> Settings() => new(StringComparer.Ordinal)
    {
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["Logging:LogLevel:Default"] = "Warning",
        ["Database:ConnectionString"] = Postgres.ServerConnectionString,
        ["Database:OwnerConnectionString"] = Postgres.OwnerConnectionString,
        ["Database:MaxPoolSize"] = "20",
        ["Vault:KeyFolder"] = Path.Combine(_folder.FullName, "vault-keys"),
        ["Cluster:Redis"] = Redis.Address,
        ["Cluster:Prefix"] = Prefix,
        ["Ledger:Sandbox:Enabled"] = "true",
        ["Ledger:Sandbox:AllowOutsideDevelopment"] = "true",
        ["RateLimits:SignInPerMinute"] = "1000000",

        // So that a dead or paused node is noticed within the run, and a reader that does not read as well.
        ["Realtime:KeepAliveSeconds"] = "2",
        ["Realtime:ClientTimeoutSeconds"] = "20",
        ["Realtime:SlowReaderSeconds"] = "5",
    };

    private T Keep<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }
}

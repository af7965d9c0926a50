namespace ChatPay.LoadTest.Scenarios;

/// <summary>What every scenario that drives a server in its own process can be asked for.</summary>
internal record ServingOptions
{
    public const int RoundsMax = 100;
    public const int SecondsMax = 600;
    public const int WarmUpMax = 100_000_000;
    public const int PayloadMax = 60_000;

    /// <summary>Below it a message has no room for what its header says.</summary>
    public const int PayloadMin = 96;

    public int Rounds { get; init; } = 3;

    /// <summary>Measured in each section of each round.</summary>
    public int Seconds { get; init; } = 5;

    /// <summary>
    /// Every server delivers so many before the first round, so that its code is compiled: messages and not time, because a
    /// busy machine needs longer to compile the same code.
    /// </summary>
    public int WarmUp { get; init; } = 80_000;

    public TimeSpan Window => TimeSpan.FromSeconds(Seconds);

    public int PayloadBytes { get; init; } = 160;

    /// <summary>Servers to drive; empty for all. Ratios need both of their sides.</summary>
    public IReadOnlyCollection<string> Only { get; init; } = [];

    /// <summary>Of which servers a scenario has something to measure.</summary>
    public IReadOnlyList<string> Choice { get; init; } = Serving.Servers.Names;

    public IReadOnlyList<string> Servers =>
        [.. Choice.Where(name => Only.Count == 0 || Only.Contains(name, StringComparer.Ordinal))];

    public string? Database { get; init; }

    public IReadOnlyDictionary<string, string> Server { get; init; } = Serving.ServerSettings.Defaults;

    public FileInfo? Json { get; init; }

    /// <summary>As typed, for the report.</summary>
    public string Command { get; init; } = "";
}

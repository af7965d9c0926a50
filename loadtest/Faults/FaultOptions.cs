namespace ChatPay.LoadTest.Faults;

/// <summary>What a run of <c>faults</c> was asked for.</summary>
internal sealed record FaultOptions
{
    public const int MinutesMax = 1_440;
    public const int PeopleMin = 8;
    public const int PeopleMax = 200;

    /// <summary>From so long on faults last as long as in life, not as short as they still mean something.</summary>
    private const int SoakMinutes = 10;

    /// <summary>Faults go on for so long, and every kind comes at least once.</summary>
    public required int Minutes { get; init; }

    public required ulong Seed { get; init; }

    public required IReadOnlyList<FaultKind> Kinds { get; init; }

    public required int People { get; init; }

    /// <summary>Where the servers' own logs are kept; null for nowhere.</summary>
    public DirectoryInfo? Logs { get; init; }

    public FileInfo? Json { get; init; }

    public required string Command { get; init; }

    /// <summary>How long what is paused stays so.</summary>
    public TimeSpan Pause => TimeSpan.FromSeconds(Minutes >= SoakMinutes ? 30 : 4);

    /// <summary>How long what is away stays so.</summary>
    public TimeSpan Absence => TimeSpan.FromSeconds(Minutes >= SoakMinutes ? 5 : 1);
}

using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What a run of <c>settle</c> was asked for.</summary>
internal sealed record SettleOptions
{
    public const int RoundsMin = 3;
    public const int RoundsMax = 100;
    public const int SecondsMax = 600;
    public const int AccountsMin = 1_000;
    public const int AccountsMax = 1_000_000;
    public const int CallersMin = 64;

    /// <summary>Half the write path's queue: nobody is refused, and batches are always full.</summary>
    public const int CallersMax = 8_192;

    public int Rounds { get; init; } = RoundsMin;

    /// <summary>Measured in each section of each round.</summary>
    public int Seconds { get; init; } = 5;

    public int Accounts { get; init; } = 100_000;

    /// <summary>Commands waiting at once where throughput is measured.</summary>
    public int Callers { get; init; } = 4_096;

    public IdOrder Ids { get; init; } = IdOrder.Time;

    /// <summary>pgbench's scale: how many branches the baseline has. Below its connections they contend.</summary>
    public int TpcbScale { get; init; } = 32;

    /// <summary>In each branch; 100,000 is pgbench's own number.</summary>
    public int TpcbAccounts { get; init; } = 100_000;

    /// <summary>A PostgreSQL of one's own; null for an embedded one in a temporary folder.</summary>
    public string? Database { get; init; }

    public FileInfo? Json { get; init; }

    /// <summary>Sections to measure; empty for all. Ratios need both of their sides.</summary>
    public IReadOnlyCollection<string> Only { get; init; } = [];

    /// <summary>As typed, for the report.</summary>
    public required string Command { get; init; }

    public static IReadOnlyList<string> Sections { get; } =
    [
        SettleBaseline.Statements, SettleBaseline.Pipelined, SettleBaseline.RealPgbench,
        .. SettleWorkloads.Throughput, SettleWorkloads.Latency, SettleWorkloads.DriverAlone,
    ];

    public bool Wants(string section) => Only.Count == 0 || Only.Contains(section, StringComparer.Ordinal);
}

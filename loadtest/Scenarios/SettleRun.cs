using System.Diagnostics;
using System.Globalization;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using Npgsql;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What the parts of one run share.</summary>
internal sealed class SettleRun(
    SettleOptions options, ScenarioConsole console, string connectionString, NpgsqlDataSource dataSource,
    EngineHost engine, Probe probe)
{
    private ulong _seed = (ulong)Stopwatch.GetTimestamp();

    public SettleOptions Options => options;

    public ScenarioConsole Console => console;

    public string ConnectionString => connectionString;

    /// <summary>The run's own connections, apart from the engine's.</summary>
    public NpgsqlDataSource DataSource => dataSource;

    public EngineHost Engine => engine;

    public Probe Probe => probe;

    public SectionLog Log { get; } = new();

    public TimeSpan Window => TimeSpan.FromSeconds(options.Seconds);

    public ulong NextSeed() => SplitMix64.Mix(_seed++);

    /// <summary>Takes down a section's result and shows it.</summary>
    public void Add(int round, string section, SectionResult result)
    {
        Log.Add(section, result);
        var latency = result is { P50: { } p50, P99: { } p99 }
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"  p50 {p50.TotalMilliseconds,8:N2} ms  p99 {p99.TotalMilliseconds,8:N2} ms")
            : "";
        console.Done(string.Create(
            CultureInfo.InvariantCulture, $"round {round}: {section,-17} {result.PerSecond,9:N0} /s") + latency);
    }
}

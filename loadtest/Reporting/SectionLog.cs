using ChatPay.LoadTest.Measuring;

namespace ChatPay.LoadTest.Reporting;

/// <summary>Every section's results, round by round, and their medians.</summary>
internal sealed class SectionLog
{
    private readonly Dictionary<string, List<SectionResult>> _sections = new(StringComparer.Ordinal);

    public void Add(string section, SectionResult result)
    {
        if (!_sections.TryGetValue(section, out var results))
        {
            _sections.Add(section, results = []);
        }

        results.Add(result);
    }

    public bool Has(string section) => _sections.ContainsKey(section);

    public double MedianPerSecond(string section) =>
        Statistics.Median(_sections[section].Select(result => result.PerSecond));

    public double? Median(string section, Func<SectionResult, double?> value) =>
        _sections.TryGetValue(section, out var results) ? MedianOf(results, value) : null;

    /// <summary>CPU time of both processes for one; null where PostgreSQL is on another machine.</summary>
    public double? MedianCpuMicros(string section) =>
        MedianOf(_sections[section], result => result.ProcessCpuMicros + result.PostgresCpuMicros);

    /// <summary>Of each section the medians over the rounds, and each round's rate.</summary>
    public Dictionary<string, object> Figures() => _sections.ToDictionary(
        section => section.Key, section => (object)SectionFigures.Of(section.Value), StringComparer.Ordinal);

    /// <summary>Over the rounds that have it; null where none has.</summary>
    public static double? MedianOf(IReadOnlyList<SectionResult> rounds, Func<SectionResult, double?> value)
    {
        double[] values = [.. rounds.Select(value).OfType<double>()];
        return values.Length == 0 ? null : Statistics.Median(values);
    }
}

/// <summary>Medians over the rounds; what is said for each is for one settled payment or transaction.</summary>
internal sealed record SectionFigures(
    double PerSecond, IReadOnlyList<double> PerSecondByRound, double? P50Ms, double? P99Ms, double? ProcessCpuMicros,
    double? PostgresCpuMicros, double? TableBytes, double? WalBytes, double? BatchMean)
{
    /// <summary>Of this process, where the server has its own.</summary>
    public double? DriverCpuMicros { get; init; }

    public static SectionFigures Of(IReadOnlyList<SectionResult> rounds)
    {
        double? Middle(Func<SectionResult, double?> value, int digits = 1) =>
            SectionLog.MedianOf(rounds, value) is { } median ? Math.Round(median, digits) : null;
        return new SectionFigures(
            Middle(round => round.PerSecond)!.Value,
            [.. rounds.Select(round => Math.Round(round.PerSecond, 1))],
            Middle(round => round.P50?.TotalMilliseconds, 3),
            Middle(round => round.P99?.TotalMilliseconds, 3),
            Middle(round => round.ProcessCpuMicros),
            Middle(round => round.PostgresCpuMicros),
            Middle(round => round.TableBytes),
            Middle(round => round.WalBytes),
            Middle(round => round.BatchMean))
        {
            DriverCpuMicros = Middle(round => round.DriverCpuMicros),
        };
    }
}

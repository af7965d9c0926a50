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

    public double MedianPerSecond(string section) =>
        Statistics.Median(_sections[section].Select(result => result.PerSecond));

    /// <summary>Of each section the medians over the rounds, and each round's rate.</summary>
    public IReadOnlyDictionary<string, object> Figures() => _sections.ToDictionary(
        section => section.Key, section => (object)SectionFigures.Of(section.Value), StringComparer.Ordinal);
}

/// <summary>Medians over the rounds; what is said for each is for one settled payment or transaction.</summary>
internal sealed record SectionFigures(
    double PerSecond, IReadOnlyList<double> PerSecondByRound, double P50Ms, double P99Ms, double ProcessCpuMicros,
    double? PostgresCpuMicros, double TableBytes, double WalBytes, double? BatchMean)
{
    public static SectionFigures Of(IReadOnlyList<SectionResult> rounds)
    {
        double Middle(Func<SectionResult, double> value, int digits = 1) =>
            Math.Round(Statistics.Median(rounds.Select(value)), digits);
        double? Maybe(Func<SectionResult, double?> value) =>
            rounds.All(round => value(round) is not null) ? Middle(round => value(round)!.Value) : null;
        return new SectionFigures(
            Middle(round => round.PerSecond),
            [.. rounds.Select(round => Math.Round(round.PerSecond, 1))],
            Middle(round => round.P50.TotalMilliseconds, 3),
            Middle(round => round.P99.TotalMilliseconds, 3),
            Middle(round => round.ProcessCpuMicros),
            Maybe(round => round.PostgresCpuMicros),
            Middle(round => round.TableBytes),
            Middle(round => round.WalBytes),
            Maybe(round => round.BatchMean));
    }
}

using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>Medians of one section over medians of another; what could not be measured has no ratio.</summary>
internal sealed class ServingRatios(SectionLog log)
{
    private const int Digits = 3;

    public Dictionary<string, double> All { get; } = new(StringComparer.Ordinal);

    public void Add(
        string name, string section, string baseline, Func<SectionResult, double?> value,
        Func<SectionResult, double?>? ofBaseline = null)
    {
        if (log.Median(section, value) is { } over && log.Median(baseline, ofBaseline ?? value) is { } under and > 0)
        {
            All.Add(name, Math.Round(over / under, Digits));
        }
    }
}

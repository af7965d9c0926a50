using System.Globalization;
using ChatPay.LoadTest.Measuring;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>One line of progress about one section.</summary>
internal static class ExchangeLine
{
    public static string Of(int round, string section, SectionResult result) => string.Create(
        CultureInfo.InvariantCulture,
        $"round {round}: {section,-24} {result.PerSecond,9:N0} /s  p50 {result.P50?.TotalMilliseconds,7:N2} ms  p99 "
        + $"{result.P99?.TotalMilliseconds,7:N2} ms  server {result.ProcessCpuMicros,6:N1} µs  PostgreSQL "
        + $"{result.PostgresCpuMicros,6:N1} µs  driver {result.DriverCpuMicros,6:N1} µs");
}

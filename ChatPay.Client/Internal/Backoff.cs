using System.Globalization;
using System.Text.Json;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// How long to wait before the next attempt. The web client reckons in the same way (<c>web/src/net/jitter.ts</c>).
/// </summary>
internal static class Backoff
{
    private const int MaxDoublings = 20;

    /// <summary>
    /// Full jitter: anything up to an exponentially growing, capped delay, so that clients do not return in step.
    /// </summary>
    public static TimeSpan FullJitter(int attempt, TimeSpan baseDelay, TimeSpan cap, Func<double> random) =>
        random() * TimeSpan.FromTicks(Math.Min(cap.Ticks, Scaled(baseDelay, Math.Min(attempt, MaxDoublings))));

    /// <summary>A delay that the server named, and up to as much again: many clients may have been told the same.</summary>
    public static TimeSpan Asked(TimeSpan asked, Func<double> random) => asked + (random() * asked);

    /// <summary>What <c>details.retryAfterMs</c> of an error says; null where it says nothing.</summary>
    public static TimeSpan? RetryAfter(ErrorBody error)
    {
        if (error.Details is null || !error.Details.TryGetValue("retryAfterMs", out var value))
        {
            return null;
        }

        var text = value is JsonElement element ? element.GetRawText() : Convert.ToString(value, CultureInfo.InvariantCulture);
        return int.TryParse(text, CultureInfo.InvariantCulture, out var ms) && ms >= 0 ? TimeSpan.FromMilliseconds(ms) : null;
    }

    private static long Scaled(TimeSpan baseDelay, int doublings) =>
        (long)Math.Min(long.MaxValue / 2, baseDelay.Ticks * Math.Pow(2, doublings));
}

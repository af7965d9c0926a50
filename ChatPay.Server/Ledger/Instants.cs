using System.Globalization;
using System.Text.RegularExpressions;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger;

/// <summary>Instants as clients write them: RFC 3339, or a date for its midnight in UTC.</summary>
internal static partial class Instants
{
    /// <summary>The database counts time in these; so are instants compared.</summary>
    public static readonly TimeSpan Resolution = TimeSpan.FromMicroseconds(1);

    /// <param name="text">As it came in the query; null or empty for none.</param>
    /// <param name="name">Of the parameter, for the sentence.</param>
    /// <param name="instant">In UTC, cut to microseconds; null where there is none.</param>
    /// <returns>What is wrong with it, or null.</returns>
    public static Error? Read(string? text, string name, out DateTimeOffset? instant)
    {
        instant = null;
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        // The pattern first, because what .NET reads as a date is a wide field.
        if (!Form().IsMatch(text) || !DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var parsed))
        {
            return new Error(
                ErrorCode.InvalidArgument,
                $"Write {name} as in RFC 3339, such as 2026-11-20T09:30:00Z or 2026-11-20; a + in it as %2B.");
        }

        instant = new DateTimeOffset(parsed.Ticks - (parsed.Ticks % Resolution.Ticks), TimeSpan.Zero);
        return null;
    }

    public static Error InTheFuture(string name, DateTimeOffset now) => new(
        ErrorCode.InvalidArgument,
        $"What {name} names has not happened yet: it is {Text(now)}. Leave {name} out for now.");

    /// <summary>RFC 3339 in UTC with the decimals there are.</summary>
    public static string Text(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);

    [GeneratedRegex(
        """^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?\z""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Form();
}

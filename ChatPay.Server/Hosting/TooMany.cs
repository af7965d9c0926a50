using System.Threading.RateLimiting;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Hosting;

/// <summary><c>too_many_requests</c>, which always says when to come back.</summary>
internal static class TooMany
{
    private static readonly TimeSpan s_unsaid = TimeSpan.FromSeconds(10);

    public static Error Requests(string sentence, TimeSpan wait) => new(
        ErrorCode.TooManyRequests, sentence,
        new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["retryAfterMs"] = (int)Math.Clamp(Math.Ceiling(wait.TotalMilliseconds), 1, int.MaxValue),
        });

    /// <param name="refused">A lease that was not acquired.</param>
    public static Error Requests(string sentence, RateLimitLease refused)
    {
        ArgumentNullException.ThrowIfNull(refused);
        return Requests(sentence, refused.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : s_unsaid);
    }
}

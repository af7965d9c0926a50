using System.Globalization;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Hosting;

/// <summary>
/// Whether this node is on its way out. Readiness says so at once, so that nobody new is sent here, and the hub's
/// door is shut.
/// </summary>
internal sealed class Draining
{
    private int _begun;

    public bool HasBegun => Volatile.Read(ref _begun) != 0;

    /// <summary>For good: a node that stops does not start again.</summary>
    public void Begin() => Volatile.Write(ref _begun, 1);

    /// <summary>What whoever comes now is told.</summary>
    public static Error Refusal { get; } = RetryLater.Of(
        ErrorCode.Unavailable, "This server is about to stop. Another one, or this one a little later, will do.",
        TimeSpan.FromSeconds(1));
}

/// <summary>Errors that say when to come back, over the hub and over HTTP.</summary>
internal static class RetryLater
{
    private const string Member = "retryAfterMs";

    public static Error Of(ErrorCode code, string sentence, TimeSpan wait) => new(
        code, sentence,
        new Dictionary<string, object>(StringComparer.Ordinal)
        {
            [Member] = (int)Math.Clamp(Math.Ceiling(wait.TotalMilliseconds), 1, int.MaxValue),
        });

    /// <summary>Answers with the error and, for what reads no bodies, such as WebSockets, with Retry-After.</summary>
    public static Task WriteAsync(HttpContext context, Error error)
    {
        if (error.Details?.GetValueOrDefault(Member) is int waitMs)
        {
            var seconds = Math.Max(1, (waitMs + 999) / 1000);
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return new ErrorResult(error).ExecuteAsync(context);
    }
}

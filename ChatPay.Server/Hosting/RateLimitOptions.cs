using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Hosting;

/// <summary>Configuration section <c>RateLimits</c>: requests per minute, each caller for itself.</summary>
internal sealed class RateLimitOptions
{
    public const string Section = "RateLimits";

    /// <summary>
    /// Sign-ups from one address, requests per minute, 1 to 1,000,000; for sign-ins see SignInLimits. Default 30.
    /// </summary>
    [Range(1, 1_000_000)]
    public int SignInPerMinute { get; set; } = 30;

    /// <summary>Requests that change something, of one device, per minute, 1 to 1,000,000. Default 600.</summary>
    [Range(1, 1_000_000)]
    public int WritesPerMinute { get; set; } = 600;

    /// <summary>Requests that only read, of one device, per minute, 1 to 1,000,000. Default 1,200.</summary>
    [Range(1, 1_000_000)]
    public int ReadsPerMinute { get; set; } = 1200;

    /// <summary>Exports of a statement, of one device, per minute, 1 to 1,000,000. Default 10.</summary>
    [Range(1, 1_000_000)]
    public int ExportsPerMinute { get; set; } = 10;
}

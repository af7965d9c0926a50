using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using ChatPay.Core.Protocol;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Hosting;

/// <summary>The rate-limit policies that endpoint groups name with <c>RequireRateLimiting</c>.</summary>
internal static class RateLimitPolicies
{
    /// <summary>
    /// Sign-up: by address, because nobody is known yet. Not sign-in, where it would let a stranger behind the same address
    /// keep an owner's own device out; failures are counted there instead.
    /// </summary>
    public const string SignIn = "sign-in";

    /// <summary>What changes something: by device.</summary>
    public const string Writes = "writes";

    /// <summary>What only reads: by device.</summary>
    public const string Reads = "reads";

    /// <summary>What reads very much: by device.</summary>
    public const string Exports = "exports";
}

/// <summary>Bounds on what one connection, one request and one caller may take.</summary>
internal static class RequestLimits
{
    private const int HeadersTotalBytes = 16 * 1024;
    private const int SegmentsPerWindow = 6;

    public static void AddRequestLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<RateLimitOptions>(RateLimitOptions.Section);
        builder.WebHost.ConfigureKestrel((context, kestrel) =>
        {
            var options = context.Configuration.GetSection(HostingOptions.Section).Get<HostingOptions>() ?? new();
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = Limits.HttpBodyBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = HeadersTotalBytes;
            kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
            kestrel.Limits.MaxConcurrentUpgradedConnections = options.MaxConnections;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(options.RequestHeadersTimeoutSeconds);
        });
        builder.Services.AddRateLimiter(limiter => limiter.OnRejected = RejectAsync);
        builder.Services.AddOptions<RateLimiterOptions>().Configure<IOptions<RateLimitOptions>>((limiter, options) =>
        {
            limiter.AddPolicy(
                RateLimitPolicies.SignIn,
                context => Window("address " + AddressOf(context), options.Value.SignInPerMinute));
            limiter.AddPolicy(
                RateLimitPolicies.Writes, context => Window(CallerOf(context), options.Value.WritesPerMinute));
            limiter.AddPolicy(
                RateLimitPolicies.Reads, context => Window(CallerOf(context), options.Value.ReadsPerMinute));
            limiter.AddPolicy(
                RateLimitPolicies.Exports, context => Window(CallerOf(context), options.Value.ExportsPerMinute));
        });
    }

    /// <summary>
    /// The address a limit counts by. An IPv6 customer has a whole /64, so its addresses count as one.
    /// </summary>
    public static string AddressOf(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? new IPAddress([.. address.GetAddressBytes().AsSpan(0, 8), .. new byte[8]]) + "/64"
            : address.ToString();
    }

    private static string CallerOf(HttpContext context) =>
        context.User.FindFirst(CallerClaims.Device)?.Value ?? "address " + AddressOf(context);

    private static RateLimitPartition<string> Window(string caller, int permitsPerMinute) =>
        RateLimitPartition.GetSlidingWindowLimiter(caller, _ => new SlidingWindowRateLimiterOptions
        {
            PermitLimit = permitsPerMinute,
            Window = TimeSpan.FromMinutes(1),
            SegmentsPerWindow = SegmentsPerWindow,
            QueueLimit = 0,
        });

    private static async ValueTask RejectAsync(OnRejectedContext rejected, CancellationToken cancellationToken)
    {
        // A sliding window frees permits a segment at a time.
        var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after)
            ? after
            : TimeSpan.FromMinutes(1) / SegmentsPerWindow;
        var seconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
        rejected.HttpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        var error = TooMany.Requests("Too many requests. Wait a little.", TimeSpan.FromSeconds(seconds));
        await new ErrorResult(error).ExecuteAsync(rejected.HttpContext);
    }
}

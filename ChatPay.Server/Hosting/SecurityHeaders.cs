using System.Buffers;

namespace ChatPay.Server.Hosting;

/// <summary>What every answer tells the browser not to do.</summary>
internal static class SecurityHeaders
{
    private const string PermissionsPolicy =
        "accelerometer=(), autoplay=(), camera=(self), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        + "microphone=(), midi=(), payment=(), publickey-credentials-get=(self), usb=(), xr-spatial-tracking=()";

    private static readonly SearchValues<char> s_hostCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]");

    public static void UseSecurityHeaders(this WebApplication app) => app.Use((context, next) =>
    {
        Apply(context);
        return next(context);
    });

    public static void Apply(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy(context.Request);
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = PermissionsPolicy;
        if (context.Request.IsHttps)
        {
            // Two years; subdomains are their owners' business.
            headers.StrictTransportSecurity = "max-age=63072000";
        }
    }

    /// <summary>
    /// Scripts, styles and connections of the server's own only; nothing inline, and nothing evaluated but WebAssembly,
    /// which makes no script of text: the web client stretches PINs in it. 'self' does not cover WebSockets in every
    /// browser, so they are named by host.
    /// </summary>
    private static string ContentSecurityPolicy(HttpRequest request)
    {
        var host = request.Host.Value ?? "";
        var socket = host.AsSpan().ContainsAnyExcept(s_hostCharacters) || host.Length == 0
            ? ""
            : $" {(request.IsHttps ? "wss" : "ws")}://{host}";
        var others = request.HttpContext.RequestServices.GetService<PageConnections>()?.Sources;
        return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
            + $"img-src 'self' data: blob:; font-src 'self'; connect-src 'self'{socket}{others}; "
            + "worker-src 'self'; manifest-src 'self'; media-src 'self' blob:; "
            + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
    }
}

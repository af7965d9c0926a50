using ChatPay.Core.Protocol;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Hosting;

/// <summary>
/// Refuses what another site's page sends with this site's cookie: on the WebSocket, which browsers open across origins
/// without asking, and on every method that changes something.
/// </summary>
/// <remarks>
/// Browsers send Origin with WebSockets and unsafe methods always. A request that carries a cookie but no Origin is
/// therefore refused; one without either comes from no browser, and has a bearer token to show.
/// </remarks>
internal static class OriginCheck
{
    private static readonly Error s_forbidden = new(
        ErrorCode.ForbiddenOrigin, "This page may not talk to this server.");

    public static void UseOriginCheck(this WebApplication app)
    {
        var allowed = app.Services.GetRequiredService<IOptions<HostingOptions>>().Value.AllowedOrigins
            .Select(origin => origin.TrimEnd('/'))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        app.Use((context, next) => Passes(context.Request, allowed)
            ? next(context)
            : new ErrorResult(s_forbidden).ExecuteAsync(context));
    }

    private static bool Passes(HttpRequest request, HashSet<string> allowed)
    {
        var isSafe = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
            || HttpMethods.IsOptions(request.Method);
        if (isSafe && !request.Path.StartsWithSegments("/hub", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        var origins = request.Headers.Origin;
        return origins.Count switch
        {
            0 => request.Headers.Cookie.Count == 0,
            1 => IsOwn(request, origins[0]!) || allowed.Contains(origins[0]!),
            _ => false,
        };
    }

    private static bool IsOwn(HttpRequest request, string origin)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.PathAndQuery != "/" || uri.UserInfo.Length > 0)
        {
            return false;
        }

        // Behind a TLS proxy that is not trusted the request looks like http though the page is https; the other way
        // round, an http page talking to an https server, is another origin.
        var schemeFits = uri.Scheme == request.Scheme || (uri.Scheme == Uri.UriSchemeHttps && !request.IsHttps);
        var port = request.Host.Port ?? (uri.Scheme == Uri.UriSchemeHttps ? 443 : 80);
        return schemeFits && port == uri.Port
            && string.Equals(uri.Host, request.Host.Host, StringComparison.OrdinalIgnoreCase);
    }
}

namespace ChatPay.Server.Accounts;

/// <summary>
/// The two cookies of a browser: its session, and the token its device is recognised by when it signs in again. Scripts can
/// read neither and other sites can send neither. The <c>__Host-</c> prefix makes the browser refuse them from a
/// subdomain or without TLS; plain http, as on a developer's own machine, does without the prefix.
/// </summary>
internal static class SessionCookies
{
    private const string SecurePrefix = "__Host-";
    private const string Session = "chatpay";
    private const string Device = "chatpay-device";

    /// <summary>Browsers keep no cookie longer than 400 days.</summary>
    private static readonly TimeSpan DeviceLifetime = TimeSpan.FromDays(400);

    public static string? SessionOf(HttpRequest request) => request.Cookies[Name(request, Session)];

    public static string? DeviceOf(HttpRequest request) => request.Cookies[Name(request, Device)];

    /// <param name="sessionLifetime">The longest the session can last; when it really ends is the server's decision.</param>
    public static void Set(HttpContext context, string sessionToken, string deviceToken, TimeSpan sessionLifetime)
    {
        context.Response.Cookies.Append(
            Name(context.Request, Session), sessionToken, Flags(context.Request, sessionLifetime));
        context.Response.Cookies.Append(
            Name(context.Request, Device), deviceToken, Flags(context.Request, DeviceLifetime));
    }

    /// <summary>Signed out: the session's cookie goes, the device stays known.</summary>
    public static void ClearSession(HttpContext context) =>
        context.Response.Cookies.Delete(Name(context.Request, Session), Flags(context.Request, null));

    private static string Name(HttpRequest request, string name) => request.IsHttps ? SecurePrefix + name : name;

    private static CookieOptions Flags(HttpRequest request, TimeSpan? maxAge) => new()
    {
        HttpOnly = true,
        Secure = request.IsHttps,
        SameSite = SameSiteMode.Strict,
        Path = "/",
        MaxAge = maxAge,
        IsEssential = true,
    };
}

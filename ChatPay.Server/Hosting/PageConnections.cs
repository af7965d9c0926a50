namespace ChatPay.Server.Hosting;

/// <summary>Where else than to the server its pages may connect, as origins.</summary>
internal sealed class PageConnections(IReadOnlyList<string> origins)
{
    /// <summary>For the content security policy: each with a space before it.</summary>
    public string Sources { get; } = string.Concat(origins.Distinct(StringComparer.Ordinal).Select(origin => " " + origin));
}

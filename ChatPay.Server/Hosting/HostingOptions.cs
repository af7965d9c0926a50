using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Hosting;

/// <summary>Configuration section <c>Hosting</c>.</summary>
internal sealed class HostingOptions
{
    public const string Section = "Hosting";

    /// <summary>
    /// What the process does: "Server", or "Realm" for one realm of a PIN vault alone, as --role says on the command line.
    /// Default "Server".
    /// </summary>
    public HostRole Role { get; set; } = HostRole.Server;

    /// <summary>
    /// Where the server keeps its own files, above all the embedded database; relative to the working folder. Default
    /// ".data".
    /// </summary>
    [Required]
    public string DataFolder { get; set; } = ".data";

    /// <summary>
    /// A folder whose files are settings as well, such as one named Database__ConnectionString: where containers are
    /// given their secrets. It wins over the environment. Default empty: none.
    /// </summary>
    public string SecretsFolder { get; set; } = "";

    /// <summary>The built web client. Default empty: web/dist of the repository, or wwwroot beside the program.</summary>
    public string WebFolder { get; set; } = "";

    /// <summary>
    /// Origins besides the server's own that may use it from a browser, each like https://chat.example.org. Default none.
    /// </summary>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>
    /// Addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Default
    /// none: nobody's.
    /// </summary>
    public IList<string> TrustedProxies { get; } = [];

    /// <summary>How long the server waits for a request's headers, in seconds, 1 to 120. Default 15.</summary>
    [Range(1, 120)]
    public int RequestHeadersTimeoutSeconds { get; set; } = 15;

    /// <summary>Connections that may be open at once, 10 to 1,000,000. Default 20,000.</summary>
    [Range(10, 1_000_000)]
    public int MaxConnections { get; set; } = 20_000;

    /// <summary>How long running requests get to finish when the server stops, in seconds, 1 to 120. Default 10.</summary>
    [Range(1, 120)]
    public int ShutdownTimeoutSeconds { get; set; } = 10;
}

/// <summary>What a process does.</summary>
internal enum HostRole
{
    Server = 0,

    /// <summary>One realm of a PIN vault, and nothing else.</summary>
    Realm = 1,
}

using System.Net;
using System.Net.Sockets;

namespace ChatPay.Server.Hosting;

/// <summary>
/// Where the server is told to listen, tried out before anything else starts: a slip is answered in one sentence, and not by
/// a web server that fails among half-started services.
/// </summary>
internal static class ListenAddresses
{
    /// <exception cref="StartupException">An address is none, or nobody can listen there now.</exception>
    public static void RequireFree(IConfiguration configuration)
    {
        // Kestrel's own section, where there is one, takes the place of the addresses.
        if (configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            return;
        }

        var urls = (configuration["urls"] ?? "").Split(
            ';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var url in urls)
        {
            RequireFree(Parse(url), url);
        }
    }

    private static BindingAddress Parse(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            if (address.Scheme is "http" or "https" && address.Port is >= IPEndPoint.MinPort and <= IPEndPoint.MaxPort)
            {
                return address;
            }
        }
        catch (FormatException)
        {
            // The sentence below says all that the exception knows.
        }

        throw new StartupException(
            $"{url} is no address to listen on; it looks like http://localhost:5080, with a port from 0 to 65535.");
    }

    private static void RequireFree(BindingAddress address, string url)
    {
        if (address.IsUnixPipe || address.IsNamedPipe || address.Port == 0)
        {
            return;
        }

        var isLocal = string.Equals(address.Host, "localhost", StringComparison.OrdinalIgnoreCase);
        var host = isLocal ? IPAddress.Loopback
            : IPAddress.TryParse(address.Host, out var literal) ? literal
            : Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        using var probe = new TcpListener(host, address.Port);
        try
        {
            if (host.Equals(IPAddress.IPv6Any))
            {
                probe.Server.DualMode = true;
            }

            probe.Start();
        }
        catch (SocketException failure)
        {
            throw new StartupException(Sentence(failure, url), failure);
        }
    }

    private static string Sentence(SocketException failure, string url) => failure.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse =>
            $"Another program is listening on {url} already; stop it, or choose another port with --port.",
        SocketError.AccessDenied => $"This user may not listen on {url}; choose a port above 1023 with --port.",
        SocketError.AddressNotAvailable => $"This machine does not have the address of {url}.",
        _ => $"The server cannot listen on {url}: {failure.Message}.",
    };
}

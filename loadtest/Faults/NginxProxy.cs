using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// An nginx before all nodes, as <c>docs/OPERATING.md</c> has one: WebSockets, and the next node where one is away.
/// </summary>
internal sealed class NginxProxy : IAsyncDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    private readonly ChildProcess _process;

    private NginxProxy(ChildProcess process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    /// <summary>Its program; null where there is none.</summary>
    public static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Concat(["/usr/sbin", "/usr/local/sbin"])
        .Select(folder => Path.Combine(folder, "nginx"))
        .FirstOrDefault(File.Exists);

    public static async Task<NginxProxy> StartAsync(
        string program, string folder, IEnumerable<int> ports, CancellationToken cancellationToken)
    {
        var home = Path.Combine(folder, "nginx");
        Directory.CreateDirectory(home);
        var port = ChildProcess.FreePort();
        var file = Path.Combine(home, "nginx.conf");
        var nodes = string.Concat(ports.Select(node => string.Create(
            CultureInfo.InvariantCulture, $"    server 127.0.0.1:{node} max_fails=1 fail_timeout=1s;\n")));

        // One process, so that its number is all there is to stop.
        await File.WriteAllTextAsync(
            file,
            string.Create(CultureInfo.InvariantCulture, $$"""
            daemon off;
            master_process off;
            pid {{home}}/nginx.pid;
            error_log {{home}}/error.log;
            events { worker_connections 4096; }
            http {
              access_log off;
              client_body_temp_path {{home}}/body;
              proxy_temp_path {{home}}/proxy;
              fastcgi_temp_path {{home}}/fastcgi;
              uwsgi_temp_path {{home}}/uwsgi;
              scgi_temp_path {{home}}/scgi;
              upstream chatpay {
            {{nodes}}  }
              server {
                listen 127.0.0.1:{{port}};
                location / {
                  proxy_pass http://chatpay;
                  proxy_http_version 1.1;
                  proxy_set_header Upgrade $http_upgrade;
                  proxy_set_header Connection "upgrade";
                  proxy_set_header Host $host;
                  proxy_connect_timeout 2s;
                  proxy_read_timeout 60s;
                  proxy_next_upstream error timeout http_502 http_503;
                }
              }
            }

            """),
            cancellationToken);
        var process = ChildProcess.Start(program, ["-c", file, "-p", home, "-e", Path.Combine(home, "error.log")], home);
        var proxy = new NginxProxy(process, port);
        try
        {
            await process.UntilAsync(proxy.ListensAsync, s_timeout, cancellationToken);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task<bool> ListensAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ChatPay.Tests.Realtime;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Hosting;

/// <summary>The proxy's own configuration in front of two real nodes, with other addresses and nothing else changed.</summary>
public sealed class NginxTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_through_the_proxy_outlives_the_node_that_served_it()
    {
        Assert.SkipUnless(File.Exists(NginxProxy.Program), "nginx is not installed here: apt-get install nginx-light");
        using var keys = new TemporaryFolder();
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Database__ConnectionString"] = await postgres.CreateDatabaseAsync(),
            ["Vault__KeyFolder"] = keys.Path,
            ["Hosting__TrustedProxies__0"] = "127.0.0.1",
        };
        await using var one = new ServerProcess(environment);
        await one.StartAsync();
        await using var two = new ServerProcess(environment);
        await two.StartAsync();
        await using var proxy = await NginxProxy.StartAsync(one.Address, two.Address, Cancellation);

        await using var ada = await Person.JoinAsync(proxy.Address);
        await using var ben = await Person.JoinAsync(proxy.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await using var first = SessionWatcher.Start(ben);
        await using var second = SessionWatcher.Start(ben);
        var before = await group.SendAsync(ada);
        await first.LogUpToAsync(group.Id, before.Seq);
        await second.LogUpToAsync(group.Id, before.Seq);

        // The proxy gives each new connection to the node that has fewer, so some of them were on this one.
        await one.KillAsync();
        await ada.ConnectAsync();
        var after = await group.SendAsync(ada);
        await first.LogUpToAsync(group.Id, after.Seq);
        await second.LogUpToAsync(group.Id, after.Seq);
        Assert.True(first.Session.Counts.Connections + second.Session.Counts.Connections > 2, "Nobody was cut off.");

        using var http = new HttpClient { BaseAddress = proxy.Address };
        using var health = await http.GetAsync("health/ready", Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, health.StatusCode);
    }

    private sealed class NginxProxy : IAsyncDisposable
    {
        public const string Program = "/usr/sbin/nginx";

        private readonly TemporaryFolder _folder = new();
        private readonly Process _process;

        private NginxProxy(Uri one, Uri two)
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Address = new Uri($"http://{probe.LocalEndpoint}");
            }

            var configuration = File.ReadAllText(Repository.PathOf("deploy/nginx.conf"))
                .Replace("node1:8080", one.Authority, StringComparison.Ordinal)
                .Replace("node2:8080", two.Authority, StringComparison.Ordinal)
                .Replace("listen 8080", "listen " + Address.Authority, StringComparison.Ordinal)
                .Replace(" /tmp/nginx", $" {_folder.Path}/nginx", StringComparison.Ordinal);
            var file = Path.Combine(_folder.Path, "nginx.conf");
            File.WriteAllText(file, configuration);
            _process = Process.Start(new ProcessStartInfo(Program, ["-p", _folder.Path, "-c", file, "-g", "daemon off;"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        public Uri Address { get; }

        public static async Task<NginxProxy> StartAsync(Uri one, Uri two, CancellationToken cancellationToken)
        {
            var proxy = new NginxProxy(one, two);
            using var http = new HttpClient { BaseAddress = proxy.Address };
            await Eventually.TrueAsync(
                async () =>
                {
                    try
                    {
                        using var answer = await http.GetAsync("nginx/health", cancellationToken);
                        return answer.StatusCode == HttpStatusCode.NoContent;
                    }
                    catch (HttpRequestException)
                    {
                        return false;
                    }
                },
                "nginx answers");
            return proxy;
        }

        public async ValueTask DisposeAsync()
        {
            // Its master ends the workers, which SIGKILL would leave behind.
            using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]))
            {
                await kill.WaitForExitAsync();
            }

            await _process.WaitForExitAsync();
            _process.Dispose();
            _folder.Dispose();
        }
    }
}

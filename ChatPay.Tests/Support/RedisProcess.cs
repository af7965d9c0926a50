using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ChatPay.Tests.Support;

/// <summary>
/// A real redis-server of one test's own, on a free port of the loopback address, to be killed, paused and started again on
/// the same port. It stores nothing.
/// </summary>
public sealed class RedisProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();
    private Process? _process;

    public RedisProcess()
    {
        // Free a moment ago; nobody else is given it so soon.
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        Port = ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public int Port { get; }

    /// <summary>What <c>Cluster:Redis</c> is set to.</summary>
    public string Address => "127.0.0.1:" + Port.ToString(CultureInfo.InvariantCulture);

    public static async Task<RedisProcess> StartNewAsync()
    {
        var redis = new RedisProcess();
        await redis.StartAsync();
        return redis;
    }

    /// <summary>Starts it, again if need be, and waits until it answers.</summary>
    public async Task StartAsync()
    {
        string[] arguments =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--dir", _folder.Path, "--daemonize", "no",
        ];
        var start = new ProcessStartInfo("redis-server", arguments) { RedirectStandardOutput = true, UseShellExecute = false };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        using var deadline = new CancellationTokenSource(s_deadline);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await AnswersAsync(deadline.Token))
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"redis-server ended with {_process.ExitCode}.");
            }

            await timer.WaitForNextTickAsync(deadline.Token);
        }
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>SIGSTOP: its connections stay open, and nothing answers.</summary>
    public Task PauseAsync() => SignalAsync("-STOP");

    public Task ResumeAsync() => SignalAsync("-CONT");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        _folder.Dispose();
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
            await client.GetStream().WriteAsync("PING\r\n"u8.ToArray(), cancellationToken);
            return await client.GetStream().ReadAtLeastAsync(new byte[7], 7, throwOnEndOfStream: false, cancellationToken) == 7;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ChatPay.LoadTest.Faults;

/// <summary>A redis-server of the run's own, which stores nothing: killed, paused and started on one port.</summary>
internal sealed class RedisServer(string folder) : IAsyncDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);

    private ChildProcess? _process;

    public int Port { get; } = ChildProcess.FreePort();

    public string Address => "127.0.0.1:" + Port.ToString(CultureInfo.InvariantCulture);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _process = ChildProcess.Start(
            "redis-server",
            [
                "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "no", "--dir", folder, "--daemonize", "no",
            ],
            folder);
        await _process.UntilAsync(AnswersAsync, s_timeout, cancellationToken);
    }

    public async Task KillAsync()
    {
        await _process!.KillAsync();
        await _process.DisposeAsync();
        _process = null;
    }

    public Task PauseAsync() => _process!.SignalAsync("STOP");

    public Task ResumeAsync() => _process!.SignalAsync("CONT");

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
            await client.GetStream().WriteAsync("PING\r\n"u8.ToArray(), cancellationToken);
            var answer = new byte[7];
            return await client.GetStream().ReadAtLeastAsync(
                answer, answer.Length, throwOnEndOfStream: false, cancellationToken) == answer.Length;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

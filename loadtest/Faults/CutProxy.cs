using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// Stands between the clients and one address of the servers and passes everything on, until it is told to cut: every
/// connection, or those whose next answer of a kind is on its way back. Such an answer means that the server has committed,
/// and the client never learns of it.
/// </summary>
internal sealed class CutProxy : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly HashSet<Line> _lines = [];
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly Task _accepting;
    private AnswerHold? _hold;

    private CutProxy(int target)
    {
        _target = target;
        _listener.Start(backlog: 1024);
        _accepting = AcceptAsync();
    }

    public Uri Address => new(string.Create(
        CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/"));

    public static CutProxy To(int port) => new(port);

    /// <summary>From here on nothing of that kind comes through; see <see cref="AnswerHold"/>.</summary>
    public void Hold(AnswerHold? hold)
    {
        lock (_lock)
        {
            _hold = hold;
        }
    }

    /// <summary>Resets every connection; how many there were.</summary>
    public int CutAll() => Cut(_ => true);

    /// <summary>Resets those that the dice choose.</summary>
    public int CutSome(Func<bool> chosen) => Cut(_ => chosen());

    /// <summary>Resets the connections whose answers were held back.</summary>
    public int CutHeld() => Cut(line => line.IsHeld);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        CutAll();
        _stop.Dispose();
    }

    private int Cut(Func<Line, bool> which)
    {
        Line[] cut;
        lock (_lock)
        {
            cut = [.. _lines.Where(which)];
        }

        foreach (var line in cut)
        {
            line.Reset();
        }

        return cut.Length;
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var client = await _listener.AcceptSocketAsync(_stop.Token);
            _ = CarryAsync(client);
        }
    }

    private async Task CarryAsync(Socket client)
    {
        using var line = new Line(client, new Socket(SocketType.Stream, ProtocolType.Tcp));
        lock (_lock)
        {
            _lines.Add(line);
        }

        try
        {
            await line.Server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            await Task.WhenAny(PumpAsync(line.Client, line.Server, null), PumpAsync(line.Server, line.Client, line));
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            // The server is away; the client finds its connection closed.
        }
        finally
        {
            lock (_lock)
            {
                _lines.Remove(line);
            }

            line.Reset();
        }
    }

    /// <param name="held">The line whose answers are looked at; null towards the server.</param>
    private async Task PumpAsync(Socket from, Socket to, Line? held)
    {
        var buffer = new byte[BufferBytes];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var count)
            {
                if (held is not null && HoldsBack(held, buffer.AsSpan(0, count)))
                {
                    continue;
                }

                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _stop.Token);
                }
            }
        }
        catch (Exception exception) when (
            exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Either side is gone, and then so is the line.
        }
    }

    private bool HoldsBack(Line line, ReadOnlySpan<byte> answers)
    {
        AnswerHold? hold;
        lock (_lock)
        {
            hold = _hold;
        }

        if (!line.IsHeld && hold is not null && answers.IndexOf(hold.Mark) >= 0)
        {
            line.IsHeld = true;
            hold.Add();
        }

        return line.IsHeld;
    }

    /// <summary>A client's connection and the one it is carried on by.</summary>
    private sealed class Line(Socket client, Socket server) : IDisposable
    {
        public Socket Client => client;

        public Socket Server => server;

        /// <summary>Its answer was held back, and so is everything after it.</summary>
        public bool IsHeld { get; set; }

        /// <summary>At once and with nothing said, as when a cable is cut.</summary>
        public void Reset()
        {
            foreach (var socket in new[] { client, server })
            {
                try
                {
                    socket.LingerState = new LingerOption(true, 0);
                    socket.Close();
                }
                catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
                {
                    // Closed already.
                }
            }
        }

        public void Dispose() => Reset();
    }
}

/// <summary>Answers of one kind that are to be held back, and how many have been.</summary>
/// <param name="atLeast">How many make it complete.</param>
internal sealed class AnswerHold(byte[] mark, int atLeast)
{
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _held;

    /// <summary>How a completed send begins, seen from the wire.</summary>
    public static byte[] Sends => "\"ok\":{\"seq\":"u8.ToArray();

    /// <summary>How a completed card action begins.</summary>
    public static byte[] CardActions => "\"ok\":{\"card\":"u8.ToArray();

    public byte[] Mark => mark;

    public int Held => Volatile.Read(ref _held);

    /// <summary>Completes when so many were held back.</summary>
    public Task Complete => _complete.Task;

    public void Add()
    {
        if (Interlocked.Increment(ref _held) >= atLeast)
        {
            _complete.TrySetResult();
        }
    }
}

using System.Diagnostics;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace ChatPay.LoadTest.Faults;

/// <summary>The hub as frames of text, with no client library on this side.</summary>
internal sealed class RawHub : IDisposable
{
    private const char RecordSeparator = '\u001e';
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(200);

    private readonly ClientWebSocket _socket = new();
    private readonly HttpMessageInvoker _invoker;
    private readonly Queue<JsonElement> _frames = [];
    private readonly List<byte> _partial = [];

    private RawHub(HttpMessageInvoker invoker) => _invoker = invoker;

    /// <summary>
    /// Comes back while it is turned away: a proxy that just saw both nodes refuse says 502 for a second, and every real
    /// client tries again.
    /// </summary>
    /// <param name="receiveBufferBytes">How much the operating system may take in before anybody reads.</param>
    /// <exception cref="WebSocketException">Nobody answered as a hub within a minute.</exception>
    public static async Task<RawHub> ConnectAsync(
        Uri address, string token, int? receiveBufferBytes, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return await OnceAsync(address, token, receiveBufferBytes, cancellationToken);
            }
            catch (WebSocketException) when (Stopwatch.GetElapsedTime(started) < s_timeout)
            {
                await Task.Delay(s_retry, cancellationToken);
            }
        }
    }

    private static async Task<RawHub> OnceAsync(
        Uri address, string token, int? receiveBufferBytes, CancellationToken cancellationToken)
    {
        var handler = new SocketsHttpHandler();
        if (receiveBufferBytes is { } bytes)
        {
            handler.ConnectCallback = async (context, stop) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = bytes };
                await socket.ConnectAsync(context.DnsEndPoint, stop);
                return new NetworkStream(socket, ownsSocket: true);
            };
        }

        var hub = new RawHub(new HttpMessageInvoker(handler));
        try
        {
            hub._socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
            await hub._socket.ConnectAsync(
                new UriBuilder(new Uri(address, "hub")) { Scheme = "ws" }.Uri, hub._invoker, cancellationToken);
            await hub.SendAsync("""{"protocol":"json","version":1}""", cancellationToken);
            return hub;
        }
        catch
        {
            hub.Dispose();
            throw;
        }
    }

    public Task SendAsync(string frame, CancellationToken cancellationToken) => _socket.SendAsync(
        Encoding.UTF8.GetBytes(frame + RecordSeparator), WebSocketMessageType.Text, true, cancellationToken);

    /// <summary>The next frame that is wanted, passing over others.</summary>
    /// <exception cref="IOException">The server closed the connection, or says nothing.</exception>
    public async Task<JsonElement> UntilAsync(Func<JsonElement, bool> wanted, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(s_timeout);
        try
        {
            while (true)
            {
                while (_frames.TryDequeue(out var frame))
                {
                    // The answer to the handshake is an object without members.
                    if (frame.TryGetProperty("type", out _) && wanted(frame))
                    {
                        return frame;
                    }
                }

                await ReceiveAsync(deadline.Token);
            }
        }
        catch (OperationCanceledException silent) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException("The server says nothing.", silent);
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _invoker.Dispose();
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        var received = await _socket.ReceiveAsync(buffer, cancellationToken);
        if (received.MessageType == WebSocketMessageType.Close)
        {
            throw new IOException("The server closed the connection.");
        }

        _partial.AddRange(buffer.AsSpan(0, received.Count));
        if (!received.EndOfMessage)
        {
            return;
        }

        var text = Encoding.UTF8.GetString([.. _partial]);
        _partial.Clear();
        foreach (var frame in text.Split(RecordSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            using var document = JsonDocument.Parse(frame);
            _frames.Enqueue(document.RootElement.Clone());
        }
    }
}

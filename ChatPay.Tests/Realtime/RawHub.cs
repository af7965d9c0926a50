using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Realtime;

/// <summary>The hub with nothing of SignalR on this side: frames as text, for what no decent client would send.</summary>
internal sealed class RawHub : IDisposable
{
    private const char RecordSeparator = '\u001e';

    private readonly ClientWebSocket _socket = new();
    private readonly Queue<string> _frames = [];
    private readonly List<byte> _partial = [];
    private HttpMessageInvoker? _invoker;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="receiveBufferBytes">How much the operating system may take in before anybody reads.</param>
    public static async Task<RawHub> ConnectAsync(Uri address, string token, int? receiveBufferBytes = null)
    {
        var hub = new RawHub();
        var handler = new SocketsHttpHandler();
        if (receiveBufferBytes is { } bytes)
        {
            handler.ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = bytes };
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            };
        }

        hub._invoker = new HttpMessageInvoker(handler);
        hub._socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
        await hub._socket.ConnectAsync(new UriBuilder(new Uri(address, "hub")) { Scheme = "ws" }.Uri, hub._invoker, Cancellation);
        await hub.SendAsync("""{"protocol":"json","version":1}""");
        Assert.Equal("{}", await hub.ReceiveAsync());
        return hub;
    }

    public Task SendAsync(string frame) => SendPartAsync(frame + RecordSeparator);

    /// <summary>Several frames in one message of the WebSocket.</summary>
    public Task SendAsync(IEnumerable<string> frames) =>
        SendPartAsync(string.Concat(frames.Select(frame => frame + RecordSeparator)));

    /// <summary>A message of the WebSocket, wherever frames begin and end in it.</summary>
    public Task SendPartAsync(string part) =>
        _socket.SendAsync(Encoding.UTF8.GetBytes(part), WebSocketMessageType.Text, true, Cancellation);

    /// <summary>Calls a method with the given JSON as its arguments, and returns its completion.</summary>
    public async Task<JsonElement> CallAsync(string method, string arguments)
    {
        await SendAsync($$"""{"type":1,"invocationId":"7","target":"{{method}}","arguments":{{arguments}}}""");
        return await FrameAsync(3);
    }

    /// <summary>Says Hello for the person's device.</summary>
    public async Task HelloAsync(DeviceId device)
    {
        var completion = await CallAsync(
            "Hello", $$"""[{"device":"{{device}}","protocol":1,"capabilities":[],"cursors":[]}]""");
        Assert.True(completion.GetProperty("result").TryGetProperty("ok", out _));
    }

    /// <summary>The next frame of a type, passing over others.</summary>
    public async Task<JsonElement> FrameAsync(int type)
    {
        while (true)
        {
            var frame = JsonDocument.Parse(await ReceiveAsync()).RootElement;
            if (frame.GetProperty("type").GetInt32() == type)
            {
                return frame;
            }
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _invoker?.Dispose();
    }

    private async Task<string> ReceiveAsync()
    {
        var buffer = new byte[16 * 1024];
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(20));
        while (_frames.Count == 0)
        {
            var received = await _socket.ReceiveAsync(buffer, deadline.Token);
            Assert.NotEqual(WebSocketMessageType.Close, received.MessageType);
            _partial.AddRange(buffer.AsSpan(0, received.Count));
            if (!received.EndOfMessage)
            {
                continue;
            }

            foreach (var frame in Encoding.UTF8.GetString([.. _partial])
                .Split(RecordSeparator, StringSplitOptions.RemoveEmptyEntries))
            {
                _frames.Enqueue(frame);
            }

            _partial.Clear();
        }

        return _frames.Dequeue();
    }
}

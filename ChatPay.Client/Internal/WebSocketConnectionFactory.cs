using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using ChatPay.Core.Protocol;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace ChatPay.Client.Internal;

/// <summary>A WebSocket address with the bearer token to open it.</summary>
internal sealed class HubEndPoint(Uri address, string token) : UriEndPoint(address)
{
    public string Token { get; } = token;
}

/// <summary>
/// SignalR's client core over a plain WebSocket: no negotiation, no other transport. One connection, one pair of pipes,
/// one loop each way.
/// </summary>
internal sealed class WebSocketConnectionFactory(long maxMessageBytes) : IConnectionFactory
{
    private const int MaxRetrySeconds = 3600;

    public WebSocketConnectionFactory()
        : this(WireFormat.MaxAnswerBytes)
    {
    }

    public async ValueTask<ConnectionContext> ConnectAsync(
        EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var target = endpoint as HubEndPoint
            ?? throw new NotSupportedException("Only hub endpoints can be connected to.");
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.SetRequestHeader("Authorization", "Bearer " + target.Token);
            socket.Options.CollectHttpResponseDetails = true;
            await socket.ConnectAsync(target.Uri, cancellationToken);
            return new WebSocketConnection(socket, maxMessageBytes);
        }
        catch (WebSocketException exception) when (Refusal(socket) is { } refusal)
        {
            socket.Dispose();
            throw new ChatPayException(refusal, exception);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>What the status of a refused handshake says; its body cannot be read.</summary>
    private static ErrorBody? Refusal(ClientWebSocket socket)
    {
        var code = socket.HttpStatusCode switch
        {
            HttpStatusCode.SwitchingProtocols or < HttpStatusCode.Continue => (ErrorCode?)null,
            HttpStatusCode.Unauthorized => ErrorCode.Unauthenticated,
            HttpStatusCode.UpgradeRequired => ErrorCode.UpgradeRequired,
            _ => ErrorCode.Unavailable,
        };
        if (code is null)
        {
            return null;
        }

        var details = new Dictionary<string, object>(StringComparer.Ordinal);
        if (socket.HttpResponseHeaders?.GetValueOrDefault("Retry-After")?.FirstOrDefault() is { } after
            && int.TryParse(after, CultureInfo.InvariantCulture, out var seconds)
            && seconds is > 0 and <= MaxRetrySeconds)
        {
            details["retryAfterMs"] = seconds * 1000;
        }

        return ErrorBody.From(new Error(
            code.Value, $"The server refused the connection with status {(int)socket.HttpStatusCode}.", details));
    }
}

/// <summary>The transport's end of the pipes, and the loops between them and the socket.</summary>
internal sealed class WebSocketConnection : ConnectionContext
{
    private const int PauseBytes = 1024 * 1024;
    private const int CloseTimeoutMs = 2000;

    /// <summary>SignalR's end of a message.</summary>
    private const byte Separator = 0x1e;

    private readonly ClientWebSocket _socket;
    private readonly long _maxMessageBytes;
    private readonly Pipe _fromServer = new(new PipeOptions(pauseWriterThreshold: PauseBytes));
    private readonly Pipe _toServer = new(new PipeOptions(pauseWriterThreshold: PauseBytes));
    private readonly CancellationTokenSource _closed = new();
    private readonly Task _loops;
    private long _messageBytes;

    public WebSocketConnection(ClientWebSocket socket, long maxMessageBytes)
    {
        (_socket, _maxMessageBytes) = (socket, maxMessageBytes);
        Transport = new Duplex(_fromServer.Reader, _toServer.Writer);
        ConnectionClosed = _closed.Token;
        _loops = Task.WhenAll(ReceiveAsync(), SendAsync());
    }

    public override string ConnectionId { get; set; } = "";

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    public override void Abort() => _socket.Abort();

    public override async ValueTask DisposeAsync()
    {
        await Transport.Output.CompleteAsync();
        await Transport.Input.CompleteAsync();
        using (var timer = new CancellationTokenSource(CloseTimeoutMs))
        {
            await using var abort = timer.Token.Register(_socket.Abort);
            await _loops;
        }

        _socket.Dispose();
        _closed.Dispose();
        await base.DisposeAsync();
    }

    private async Task ReceiveAsync()
    {
        var output = _fromServer.Writer;
        Exception? failure = null;
        try
        {
            while (true)
            {
                var memory = output.GetMemory();
                var received = await _socket.ReceiveAsync(memory, CancellationToken.None);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    break;
                }

                if (!Fits(memory.Span[..received.Count]))
                {
                    failure = new IOException($"The server sent a message of more than {_maxMessageBytes} bytes.");
                    _socket.Abort();
                    break;
                }

                output.Advance(received.Count);
                if ((await output.FlushAsync()).IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException
            or ObjectDisposedException)
        {
            failure = new IOException("The connection to the server was lost.", exception);
        }

        await output.CompleteAsync(failure);
        _toServer.Reader.CancelPendingRead();
        await _closed.CancelAsync();
    }

    /// <summary>
    /// SignalR gathers a message until its end comes, however long it gets; so the bound is here.
    /// </summary>
    private bool Fits(ReadOnlySpan<byte> received)
    {
        var end = received.LastIndexOf(Separator);
        if (end >= 0)
        {
            var first = received.IndexOf(Separator);
            var fits = _messageBytes + first <= _maxMessageBytes;
            _messageBytes = received.Length - end - 1;
            return fits;
        }

        _messageBytes += received.Length;
        return _messageBytes <= _maxMessageBytes;
    }

    private async Task SendAsync()
    {
        var input = _toServer.Reader;
        try
        {
            while (true)
            {
                var read = await input.ReadAsync();
                foreach (var segment in read.Buffer)
                {
                    await _socket.SendAsync(
                        segment, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                }

                input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || read.IsCanceled)
                {
                    break;
                }
            }

            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException
            or ObjectDisposedException)
        {
            // The receiving side reports the loss.
            _socket.Abort();
        }

        await input.CompleteAsync();
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}

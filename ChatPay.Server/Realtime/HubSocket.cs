using System.Buffers.Text;
using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace ChatPay.Server.Realtime;

/// <summary>
/// A client's WebSocket as SignalR wants to see a connection. It stands in for SignalR's own transport, which puts two pipes
/// and two loops between hub and socket, for transports that are not offered here.
/// </summary>
internal sealed class HubSocket : ConnectionContext, IDuplexPipe, IConnectionUserFeature, IHttpContextFeature,
    IConnectionHeartbeatFeature, ITransferFormatFeature, IConnectionLifetimeFeature
{
    private const int IdBytes = 16;

    /// <summary>How often SignalR hears of a client that is busy, in the time after which it takes one for gone.</summary>
    private const int SignsOfLife = 4;

    private static readonly TimeSpan s_goodbye = TimeSpan.FromSeconds(5);

    private readonly WebSocket _socket;
    private readonly HubSocketReader _input;
    private readonly HubSocketWriter _output;
    private readonly CancellationTokenSource _closed = new();
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private (Action<object> Beat, object State)[] _beats = [];

    public HubSocket(
        HttpContext context, WebSocket socket, CallLane lane, Departures departures, RealtimeOptions options, TimeProvider time)
    {
        (_socket, _time, HttpContext, User) = (socket, time, context, context.User);
        _patience = TimeSpan.FromSeconds(options.SlowReaderSeconds);
        _output = new(socket, departures, time, Abort);
        _input = new(socket, lane, _output, TimeSpan.FromSeconds(options.ClientTimeoutSeconds) / SignsOfLife, time);
        ConnectionId = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(IdBytes));
        ConnectionClosed = _closed.Token;
        Features.Set<IConnectionUserFeature>(this);
        Features.Set<IHttpContextFeature>(this);
        Features.Set<IConnectionHeartbeatFeature>(this);
        Features.Set<ITransferFormatFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set(_input);
        Features.Set(_output);
    }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport
    {
        get => this;
        set => throw new NotSupportedException("The socket is the transport.");
    }

    public PipeReader Input => _input;

    public PipeWriter Output => _output;

    public ClaimsPrincipal? User { get; set; }

    public HttpContext? HttpContext { get; set; }

    public TransferFormat SupportedFormats => TransferFormat.Text;

    public TransferFormat ActiveFormat { get; set; } = TransferFormat.Text;

    public void OnHeartbeat(Action<object> action, object state) => _beats = [.. _beats, (action, state)];

    /// <summary>Once a second: SignalR pings, and looks whether the client still does.</summary>
    public void Beat()
    {
        foreach (var (beat, state) in _beats)
        {
            beat(state);
        }

        _input.Beat();
        if (_output.StuckFor >= _patience)
        {
            Abort();
        }
    }

    /// <summary>The hub takes its leave as if the client had; calls that run are finished.</summary>
    public void End() => _input.End();

    public override void Abort() => Abort(new ConnectionAbortedException());

    public override void Abort(ConnectionAbortedException abortReason)
    {
        _input.End();
        _socket.Abort();
        ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
    }

    /// <summary>After the hub is done with it: says goodbye, and waits a while for the client's.</summary>
    public async Task CloseAsync()
    {
        await _output.CompleteAsync();
        using var timer = new CancellationTokenSource(s_goodbye, _time);
        try
        {
            await _output.Drained.WaitAsync(timer.Token);
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", timer.Token);
            }

            await _input.ClosedAsync().WaitAsync(timer.Token);
        }
        catch (Exception gone) when (gone is OperationCanceledException or WebSocketException or ObjectDisposedException)
        {
            _socket.Abort();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _input.CompleteAsync();
        await base.DisposeAsync();
    }
}

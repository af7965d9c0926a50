using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Realtime;

/// <summary>
/// Sees connections come and go where SignalR's own socket is at hand: registers each with its queue and its writer. It sends
/// nothing itself, so SignalR's own broadcasting, which waits for every socket in turn, is never used.
/// </summary>
internal sealed partial class ChatLifetimeManager(
    ConnectionRegistry registry, IOptions<RealtimeOptions> options, TimeProvider time,
    ILogger<DefaultHubLifetimeManager<ChatHub>> baseLogger, ILogger<ChatLifetimeManager> logger)
    : DefaultHubLifetimeManager<ChatHub>(baseLogger)
{
    private const int CrowdedOutReconnectMs = 60_000;

    public override async Task OnConnectedAsync(HubConnectionContext connection)
    {
        await base.OnConnectedAsync(connection);
        var socket = connection.Features.Get<HubSocketWriter>()
            ?? throw new InvalidOperationException("A connection came in by a door that is not the hub's.");
        var live = new ClientConnection(connection, connection.User.Caller(), socket, options.Value, time);
        connection.Items[typeof(ClientConnection)] = live;
        live.Start();
        RealtimeMetrics.Connected();
        Log.Connected(logger, live.Id, live.Caller.Device);
        if (registry.Add(live, options.Value.ConnectionsPerDevice) is { } oldest)
        {
            oldest.Finish(Push.Of(new ControlSignal(ControlKind.Reconnect, ReconnectAfterMs: CrowdedOutReconnectMs)));
        }
    }

    public override async Task OnDisconnectedAsync(HubConnectionContext connection)
    {
        if (connection.Items.TryGetValue(typeof(ClientConnection), out var item) && item is ClientConnection live)
        {
            registry.Remove(live);
            live.Stop();
            RealtimeMetrics.Disconnected();
            Log.Disconnected(logger, live.Id, live.Caller.Device);
        }

        await base.OnDisconnectedAsync(connection);
    }

    private static partial class Log
    {
        [LoggerMessage(4010, LogLevel.Debug, "Connection {Connection} of device {Device} is up")]
        public static partial void Connected(ILogger logger, string connection, DeviceId device);

        [LoggerMessage(4011, LogLevel.Debug, "Connection {Connection} of device {Device} is gone")]
        public static partial void Disconnected(ILogger logger, string connection, DeviceId device);
    }
}

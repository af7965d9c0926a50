using System.Collections.Concurrent;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Realtime;

/// <summary>The hub's WebSockets: takes them in, keeps SignalR's clock for them, and ends them when the server stops.</summary>
internal sealed class HubSockets(
    HubConnectionHandler<ChatHub> hub, CallLane lane, IOptions<RealtimeOptions> options, Departures departures,
    IHostApplicationLifetime lifetime, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan s_beat = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<HubSocket, bool> _sockets = new();

    /// <summary>Serves one connection to its end.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await using var connection = new HubSocket(context, socket, lane, departures, options.Value, time);
        _sockets.TryAdd(connection, true);
        try
        {
            if (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                connection.End();
            }

            await hub.OnConnectedAsync(connection);
            await connection.CloseAsync();
        }
        finally
        {
            _sockets.TryRemove(connection, out _);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var stopping = lifetime.ApplicationStopping.Register(EndAll);
        using var timer = new PeriodicTimer(s_beat, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var (socket, _) in _sockets)
            {
                socket.Beat();
            }
        }
    }

    private void EndAll()
    {
        foreach (var (socket, _) in _sockets)
        {
            socket.End();
        }
    }
}

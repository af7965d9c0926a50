using System.Threading.Channels;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Database;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.Server.Realtime;

/// <summary>Looks after all connections once a second: those that take nothing, and those whose session is over.</summary>
internal sealed partial class ConnectionWatch(
    ConnectionRegistry registry, Sessions sessions, NpgsqlDataSource database, IOptions<RealtimeOptions> options,
    TimeProvider time, IHostApplicationLifetime lifetime, ILogger<ConnectionWatch> logger) : BackgroundService
{
    private const int SuspectsMax = 4096;

    /// <summary>What a client has to read the last push and close by itself.</summary>
    private static readonly TimeSpan s_finishing = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly Channel<DeviceId> _suspects = Channel.CreateBounded<DeviceId>(
        new BoundedChannelOptions(SuspectsMax) { SingleReader = true });

    /// <summary>A session of the device may be over: not to wait for the next round. Never waits.</summary>
    public void Check(DeviceId device) => _suspects.Writer.TryWrite(device);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(GoRoundAsync(stoppingToken), CheckSuspectsAsync(stoppingToken));

    private async Task CheckSuspectsAsync(CancellationToken stoppingToken)
    {
        await foreach (var device in _suspects.Reader.ReadAllAsync(stoppingToken))
        {
            await CloseEndedAsync(registry.OfDevice(device), stoppingToken);
        }
    }

    private async Task GoRoundAsync(CancellationToken stoppingToken)
    {
        // Before SignalR's own callback, which was registered earlier, closes the sockets.
        await using var goodbye = lifetime.ApplicationStopping.Register(SayGoodbye);
        using var timer = new PeriodicTimer(s_interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var connections = registry.All;
            foreach (var connection in connections)
            {
                Look(connection);
            }

            await CloseEndedAsync(connections, stoppingToken);
        }
    }

    /// <summary>Clients come back to another node, or to this one once it is up again, spread by their own jitter.</summary>
    private void SayGoodbye()
    {
        foreach (var connection in registry.All)
        {
            connection.Finish(Push.Of(new ControlSignal(ControlKind.Reconnect, ReconnectAfterMs: 1000)));
        }
    }

    /// <summary>Another node, or time, has ended the session; this node has not heard of it.</summary>
    private async Task CloseEndedAsync(
        IReadOnlyList<ClientConnection> connections, CancellationToken cancellationToken)
    {
        if (connections.Count == 0)
        {
            return;
        }

        try
        {
            var askedAt = time.GetTimestamp();
            var ended = await sessions.EndedAsync([.. connections.Select(one => one.SessionHash)], cancellationToken);
            foreach (var connection in connections)
            {
                if (ended.Count > 0 && ended.Any(hash => hash.AsSpan().SequenceEqual(connection.SessionHash)))
                {
                    connection.End();
                }
                else
                {
                    connection.SeenLive(askedAt);
                }
            }
        }
        catch (Exception exception)
            when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Log.CheckFailed(logger, exception);
            database.ForgetTainted(exception);
        }
    }

    private void Look(ClientConnection connection)
    {
        RealtimeMetrics.Waiting(connection.Waiting);
        if (connection.StuckFor >= TimeSpan.FromSeconds(options.Value.SlowReaderSeconds))
        {
            RealtimeMetrics.SlowReader();
            Log.SlowReader(logger, connection.Id, connection.Caller.Device);
            connection.Abort();
        }
        else if (connection.FinishingFor >= s_finishing)
        {
            connection.Abort();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4040, LogLevel.Information, "Connection {Connection} of device {Device} takes nothing and is closed")]
        public static partial void SlowReader(ILogger logger, string connection, DeviceId device);

        [LoggerMessage(4041, LogLevel.Warning, "Sessions of live connections could not be checked")]
        public static partial void CheckFailed(ILogger logger, Exception exception);
    }
}

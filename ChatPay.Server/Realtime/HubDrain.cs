using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Realtime;

/// <summary>
/// Empties the node before it stops: nobody new comes in, everybody is told when to come back, each at another time,
/// calls that run are finished and answered, and then the sockets close. What has not ended by two thirds of the
/// shutdown timeout is left to the host, which ends it.
/// </summary>
internal sealed partial class HubDrain(
    ConnectionRegistry registry, Draining draining, IOptions<RealtimeOptions> options, IOptions<HostingOptions> hosting,
    TimeProvider time, ILogger<HubDrain> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(50);

    /// <summary>A client that was told, and has made no call for this long, has nothing more to say.</summary>
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(300);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Comes before the host tells SignalR, which would close all sockets at once.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        draining.Begin();
        AdmissionMetrics.Drains();
        var told = Tell(registry.All, []);
        Log.Begun(logger, told.Count);
        var limit = TimeSpan.FromSeconds(hosting.Value.ShutdownTimeoutSeconds) * 2 / 3;
        using var timer = new CancellationTokenSource(limit, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        while (registry.All is { Count: > 0 } left && !over.IsCancellationRequested)
        {
            // Some were on their way in when the door was shut.
            Tell(left, told);
            foreach (var connection in left)
            {
                if (connection.IsQuietFor(s_quiet))
                {
                    connection.Close();
                }
            }

            await Task.Delay(s_interval, time, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Log.Ended(logger, registry.All.Count);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The delays lie evenly over the whole spread; a client waits its own and up to as much again.</summary>
    private HashSet<ClientConnection> Tell(IReadOnlyList<ClientConnection> connections, HashSet<ClientConnection> told)
    {
        for (var i = 0; i < connections.Count; i++)
        {
            if (told.Add(connections[i]))
            {
                var afterMs = (int)((i + 1L) * options.Value.DrainSpreadMs / connections.Count);
                connections[i].SendAway(Push.Of(new ControlSignal(ControlKind.Reconnect, ReconnectAfterMs: afterMs)));
            }
        }

        return told;
    }

    private static partial class Log
    {
        [LoggerMessage(4250, LogLevel.Information, "Stopping: {Connections} connections are told to reconnect")]
        public static partial void Begun(ILogger logger, int connections);

        [LoggerMessage(4251, LogLevel.Information, "Drained: {Connections} connections are left to be cut off")]
        public static partial void Ended(ILogger logger, int connections);
    }
}

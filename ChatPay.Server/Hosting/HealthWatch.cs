using System.Diagnostics.Metrics;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Hosting;

/// <summary>Asks for whoever watches the metrics what a load balancer asks for itself.</summary>
internal sealed class HealthWatch(NpgsqlDataSource database, Draining draining, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        do
        {
            HealthMetrics.Ready(!draining.HasBegun && await DatabaseProbe.AnswersAsync(database, stoppingToken));
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}

/// <summary>Meter <c>ChatPay.Health</c>.</summary>
internal static class HealthMetrics
{
    private static readonly Meter Meter = new("ChatPay.Health");

    private static readonly Gauge<int> IsReady = Meter.CreateGauge<int>(
        "chatpay.ready", description:
            "1 while the node can do its work, 0 while its database does not answer or it is about to stop.");

    public static void Ready(bool ready) => IsReady.Record(ready ? 1 : 0);
}

using System.Diagnostics;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Chatting;

/// <summary>All members connected to one server, and what is done with them.</summary>
internal sealed class Crowd(ServedProcess server, ExchangeGate gate, IReadOnlyList<ChatMember> members) : IAsyncDisposable
{
    private const int OpenAtOnce = 64;
    private static readonly TimeSpan s_settling = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20);

    /// <summary>As clients of SignalR do; a server gives up on who says nothing for twice as long.</summary>
    private static readonly TimeSpan s_keepAlive = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _leaving = new();
    private Task _keepingAlive = Task.CompletedTask;

    public ServedProcess Server => server;

    public IReadOnlyList<ChatMember> Members => members;

    public long Sent => members.Sum(member => member.Sent);

    public long Acknowledged => members.Sum(member => member.Acknowledged);

    public long Delivered => members.Sum(member => member.Delivered);

    /// <summary>The first thing that went wrong with any; null as long as nothing has.</summary>
    public string? Violation => members.Select(member => member.Violation).FirstOrDefault(violation => violation is not null);

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        // The first ones may have been there for minutes when the last ones come.
        _keepingAlive = KeepAliveAsync();
        await Parallel.ForEachAsync(
            members, new ParallelOptions { MaxDegreeOfParallelism = OpenAtOnce, CancellationToken = cancellationToken },
            async (member, stop) => await member.OpenAsync(stop));
    }

    /// <summary>A closed loop: every member waits for its answer and sends again at once.</summary>
    public Task<SectionResult> LoopAsync(
        ServingProbe probe, TimeSpan warmUp, TimeSpan window,
        CancellationToken cancellationToken) => RunAsync(
        probe, warmUp, window, deliveryLatency: false,
        () =>
        {
            gate.Looping = true;
            foreach (var sender in members)
            {
                sender.Send();
            }
        },
        () =>
        {
            gate.Looping = false;
            return Task.CompletedTask;
        },
        cancellationToken);

    /// <summary>The first member sends, and again as soon as it has its answer and all others have the message.</summary>
    public Task<SectionResult> RoundsAsync(
        ServingProbe probe, TimeSpan warmUp, TimeSpan window, CancellationToken cancellationToken) => RunAsync(
        probe, warmUp, window, deliveryLatency: true,
        () =>
        {
            gate.BeginRounds(members[0], members.Count - 1);
            members[0].Send();
        },
        () =>
        {
            gate.EndRounds();
            return Task.CompletedTask;
        },
        cancellationToken);

    /// <summary>An open loop at a fixed rate.</summary>
    public async Task<SectionResult> PaceAsync(
        int perSecond, ServingProbe probe, TimeSpan warmUp, TimeSpan window, CancellationToken cancellationToken)
    {
        using var stop = new CancellationTokenSource();
        var pacing = Task.CompletedTask;
        return await RunAsync(
            probe, warmUp, window, deliveryLatency: true,
            () => pacing = Pacer.RunAsync(members, perSecond, stop.Token),
            async () =>
            {
                await stop.CancelAsync();
                await pacing;
            },
            cancellationToken);
    }

    /// <summary>Waits until nothing is under way any more.</summary>
    /// <param name="receiversEach">How many others get each message.</param>
    /// <returns>Whether everything that was sent came to that.</returns>
    public async Task<bool> SettleAsync(int receiversEach, CancellationToken cancellationToken)
    {
        var deadline = Stopwatch.GetTimestamp() + (long)(s_settling.TotalSeconds * Stopwatch.Frequency);
        while (Acknowledged < Sent || Delivered < Sent * receiversEach)
        {
            if (Stopwatch.GetTimestamp() > deadline || Violation is not null || members.Any(member => member.Closed.IsCompleted))
            {
                return false;
            }

            await Task.Delay(s_look, cancellationToken);
        }

        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await _keepingAlive;
        _leaving.Dispose();
        foreach (var member in members)
        {
            member.Dispose();
        }
    }

    private async Task KeepAliveAsync()
    {
        using var timer = new PeriodicTimer(s_keepAlive);
        try
        {
            while (await timer.WaitForNextTickAsync(_leaving.Token))
            {
                foreach (var member in members)
                {
                    member.KeepAlive();
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task<SectionResult> RunAsync(
        ServingProbe probe, TimeSpan warmUp, TimeSpan window, bool deliveryLatency, Action begin, Func<Task> end,
        CancellationToken cancellationToken)
    {
        GC.Collect();
        var (answers, deliveries) = (new LatencyHistogram(), new LatencyHistogram());
        begin();
        try
        {
            await Task.Delay(warmUp, cancellationToken);
            var before = await probe.ReadAsync(server, cancellationToken);
            var start = (Time: Stopwatch.GetTimestamp(), Delivered);
            gate.Measure(answers, deliveries);
            await Task.Delay(window, cancellationToken);
            var stop = (Time: Stopwatch.GetTimestamp(), Delivered);
            gate.StopMeasuring();
            var used = await probe.ReadAsync(server, cancellationToken) - before;
            var charged = Delivered - start.Delivered;
            server.RequireAlive();
            var latencies = deliveryLatency ? deliveries : answers;
            double? Each(double? total) => charged == 0 ? null : total / charged;
            return new SectionResult(
                (stop.Delivered - start.Delivered) * (double)Stopwatch.Frequency / (stop.Time - start.Time),
                latencies.Count == 0 ? null : latencies.Percentile(0.5),
                latencies.Count == 0 ? null : latencies.Percentile(0.99),
                Each(used.Server.TotalMicroseconds), Each(used.Postgres?.TotalMicroseconds), Each(used.TableBytes),
                Each(used.WalBytes), BatchMean: null)
            {
                DriverCpuMicros = Each(used.Driver.TotalMicroseconds),
            };
        }
        finally
        {
            gate.StopMeasuring();
            await end();
        }
    }
}

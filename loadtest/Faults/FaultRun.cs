using System.Globalization;
using ChatPay.LoadTest.Reporting;

namespace ChatPay.LoadTest.Faults;

/// <summary>Goes through the schedule: a fault, its end, and everybody in sync again before the next.</summary>
internal sealed class FaultRun(FaultBench bench, ScenarioConsole console)
{
    private const int WorkCalls = 20;

    /// <summary>Generous, for machines that have much else to do.</summary>
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(90);

    public FaultBench Bench => bench;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var kinds = bench.Options.Kinds;
        var began = TimeProvider.System.GetTimestamp();
        var said = 0;
        foreach (var (index, kind) in FaultSchedule.Of(bench.Options.Seed, kinds).Index())
        {
            var elapsed = TimeProvider.System.GetElapsedTime(began);
            if (index >= kinds.Count && elapsed >= TimeSpan.FromMinutes(bench.Options.Minutes))
            {
                return;
            }

            var name = FaultKinds.NameOf(kind);
            console.Begin(string.Create(CultureInfo.InvariantCulture, $"fault {index + 1}: {name}"));
            bench.Counts.Add(kind);
            await InjectAsync(kind, cancellationToken);
            var lasted = TimeProvider.System.GetElapsedTime(began) - elapsed;
            var sync = await bench.Crowd.UntilInSyncAsync(s_deadline, cancellationToken);
            if (sync is null)
            {
                bench.Book.Violate(
                    Rules.InSync,
                    $"{s_deadline.TotalSeconds} s after {name}: {string.Join("; ", bench.Crowd.Behind())}");
            }
            else
            {
                bench.Counts.InSync(kind, sync.Value);
            }

            console.Done(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-26} {lasted.TotalSeconds,6:N1} s, in sync after {sync?.TotalSeconds,5:N1} s; "
                + $"{bench.Book.Operations:N0} operations, {bench.Book.Violations.Count} violations"));
            await RequireWorkAsync("after " + name, cancellationToken);
            foreach (var violation in bench.Book.Violations.Skip(said))
            {
                console.Say(violation.ToString());
                said++;
            }
        }
    }

    /// <summary>The servers were started without it, and everybody is connected and at work.</summary>
    public async Task StartRedisAsync(CancellationToken cancellationToken)
    {
        await RequireWorkAsync("on servers that started without Redis", cancellationToken);
        if (await bench.Crowd.UntilInSyncAsync(s_deadline, cancellationToken) is null)
        {
            bench.Book.Violate(Rules.InSync, "somebody is behind on servers that started without Redis");
        }

        await bench.Redis.StartAsync(cancellationToken);
    }

    /// <summary>Calls are answered now: work goes on in spite of what is away.</summary>
    public async Task RequireWorkAsync(string when, CancellationToken cancellationToken)
    {
        if (!await bench.Crowd.UntilAnsweredAsync(WorkCalls, s_deadline, cancellationToken))
        {
            bench.Book.Violate(Rules.InSync, $"no work got done {when}");
        }
    }

    private Task InjectAsync(FaultKind kind, CancellationToken cancellationToken) => kind switch
    {
        FaultKind.RedisAbsentAtStart => RedisFaults.AbsentAtStartAsync(this, cancellationToken),
        FaultKind.RedisKill => RedisFaults.KillAsync(this, cancellationToken),
        FaultKind.RedisPause => RedisFaults.PauseAsync(this, cancellationToken),
        FaultKind.RedisRestart => RedisFaults.RestartAsync(this, cancellationToken),
        FaultKind.NodeKill => NodeFaults.KillAsync(this, cancellationToken),
        FaultKind.NodeKillUnacknowledged =>
            NodeFaults.KillUnacknowledgedAsync(this, AnswerHold.Sends, cancellationToken),
        FaultKind.NodeKillInCardAction =>
            NodeFaults.KillUnacknowledgedAsync(this, AnswerHold.CardActions, cancellationToken),
        FaultKind.NodePause => NodeFaults.PauseAsync(this, cancellationToken),
        FaultKind.NodeDrain => NodeFaults.DrainAsync(this, cancellationToken),
        FaultKind.AnswersCut => NodeFaults.CutAnswersAsync(this, cancellationToken),
        FaultKind.PostgresRestart => PostgresFaults.RestartAsync(this, cancellationToken),
        FaultKind.PostgresImmediateStop => PostgresFaults.StopAsync(this, cancellationToken),
        FaultKind.PostgresPoolExhausted => PostgresFaults.ExhaustAsync(this, cancellationToken),
        FaultKind.PostgresFailOver => PostgresFaults.FailOverAsync(this, cancellationToken),
        FaultKind.NeverReading => ClientFaults.NeverReadAsync(this, cancellationToken),
        FaultKind.ReconnectStorm => ClientFaults.StormAsync(this, cancellationToken),
        FaultKind.HintsDoubled => HintFaults.DoubleAsync(this, cancellationToken),
        FaultKind.OldClient => OldClientFault.RunAsync(this, cancellationToken),
    };
}

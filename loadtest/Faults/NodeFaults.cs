namespace ChatPay.LoadTest.Faults;

/// <summary>A server dies at the worst moments, stops for a while, or is asked to go.</summary>
internal static class NodeFaults
{
    private const int Unacknowledged = 3;
    private static readonly TimeSpan s_holdTimeout = TimeSpan.FromSeconds(30);

    /// <summary>In the middle of whatever it was doing.</summary>
    public static async Task KillAsync(FaultRun run, CancellationToken cancellationToken)
    {
        var node = run.Bench.AnyNode();
        await node.KillAsync();
        await ReturnAsync(run, node, cancellationToken);
    }

    /// <summary>After a commit whose answer is still on its way, and never arrives.</summary>
    public static async Task KillUnacknowledgedAsync(FaultRun run, byte[] mark, CancellationToken cancellationToken)
    {
        var node = run.Bench.AnyNode();
        await HoldAsync(run, mark, node.KillAsync, cancellationToken);
        await ReturnAsync(run, node, cancellationToken);
    }

    /// <summary>The same, but it is the network that takes the answers.</summary>
    public static Task CutAnswersAsync(FaultRun run, CancellationToken cancellationToken) =>
        HoldAsync(run, AnswerHold.Sends, () => Task.CompletedTask, cancellationToken);

    public static async Task PauseAsync(FaultRun run, CancellationToken cancellationToken)
    {
        var node = run.Bench.AnyNode();
        await node.PauseAsync();
        try
        {
            await Task.Delay(run.Bench.Options.Pause, cancellationToken);
        }
        finally
        {
            await node.ResumeAsync();
        }
    }

    /// <summary>SIGTERM, as a service manager does it before an upgrade.</summary>
    public static async Task DrainAsync(FaultRun run, CancellationToken cancellationToken)
    {
        var node = run.Bench.AnyNode();
        if (!await node.DrainAsync())
        {
            run.Bench.Book.Violate(Rules.Drained, $"{node.Name} did not end cleanly:\n{node.Output}");
        }

        await ReturnAsync(run, node, cancellationToken);
    }

    private static async Task ReturnAsync(FaultRun run, ServerNode node, CancellationToken cancellationToken)
    {
        await run.RequireWorkAsync($"without {node.Name}", cancellationToken);
        await Task.Delay(run.Bench.Options.Absence, cancellationToken);
        await node.StartAsync(cancellationToken);
        run.Bench.Spread();
    }

    private static async Task HoldAsync(
        FaultRun run, byte[] mark, Func<Task> then, CancellationToken cancellationToken)
    {
        var hold = new AnswerHold(mark, Unacknowledged);
        foreach (var proxy in run.Bench.Proxies)
        {
            proxy.Hold(hold);
        }

        await Task.WhenAny(hold.Complete, Task.Delay(s_holdTimeout, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
        await then();
        foreach (var proxy in run.Bench.Proxies)
        {
            proxy.Hold(null);
            proxy.CutHeld();
        }

        run.Bench.Counts.AddUnacknowledged(hold.Held);
        if (hold.Held == 0)
        {
            run.Bench.Book.Violate(Rules.FaultsEffective, "no answer was on its way when answers were to be lost");
        }
    }
}

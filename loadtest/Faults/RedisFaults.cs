namespace ChatPay.LoadTest.Faults;

/// <summary>Redis dies, stops answering, comes back, or is not there when a server starts. Work goes on meanwhile.</summary>
internal static class RedisFaults
{
    public static async Task KillAsync(FaultRun run, CancellationToken cancellationToken)
    {
        await run.Bench.Redis.KillAsync();
        await run.RequireWorkAsync("without Redis", cancellationToken);
        await Task.Delay(run.Bench.Options.Absence, cancellationToken);
        await run.Bench.Redis.StartAsync(cancellationToken);
    }

    public static async Task PauseAsync(FaultRun run, CancellationToken cancellationToken)
    {
        await run.Bench.Redis.PauseAsync();
        try
        {
            await run.RequireWorkAsync("while Redis does not answer", cancellationToken);
            await Task.Delay(run.Bench.Options.Pause, cancellationToken);
        }
        finally
        {
            await run.Bench.Redis.ResumeAsync();
        }
    }

    /// <summary>Away for so short that hints are lost on the way, and nobody may notice.</summary>
    public static async Task RestartAsync(FaultRun run, CancellationToken cancellationToken)
    {
        await run.Bench.Redis.KillAsync();
        await run.Bench.Redis.StartAsync(cancellationToken);
    }

    public static async Task AbsentAtStartAsync(FaultRun run, CancellationToken cancellationToken)
    {
        await run.Bench.Redis.KillAsync();
        var node = run.Bench.AnyNode();
        await node.KillAsync();
        await node.StartAsync(cancellationToken);
        run.Bench.Spread();
        await run.RequireWorkAsync("on a server that started without Redis", cancellationToken);
        await run.Bench.Redis.StartAsync(cancellationToken);
    }
}

using System.Diagnostics;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>Drives every server in turn and takes down what came of it.</summary>
internal sealed class ServingRounds(ServingOptions options, ScenarioConsole console)
{
    /// <summary>What one drive of the warm-up takes.</summary>
    public static readonly TimeSpan WarmUpWindow = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_warmUpMax = TimeSpan.FromMinutes(2);

    /// <summary>A server is warm when so many drives on end leave its compiler next to nothing to do.</summary>
    private const int CompiledDrives = 3;

    /// <summary>The share of a core that counts as next to nothing.</summary>
    private const double CompilerShare = 0.03;

    public SectionLog Log { get; init; } = new();

    /// <summary>Whether after each section everything that was sent came to its end.</summary>
    public bool Settled { get; private set; } = true;

    /// <summary>
    /// Drives every server until it has delivered enough and its compiler rests: under full load .NET puts off compiling
    /// what it knows to be busy, and the window would measure that.
    /// </summary>
    /// <param name="processOf">A server's process.</param>
    /// <param name="run">Drives a server for a short while.</param>
    public async Task WarmUpAsync(
        Func<string, int> processOf, Func<string, Task<SectionResult>> run, Func<string, Task<bool>> settle,
        Func<string, long> delivered)
    {
        console.Begin("warming up");
        foreach (var server in options.Servers)
        {
            var goal = delivered(server) + options.WarmUp;
            var begun = Stopwatch.GetTimestamp();
            var compiled = options.WarmUp == 0 ? CompiledDrives : 0;
            while ((delivered(server) < goal || compiled < CompiledDrives) && Settled
                && Stopwatch.GetElapsedTime(begun) < s_warmUpMax)
            {
                var (before, drive) = (CompilerTimes.Read(processOf(server)), Stopwatch.GetTimestamp());
                await run(server);
                Settled &= await settle(server);
                var busy = CompilerTimes.Read(processOf(server)) - before;
                compiled = busy > CompilerShare * Stopwatch.GetElapsedTime(drive) ? 0 : compiled + 1;
            }
        }

        console.Done();
    }

    /// <param name="nameOf">What a server's section is called.</param>
    public async Task MeasureAsync(
        int round, Func<string, string> nameOf, Func<string, Task<SectionResult>> run, Func<string, Task<bool>> settle)
    {
        foreach (var server in options.Servers)
        {
            var section = nameOf(server);
            console.Begin(section);
            var result = await run(server);
            Settled &= await settle(server);

            // PostgreSQL works for one of them only; what it does beside the others is not theirs.
            result = server == Servers.ChatPay
                ? result : result with { PostgresCpuMicros = null, TableBytes = null, WalBytes = null };
            Log.Add(section, result);
            console.Done(ExchangeLine.Of(round, section, result));
        }
    }
}

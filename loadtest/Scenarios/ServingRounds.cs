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

    public SectionLog Log { get; } = new();

    /// <summary>Whether after each section everything that was sent came to its end.</summary>
    public bool Settled { get; private set; } = true;

    /// <param name="run">Drives a server for a short while.</param>
    public async Task WarmUpAsync(
        Func<string, Task<SectionResult>> run, Func<string, Task<bool>> settle, Func<string, long> delivered)
    {
        console.Begin("warming up");
        foreach (var server in options.Servers)
        {
            var goal = delivered(server) + options.WarmUp;
            var begun = Stopwatch.GetTimestamp();
            while (delivered(server) < goal && Settled && Stopwatch.GetElapsedTime(begun) < s_warmUpMax)
            {
                await run(server);
                Settled &= await settle(server);
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

using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>Drives every server in turn and takes down what came of it.</summary>
internal sealed class ServingRounds(ServingOptions options, ScenarioConsole console)
{
    public SectionLog Log { get; } = new();

    /// <summary>Whether after each section everything that was sent came to its end.</summary>
    public bool Settled { get; private set; } = true;

    public async Task WarmUpAsync(Func<string, Task<SectionResult>> run, Func<string, Task<bool>> settle)
    {
        console.Begin("warming up");
        foreach (var server in options.WarmUpSeconds > 0 ? options.Servers : [])
        {
            await run(server);
            Settled &= await settle(server);
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

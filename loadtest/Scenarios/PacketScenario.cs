using System.CommandLine;
using System.Globalization;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Paying;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>
/// Thousands of people in one conversation, each on a connection of their own, want a share of one packet at the same moment.
/// However fast that is, every share goes to one person, and nobody gets two.
/// </summary>
internal static class PacketScenario
{
    public const string Name = "packet";

    private const int PeopleDefault = 10_000;
    private const int PeopleMax = 20_000;
    private const int SharesDefault = 1_000;

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var people = OptionBounds.Whole("--people", PeopleDefault, 1, PeopleMax, "People who want a share.");
        var shares = OptionBounds.Whole("--shares", SharesDefault, 1, Limits.PacketShares, "Shares of a packet.");
        var mode = new Option<PacketMode>("--mode")
        {
            Description = "How a packet is divided: Random, or Fixed.",
            DefaultValueFactory = _ => PacketMode.Random,
        };
        var warmUp = OptionBounds.Whole("--warm-up", 2, 0, 100, "Packets before the first round, so that code is compiled.");
        var command = new ServingCommandLine(new ServingOptions()).Create(
            Name, "Ten thousand people take a thousand shares of one packet.", ServingParts.Rounds,
            [people, shares, mode, warmUp], args,
            (parsed, options, stop) => ScenarioConsole.RunAsync(output, Name, console => RunAsync(
                options,
                new Plan(
                    parsed.GetValue(people), parsed.GetValue(shares), parsed.GetValue(mode), parsed.GetValue(warmUp)),
                console, stop)));
        command.Validators.Add(result =>
        {
            // What is not given has no value here yet.
            if ((result.GetResult(people)?.GetValueOrDefault<int>() ?? PeopleDefault)
                < (result.GetResult(shares)?.GetValueOrDefault<int>() ?? SharesDefault))
            {
                result.AddError("--people is less than --shares: nobody would see the packet's end.");
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(
        ServingOptions options, Plan plan, ScenarioConsole console, CancellationToken cancellationToken)
    {
        console.Expect(5 + plan.WarmUp + options.Rounds);
        options = options with { Server = PayPeople.SettingsWith(options.Server) };
        await using var bench = await ServingBench.StartAsync(options, console, cancellationToken);
        console.Begin("the server, people and connections");
        await using var server = await ServedProcess.StartServerAsync(bench.Database, options.Server, cancellationToken);
        await using var rush = await PacketRush.GatherAsync(server, bench, plan.People, cancellationToken);
        console.Done();
        for (var round = 0; round < plan.WarmUp; round++)
        {
            console.Begin("a packet to warm up");
            var warm = await rush.RunAsync(bench, plan.Shares, plan.Mode, cancellationToken);
            console.Done($"warming up: {warm}");
        }

        var rounds = new List<PacketFigures>();
        for (var round = 1; round <= options.Rounds; round++)
        {
            console.Begin("a packet");
            rounds.Add(await rush.RunAsync(bench, plan.Shares, plan.Mode, cancellationToken));
            console.Done(string.Create(CultureInfo.InvariantCulture, $"round {round}: {rounds[^1]}"));
        }

        var memory = ProcessMemory.Read(server.Id);
        console.Begin("checking the books");
        var invariants = await rush.InvariantsAsync(bench, options, cancellationToken);
        console.Done();
        double Median(Func<PacketFigures, double> value) => Math.Round(Statistics.Median(rounds.Select(value)), 3);
        return await bench.ConcludeAsync(
            Name,
            new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["people"] = plan.People,
                ["shares"] = plan.Shares,
                ["packets"] = rounds,
                ["server_resident_bytes"] = memory.ResidentBytes,
            },
            new Dictionary<string, double>(StringComparer.Ordinal)
            {
                ["seconds_to_last_answer"] = Median(figures => figures.SecondsToLastAnswer),
                ["seconds_to_last_share"] = Median(figures => figures.SecondsToLastShare),
                ["seconds_to_last_event"] = Median(figures => figures.SecondsToLastEvent),
                ["claims_per_second"] = Median(figures => plan.People / figures.SecondsToLastAnswer),
                ["server_cpu_micros_per_claim"] = Median(figures => figures.ServerCpuSeconds * 1e6 / plan.People),
                ["postgres_cpu_micros_per_claim"] =
                    Median(figures => (figures.PostgresCpuSeconds ?? 0) * 1e6 / plan.People),
            },
            invariants, new Dictionary<string, RatioTarget>(StringComparer.Ordinal), cancellationToken);
    }

    private sealed record Plan(int People, int Shares, PacketMode Mode, int WarmUp);
}

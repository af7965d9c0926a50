using System.CommandLine;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>
/// Messages between two people each: as fast as answers come, and at a fixed rate. ChatPay commits every one before it
/// answers; the relays beside it keep nothing.
/// </summary>
internal static class ChatScenario
{
    public const string Name = "chat";

    private const int ConnectionsDefault = 200;
    private const int ConnectionsMax = 5_000;
    private const int RateDefault = 2_000;
    private const int RateMax = 50_000;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromMilliseconds(500);

    private static readonly Dictionary<string, RatioTarget> s_targets = new(StringComparer.Ordinal)
    {
        ["cpu_per_message_vs_raw_websocket"] = new(Target: 1.6, Limit: 2.2),
        ["messages_vs_signalr_relay"] = new(Target: 0.9, Limit: 0.6),
        ["p99_vs_raw_websocket"] = new(Target: 2, Limit: 4),
    };

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var connections = OptionBounds.Whole(
            "--connections", ConnectionsDefault, 2, ConnectionsMax, "Connections, two to a conversation.");
        var rate = OptionBounds.Whole(
            "--rate", RateDefault, 1, RateMax, "Messages per second where latency is measured.");
        return new ServingCommandLine(new ServingOptions()).Create(
            Name, "Messages between two, durable and in order, beside bare relays that keep nothing.", ServingParts.All,
            [connections, rate], args,
            (parsed, options, stop) => ScenarioConsole.RunAsync(output, Name, console => RunAsync(
                options, parsed.GetValue(connections), parsed.GetValue(rate), console, stop)));
    }

    private static async Task<int> RunAsync(
        ServingOptions options, int connections, int rate, ScenarioConsole console, CancellationToken cancellationToken)
    {
        console.Expect(3 + (options.Rounds * options.Servers.Count * 2));
        await using var bench = await ServingBench.StartAsync(options, console, cancellationToken);
        console.Begin("servers, people and connections");
        await using var servers = await Servers.StartAsync(
            options.Servers, bench.Database, options.Server, cancellationToken);
        var rooms = await ChatPeople.AddAsync(bench.Owner, connections / 2, 2, cancellationToken);
        await using var crowds = await Crowds.OpenAsync(servers, rooms, options.PayloadBytes, cancellationToken);
        console.Done();

        var rounds = new ServingRounds(options, console);
        await rounds.WarmUpAsync(
            name => servers[name].Id,
            name => crowds[name].LoopAsync(bench.Probe, TimeSpan.Zero, ServingRounds.WarmUpWindow, cancellationToken),
            name => crowds[name].SettleAsync(1, cancellationToken), name => crowds[name].Delivered);
        for (var round = 1; round <= options.Rounds; round++)
        {
            await rounds.MeasureAsync(
                round, name => name,
                name => crowds[name].LoopAsync(bench.Probe, s_warmUp, options.Window, cancellationToken),
                name => crowds[name].SettleAsync(1, cancellationToken));
            await rounds.MeasureAsync(
                round, PacedOf,
                name => crowds[name].PaceAsync(rate, bench.Probe, s_warmUp, options.Window, cancellationToken),
                name => crowds[name].SettleAsync(1, cancellationToken));
        }

        var figures = rounds.Log.Figures();
        figures["payload_bytes"] = options.PayloadBytes;
        return await bench.ConcludeAsync(
            Name, figures, RatiosOf(rounds.Log),
            await crowds.InvariantsAsync(rounds.Settled, bench.Owner, console, cancellationToken), s_targets,
            cancellationToken);
    }

    private static string PacedOf(string server) => server + "_at_rate";

    private static Dictionary<string, double> RatiosOf(SectionLog log)
    {
        var ratios = new ServingRatios(log);
        ratios.Add(
            "cpu_per_message_vs_raw_websocket", Servers.ChatPay, Servers.WebSocket, result => result.ProcessCpuMicros);
        ratios.Add("messages_vs_signalr_relay", Servers.ChatPay, Servers.SignalR, result => result.PerSecond);
        ratios.Add(
            "p99_vs_raw_websocket", PacedOf(Servers.ChatPay), PacedOf(Servers.WebSocket),
            result => result.P99?.TotalMilliseconds);
        ratios.Add(
            "postgres_cpu_per_message_vs_raw_websocket", Servers.ChatPay, Servers.WebSocket,
            result => result.PostgresCpuMicros, result => result.ProcessCpuMicros);
        ratios.Add(
            "cpu_per_message_vs_signalr_relay", Servers.ChatPay, Servers.SignalR, result => result.ProcessCpuMicros);
        ratios.Add("messages_vs_raw_websocket", Servers.ChatPay, Servers.WebSocket, result => result.PerSecond);
        ratios.Add(
            "p99_vs_signalr_relay", PacedOf(Servers.ChatPay), PacedOf(Servers.SignalR),
            result => result.P99?.TotalMilliseconds);
        ratios.Add(
            "cpu_per_message_at_rate_vs_raw_websocket", PacedOf(Servers.ChatPay), PacedOf(Servers.WebSocket),
            result => result.ProcessCpuMicros);
        return ratios.All;
    }
}

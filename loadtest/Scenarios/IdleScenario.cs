using System.CommandLine;
using System.Globalization;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What a server's memory is with thousands of people signed in who say nothing.</summary>
internal static class IdleScenario
{
    public const string Name = "idle";

    private const string Ratio = "memory_vs_raw_websocket";
    private const int ConnectionsDefault = 5_000;
    private const int ConnectionsMax = 50_000;
    private const int SettleDefault = 30;

    private static readonly Dictionary<string, RatioTarget> s_targets = new(StringComparer.Ordinal)
    {
        [Ratio] = new(Target: 1.2, Limit: 1.6),
    };

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var connections = OptionBounds.Whole(
            "--connections", ConnectionsDefault, 2, ConnectionsMax, "Connections, two to a conversation.");
        var settle = OptionBounds.Whole(
            "--settle", SettleDefault, 0, ServingOptions.SecondsMax,
            "Seconds between the last connection and the measurement.");
        return new ServingCommandLine(new ServingOptions()).Create(
            Name, "Memory for signed-in connections that say nothing, beside bare relays.",
            ServingParts.Payload | ServingParts.Only, [connections, settle], args,
            (parsed, options, stop) => ScenarioConsole.RunAsync(output, Name, console => RunAsync(
                options, parsed.GetValue(connections), TimeSpan.FromSeconds(parsed.GetValue(settle)), console, stop)));
    }

    private static async Task<int> RunAsync(
        ServingOptions options, int connections, TimeSpan settle, ScenarioConsole console,
        CancellationToken cancellationToken)
    {
        console.Expect(2 + options.Servers.Count);
        await using var bench = await ServingBench.StartAsync(options, console, cancellationToken);
        console.Begin("servers and people");
        await using var servers = await Servers.StartAsync(
            options.Servers, bench.Database, options.Server, cancellationToken);
        var rooms = await ChatPeople.AddAsync(bench.Owner, connections / 2, 2, cancellationToken);
        console.Done();
        var memory = new Dictionary<string, IdleFigures>(StringComparer.Ordinal);
        var invariants = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var name in options.Servers)
        {
            console.Begin(name);
            var server = servers[name];
            var empty = ProcessMemory.Read(server.Id);
            await using var crowds = await Crowds.OpenAsync(
                servers, [name], rooms, options.PayloadBytes, cancellationToken);
            var cpu = server.Cpu;
            await Task.Delay(settle, cancellationToken);
            var full = ProcessMemory.Read(server.Id);
            var idleCpu = settle > TimeSpan.Zero ? (server.Cpu - cpu) / settle : 0;

            // They are connected for a purpose: each still gets a message through.
            foreach (var member in crowds[name].Members)
            {
                member.Send();
            }

            var settled = await crowds[name].SettleAsync(1, cancellationToken);
            foreach (var (invariant, holds) in await crowds.InvariantsAsync(
                settled, bench.Owner, console, cancellationToken))
            {
                invariants[invariant] = holds && invariants.GetValueOrDefault(invariant, true);
            }

            memory[name] = new(
                empty.ResidentBytes, full.ResidentBytes, full.ProportionalBytes,
                Math.Round((full.ResidentBytes - empty.ResidentBytes) / (double)connections), Math.Round(idleCpu, 4));
            console.Done(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-14} {full.ResidentBytes / 1e6,7:N1} MB, of which {empty.ResidentBytes / 1e6,6:N1} MB before anybody "
                + $"came; {memory[name].BytesPerConnection,8:N0} bytes for a connection; {idleCpu:P1} of a processor"));
        }

        var ratios = new Dictionary<string, double>(StringComparer.Ordinal);
        void Add(string ratio, string baseline, Func<IdleFigures, double> value)
        {
            if (memory.TryGetValue(Servers.ChatPay, out var chatPay) && memory.TryGetValue(baseline, out var relay)
                && value(relay) > 0)
            {
                ratios.Add(ratio, Math.Round(value(chatPay) / value(relay), 3));
            }
        }

        Add(Ratio, Servers.WebSocket, figures => figures.ResidentBytes);
        Add("memory_per_connection_vs_raw_websocket", Servers.WebSocket, figures => figures.BytesPerConnection);
        Add("memory_vs_signalr_relay", Servers.SignalR, figures => figures.ResidentBytes);
        return await bench.ConcludeAsync(
            Name, memory.ToDictionary(pair => pair.Key, pair => (object)pair.Value, StringComparer.Ordinal), ratios,
            invariants, s_targets, cancellationToken);
    }
}

/// <summary>The memory of one server's process.</summary>
/// <param name="EmptyBytes">Resident before anybody was connected.</param>
/// <param name="ResidentBytes">Resident with all connections, after settling: what the ratio is over.</param>
/// <param name="ProportionalBytes">The same with shared pages divided among those who share them.</param>
/// <param name="BytesPerConnection">What each connection added to the resident memory.</param>
/// <param name="IdleProcessors">CPU time per second while nothing was said.</param>
internal sealed record IdleFigures(
    long EmptyBytes, long ResidentBytes, long ProportionalBytes, double BytesPerConnection, double IdleProcessors);

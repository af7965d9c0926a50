using System.CommandLine;
using System.Globalization;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>
/// One sender in a large group: the next message goes out once everybody has the last one, so no server may save work by
/// joining messages.
/// </summary>
internal static class FanoutScenario
{
    public const string Name = "fanout";

    private const string Ratio = "cpu_per_delivery_vs_signalr_group";
    private const int MembersMin = 2;
    private const int MembersMax = 5_000;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromMilliseconds(500);
    private static readonly int[] s_sizes = [200, 1_000];

    private static readonly Dictionary<string, RatioTarget> s_targets = new(StringComparer.Ordinal)
    {
        [Ratio] = new(Target: 1, Limit: 1.3),
    };

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var members = new Option<int[]>("--members")
        {
            Description = "Members of the groups, one run for each.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => s_sizes,
        };
        members.Validators.Add(result =>
        {
            if ((result.GetValueOrDefault<int[]>() ?? []).Any(size => size is < MembersMin or > MembersMax))
            {
                result.AddError(FormattableString.Invariant($"--members takes {MembersMin} to {MembersMax:N0}."));
            }
        });
        return new ServingCommandLine(new ServingOptions { Seconds = 4, WarmUp = 400_000 }).Create(
            Name, "One sender and a large group, beside SignalR's own groups.", ServingParts.All, [members], args,
            (parsed, options, stop) => ScenarioConsole.RunAsync(
                output, Name, console => RunAsync(options, parsed.GetValue(members)!, console, stop)));
    }

    private static async Task<int> RunAsync(
        ServingOptions options, int[] sizes, ScenarioConsole console, CancellationToken cancellationToken)
    {
        console.Expect(1 + (sizes.Length * (2 + (options.Rounds * options.Servers.Count))));
        await using var bench = await ServingBench.StartAsync(options, console, cancellationToken);
        await using var servers = await Servers.StartAsync(
            options.Servers, bench.Database, options.Server, cancellationToken);
        var rounds = new ServingRounds(options, console);
        var invariants = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var size in sizes)
        {
            console.Begin(string.Create(CultureInfo.InvariantCulture, $"a group of {size:N0}"));
            var rooms = await ChatPeople.AddAsync(bench.Owner, 1, size, cancellationToken);
            await using var crowds = await Crowds.OpenAsync(servers, rooms, options.PayloadBytes, cancellationToken);
            console.Done();
            await rounds.WarmUpAsync(
                name => servers[name].Id,
                name => crowds[name].RoundsAsync(bench.Probe, TimeSpan.Zero, ServingRounds.WarmUpWindow, cancellationToken),
                name => crowds[name].SettleAsync(size - 1, cancellationToken), name => crowds[name].Delivered);
            for (var round = 1; round <= options.Rounds; round++)
            {
                await rounds.MeasureAsync(
                    round, name => SectionOf(name, size),
                    name => crowds[name].RoundsAsync(bench.Probe, s_warmUp, options.Window, cancellationToken),
                    name => crowds[name].SettleAsync(size - 1, cancellationToken));
            }

            foreach (var (name, holds) in await crowds.InvariantsAsync(
                rounds.Settled, bench.Owner, console, cancellationToken))
            {
                invariants[name] = holds && invariants.GetValueOrDefault(name, true);
            }
        }

        var ratios = new ServingRatios(rounds.Log);
        foreach (var size in sizes)
        {
            var suffix = string.Create(CultureInfo.InvariantCulture, $"_{size}");
            var (chatPay, signalR) = (SectionOf(Servers.ChatPay, size), SectionOf(Servers.SignalR, size));
            ratios.Add(Ratio + suffix, chatPay, signalR, result => result.ProcessCpuMicros);
            ratios.Add("deliveries_vs_signalr_group" + suffix, chatPay, signalR, result => result.PerSecond);
            ratios.Add("p99_vs_signalr_group" + suffix, chatPay, signalR, result => result.P99?.TotalMilliseconds);
            ratios.Add(
                "cpu_per_delivery_vs_raw_websocket" + suffix, chatPay, SectionOf(Servers.WebSocket, size),
                result => result.ProcessCpuMicros);
        }

        var worst = sizes.Max(size =>
            ratios.All.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"{Ratio}_{size}")));
        var all = new Dictionary<string, double>(StringComparer.Ordinal);
        if (worst > 0)
        {
            all.Add(Ratio, worst);
        }

        foreach (var (name, value) in ratios.All)
        {
            all.Add(name, value);
        }

        return await bench.ConcludeAsync(
            Name, rounds.Log.Figures(), all, invariants, s_targets, cancellationToken);
    }

    private static string SectionOf(string server, int members) =>
        string.Create(CultureInfo.InvariantCulture, $"{server}_{members}");
}

using System.CommandLine;
using ChatPay.LoadTest.Paying;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>
/// People who pay each other by card as fast as payments settle. A payment is a signed transfer and its acceptance, or one that
/// arrives at once, and counts once both sides have been told that it is settled. The same number of connections calls a bare
/// SignalR hub beside it.
/// </summary>
internal static class PayScenario
{
    public const string Name = "pay";

    private const string Ratio = "payments_vs_signalr_roundtrips";
    private const string RatioAtOnce = "payments_at_once_vs_signalr_roundtrips";
    private const string Payments = "payments";
    private const string PaymentsAtOnce = "payments_at_once";
    private const string RoundTrips = "signalr_roundtrips";
    private const int ClientsDefault = 2_000;
    private const int ClientsMax = 5_000;
    private const int NodesMax = 4;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromMilliseconds(500);

    private static readonly Dictionary<string, RatioTarget> s_targets = new(StringComparer.Ordinal)
    {
        [Ratio] = new(Target: 0.15, Limit: 0.08),
    };

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var clients = OptionBounds.Whole("--clients", ClientsDefault, 2, ClientsMax, "Connections, two to a conversation.");
        var nodes = OptionBounds.Whole(
            "--nodes", 1, 1, NodesMax, "Nodes on the database. Clients are on the first; all of them end what is due.");
        var defaults = new ServingOptions { Choice = [Servers.SignalR, Servers.ChatPay], WarmUp = 20_000 };
        return new ServingCommandLine(defaults).Create(
            Name, "Payments by card with real signatures, beside calls of a bare SignalR hub.",
            ServingParts.Rounds | ServingParts.Seconds | ServingParts.Only, [clients, nodes], args,
            (parsed, options, stop) => ScenarioConsole.RunAsync(
                output, Name, console => RunAsync(options, parsed.GetValue(clients), parsed.GetValue(nodes), console, stop)));
    }

    private static async Task<int> RunAsync(
        ServingOptions options, int clients, int nodes, ScenarioConsole console, CancellationToken cancellationToken)
    {
        var pays = options.Servers.Contains(Servers.ChatPay, StringComparer.Ordinal);
        console.Expect(4 + (options.Rounds * options.Servers.Count) + (pays ? 1 + options.Rounds : 0));
        options = options with { Server = PayPeople.SettingsWith(options.Server) };
        await using var bench = await ServingBench.StartAsync(options, console, cancellationToken);
        console.Begin("servers, people and connections");
        await using var servers = await Servers.StartAsync(
            options.Servers, bench.Database, options.Server, cancellationToken);
        await using var beside = await NodesBeside.StartAsync(nodes - 1, bench.Database, options.Server, cancellationToken);
        await using var crowds = await PayCrowds.OpenAsync(servers, bench, clients / 2, cancellationToken);
        console.Done();

        var rounds = new ServingRounds(options, console);
        var roundsAtOnce = new ServingRounds(options with { Choice = [Servers.ChatPay] }, console) { Log = rounds.Log };
        Task WarmUpAsync(ServingRounds warmed) => warmed.WarmUpAsync(
            name => servers[name].Id,
            name => crowds[name].LoopAsync(bench.Probe, TimeSpan.Zero, ServingRounds.WarmUpWindow, cancellationToken),
            name => crowds[name].SettleAsync(1, cancellationToken), name => crowds[name].Delivered);
        Task MeasureAsync(ServingRounds measured, int round, string payments) => measured.MeasureAsync(
            round, name => name == Servers.ChatPay ? payments : RoundTrips,
            name => crowds[name].LoopAsync(bench.Probe, s_warmUp, options.Window, cancellationToken),
            name => crowds[name].SettleAsync(1, cancellationToken));
        await WarmUpAsync(rounds);
        if (pays)
        {
            await crowds.AtOnceAsync(() => WarmUpAsync(roundsAtOnce));
        }

        var measured = options.Rounds * (options.Servers.Count + (pays ? 1 : 0)) * (s_warmUp + options.Window);
        var ending = await EndingCards.AddAsync(bench.Owner, measured * 2, cancellationToken);
        var sealing = new SealWatch(bench.Owner);
        await using (sealing)
        {
            for (var round = 1; round <= options.Rounds; round++)
            {
                await MeasureAsync(rounds, round, Payments);
                if (pays)
                {
                    await crowds.AtOnceAsync(() => MeasureAsync(roundsAtOnce, round, PaymentsAtOnce));
                }
            }
        }

        beside.RequireAlive();
        var ratios = new ServingRatios(rounds.Log);
        ratios.Add(Ratio, Payments, RoundTrips, result => result.PerSecond);
        ratios.Add(RatioAtOnce, PaymentsAtOnce, RoundTrips, result => result.PerSecond);
        ratios.Add("cpu_per_payment_vs_signalr_roundtrip", Payments, RoundTrips, result => result.ProcessCpuMicros);
        ratios.Add("p99_vs_signalr_roundtrip", Payments, RoundTrips, result => result.P99?.TotalMilliseconds);
        var figures = rounds.Log.Figures();
        figures["call_bytes"] = crowds.CallBytes;
        figures["nodes"] = nodes;
        console.Begin("checking the books");
        var invariants = await crowds.InvariantsAsync(
            rounds.Settled && roundsAtOnce.Settled, bench, options, console, cancellationToken);
        if (pays)
        {
            var ended = await ending.ReadAsync(bench.Owner, cancellationToken);
            figures["expiries"] = ended;
            figures["unsealed"] = sealing.Figures();
            invariants["no_card_ended_early"] = ended.Early == 0;
            invariants["every_card_ended_when_due"] = ended.Open == 0;
        }

        console.Done();
        return await bench.ConcludeAsync(Name, figures, ratios.All, invariants, s_targets, cancellationToken);
    }
}

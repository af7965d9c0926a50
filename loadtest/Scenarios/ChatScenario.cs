using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;
using Npgsql;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>
/// Messages between two people each: as fast as answers come, and at a fixed rate. ChatPay commits every one before it
/// answers; the relays beside it keep nothing.
/// </summary>
internal static class ChatScenario
{
    public const string Name = "chat";

    private static readonly TimeSpan s_warmUp = TimeSpan.FromMilliseconds(500);

    private static readonly Dictionary<string, RatioTarget> s_targets = new(StringComparer.Ordinal)
    {
        ["cpu_per_message_vs_raw_websocket"] = new(Target: 1.6, Limit: 2.2),
        ["messages_vs_signalr_relay"] = new(Target: 0.9, Limit: 0.6),
        ["p99_vs_raw_websocket"] = new(Target: 2, Limit: 4),
    };

    public static Task<int> RunAsync(ChatOptions options, TextWriter output, CancellationToken cancellationToken) =>
        ScenarioConsole.RunAsync(output, Name, console => RunAsync(options, console, cancellationToken));

    private static async Task<int> RunAsync(
        ChatOptions options, ScenarioConsole console, CancellationToken cancellationToken)
    {
        var startedAt = TimeProvider.System.GetUtcNow();
        var commit = await RunIdentity.CommitAsync(cancellationToken);
        console.Expect(3 + (options.Rounds * options.Servers.Count * 2));
        console.Begin("PostgreSQL and the servers");
        await using var database = await DatabaseUnderTest.StartAsync(options.Database, null, cancellationToken);
        await using var servers = await Servers.StartAsync(options.Servers, database, options.Server, cancellationToken);
        await using var owner = NpgsqlDataSource.Create(database.ConnectionString);
        await using var probe = await ServingProbe.OpenAsync(owner, cancellationToken);
        var machine = Machine.Describe(
            database.Folder, await MeasuredStore.ReadSettingsAsync(owner, cancellationToken));
        console.Done(machine.ToString());

        console.Begin("people and connections");
        var rooms = await ChatPeople.AddAsync(owner, options.Connections / 2, 2, cancellationToken);
        await using var crowds = await Crowds.OpenAsync(servers, rooms, options.PayloadBytes, cancellationToken);
        console.Done();

        var log = new SectionLog();
        var settled = true;
        if (options.WarmUpSeconds > 0)
        {
            console.Begin("warming up");
            foreach (var name in options.Servers)
            {
                await crowds[name].LoopAsync(
                    crowds[name].Members, probe, TimeSpan.Zero, TimeSpan.FromSeconds(options.WarmUpSeconds),
                    cancellationToken);
                settled &= await crowds[name].SettleAsync(1, cancellationToken);
            }

            console.Done();
        }

        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var name in options.Servers)
            {
                console.Begin(name);
                var looped = await crowds[name].LoopAsync(
                    crowds[name].Members, probe, s_warmUp, TimeSpan.FromSeconds(options.Seconds), cancellationToken);
                settled &= await crowds[name].SettleAsync(1, cancellationToken);
                Add(name, round, looped);
            }

            foreach (var name in options.Servers)
            {
                console.Begin(PacedOf(name));
                var paced = await crowds[name].PaceAsync(
                    options.Rate, probe, s_warmUp, TimeSpan.FromSeconds(options.Seconds), cancellationToken);
                settled &= await crowds[name].SettleAsync(1, cancellationToken);
                Add(PacedOf(name), round, paced);
            }
        }

        void Add(string section, int round, SectionResult result)
        {
            result = section.StartsWith(Servers.ChatPay, StringComparison.Ordinal)
                ? result : result with { PostgresCpuMicros = null, TableBytes = null, WalBytes = null };
            log.Add(section, result);
            console.Done(ExchangeLine.Of(round, section, result));
        }

        var figures = log.Figures();
        figures["server_settings"] = options.Server;
        figures["payload_bytes"] = options.PayloadBytes;
        var invariants = crowds.Invariants(settled);
        if (options.Servers.Contains(Servers.ChatPay))
        {
            invariants.Add("log_holds_what_was_acknowledged", await crowds.IsLoggedAsync(owner, cancellationToken));
        }

        foreach (var violation in crowds.Violations)
        {
            console.Done(violation);
        }

        var report = new Report(
            Name, options.Command, commit, machine, startedAt, figures, RatiosOf(log), invariants);
        return await report.ConcludeAsync(console, s_targets, options.Json, cancellationToken);
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

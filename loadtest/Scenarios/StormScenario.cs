using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using ChatPay.Client;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>
/// Thousands of the SDK's own sessions lose their node to SIGKILL and return to another, while one of every two has
/// something to say. They know nothing of each other; only their jitter and the server's admission keep them in order.
/// </summary>
internal static class StormScenario
{
    public const string Name = "storm";

    private const int ClientsDefault = 5_000;
    private const int ClientsMax = 20_000;
    private const int OpenAtOnce = 64;
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20);

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var clients = OptionBounds.Whole("--clients", ClientsDefault, 2, ClientsMax, "Clients, two to a conversation.");
        return new ServingCommandLine(new ServingOptions()).Create(
            Name, "Clients that lose their node and return to another.", ServingParts.Payload, [clients], args,
            (parsed, options, stop) => ScenarioConsole.RunAsync(
                output, Name, console => RunAsync(options, parsed.GetValue(clients), console, stop)));
    }

    private static async Task<int> RunAsync(
        ServingOptions options, int clients, ScenarioConsole console, CancellationToken cancellationToken)
    {
        console.Expect(4);
        await using var bench = await ServingBench.StartAsync(options, console, cancellationToken);
        console.Begin("two nodes and their people");
        await using var first = await ServedProcess.StartServerAsync(bench.Database, options.Server, cancellationToken);
        await using var second = await ServedProcess.StartServerAsync(bench.Database, options.Server, cancellationToken);
        var rooms = await ChatPeople.AddAsync(bench.Owner, clients / 2, 2, cancellationToken);
        console.Done();

        console.Begin("connecting");
        var people = new List<StormClient>();
        try
        {
            foreach (var room in rooms)
            {
                foreach (var (place, person) in room.Members.Index())
                {
                    var other = room.Members[1 - place];
                    people.Add(new StormClient(room.Id, person, other, talks: place == 0, options.PayloadBytes));
                }
            }

            await Parallel.ForEachAsync(
                people, new ParallelOptions { MaxDegreeOfParallelism = OpenAtOnce, CancellationToken = cancellationToken },
                async (client, stop) => await client.ConnectAsync(first.Address, second.Address, stop));
            console.Done();

            console.Begin("the storm");
            var before = people.ConvertAll(client => client.Counts);
            var (cpu, lost) = (second.Cpu, Stopwatch.GetTimestamp());
            await first.KillAsync();
            foreach (var client in people)
            {
                client.Lose(lost);
            }

            while (people.Any(client => !client.IsInSync && !client.HasGivenUp)
                && Stopwatch.GetElapsedTime(lost) < s_deadline)
            {
                await Task.Delay(s_look, cancellationToken);
            }

            var figures = StormFigures.Of(people, before, second.Cpu - cpu, Stopwatch.GetElapsedTime(lost));
            console.Done(figures.ToString());
            second.RequireAlive();
            return await bench.ConcludeAsync(
                Name, new Dictionary<string, object>(StringComparer.Ordinal) { ["storm"] = figures },
                new Dictionary<string, double>(StringComparer.Ordinal)
                {
                    ["seconds_to_all_in_sync"] = figures.SecondsToAllInSync,
                    ["requests_per_client"] = figures.RequestsPerClient,
                },
                new Dictionary<string, bool>(StringComparer.Ordinal)
                {
                    ["no_client_gave_up"] = figures.GaveUp == 0,
                    ["all_in_sync"] = people.TrueForAll(client => client.IsInSync),
                    ["every_message_once_and_in_order"] = people.TrueForAll(client => client.IsInOrder),
                    ["log_holds_what_was_acknowledged"] = await Database.ChatStore.CountMessagesAsync(
                        bench.Owner, [.. rooms.Select(room => room.Id)], cancellationToken) == rooms.Count,
                },
                new Dictionary<string, RatioTarget>(StringComparer.Ordinal), cancellationToken);
        }
        finally
        {
            await Parallel.ForEachAsync(people, CancellationToken.None, async (client, _) => await client.DisposeAsync());
        }
    }
}

/// <summary>What the storm was like.</summary>
/// <param name="SecondsToAllInSync">From the loss of the node until the last client had everything.</param>
/// <param name="RequestsPerClient">Connections tried, greetings, reads of logs and calls made again, after the loss.</param>
internal sealed record StormFigures(
    int Clients, double SecondsToAllInSync, double MedianSeconds, double P99Seconds, double RequestsPerClient,
    double AttemptsPerClient, double HellosPutOffPerClient, double SyncsPerClient, int GaveUp, double ServerCpuSeconds)
{
    public static StormFigures Of(
        IReadOnlyList<StormClient> clients, IReadOnlyList<ChatSessionCounts> before, TimeSpan serverCpu, TimeSpan waited)
    {
        double Each(Func<ChatSessionCounts, long> count) => Math.Round(
            clients.Zip(before).Sum(pair => count(pair.First.Counts) - count(pair.Second)) / (double)clients.Count, 2);
        double[] seconds = [.. clients.Select(client => client.InSyncAfter?.TotalSeconds ?? waited.TotalSeconds).Order()];
        double At(double fraction) => Math.Round(seconds[(int)((seconds.Length - 1) * fraction)], 2);
        return new StormFigures(
            clients.Count, At(1), At(0.5), At(0.99),
            Each(count => count.Attempts + count.Connections + count.HellosRefused + count.Syncs + count.Retries),
            Each(count => count.Attempts), Each(count => count.HellosRefused), Each(count => count.Syncs),
            clients.Count(client => client.HasGivenUp), Math.Round(serverCpu.TotalSeconds, 1));
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Clients:N0} clients in sync after {SecondsToAllInSync:N1} s (half of them after {MedianSeconds:N1} s), with "
        + $"{RequestsPerClient:N1} requests each, of which {AttemptsPerClient:N1} connections; {GaveUp} gave up");
}

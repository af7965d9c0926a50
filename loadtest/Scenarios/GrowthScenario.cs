using System.CommandLine;
using System.Globalization;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What a message, a sync and a page of history cost in a short conversation and in a long one.</summary>
internal static class GrowthScenario
{
    public const string Name = "growth";

    private const int MessagesMax = 20_000_000;
    private const int SyncBehind = 50;
    private const int PageEvents = 50;
    private const int WarmUpCalls = 3_000;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromMilliseconds(500);

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var messages = new Option<int[]>("--messages")
        {
            Description = "How many messages each conversation has, ascending.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [1_000, 100_000, 1_000_000],
        };
        messages.Validators.Add(result =>
        {
            var sizes = result.GetValueOrDefault<int[]>() ?? [];
            if (sizes.Any(size => size is < 100 or > MessagesMax)
                || sizes.Zip(sizes.Skip(1)).Any(pair => pair.Second <= pair.First))
            {
                result.AddError(FormattableString.Invariant(
                    $"--messages takes ascending numbers from 100 to {MessagesMax:N0}."));
            }
        });
        return new ServingCommandLine(new ServingOptions { Seconds = 3, WarmUp = 20_000 }).Create(
            Name, "What messages, syncs and history cost in short and in long conversations.",
            ServingParts.Rounds | ServingParts.Seconds | ServingParts.Payload, [messages], args,
            (parsed, options, stop) => ScenarioConsole.RunAsync(
                output, Name, console => RunAsync(options, parsed.GetValue(messages)!, console, stop)));
    }

    private static async Task<int> RunAsync(
        ServingOptions options, int[] sizes, ScenarioConsole console, CancellationToken cancellationToken)
    {
        console.Expect(3 + (sizes.Length * options.Rounds * 3));
        await using var bench = await ServingBench.StartAsync(options, console, cancellationToken);
        console.Begin("conversations and their messages");
        await using var servers = await Servers.StartAsync(
            [Servers.ChatPay], bench.Database, options.Server, cancellationToken);
        var rooms = await ChatPeople.AddAsync(bench.Owner, sizes.Length + 1, 2, cancellationToken);
        foreach (var (size, room) in sizes.Zip(rooms))
        {
            await ChatStore.AddMessagesAsync(bench.Owner, room, size, options.PayloadBytes, cancellationToken);
        }

        console.Done();
        var log = new SectionLog();
        var settled = true;
        await using var crowds = await GrowthCrowds.OpenAsync(
            servers, rooms, options.PayloadBytes, cancellationToken);
        console.Begin("warming up");
        settled &= await crowds.WarmUpAsync(bench.Probe, options.WarmUp, cancellationToken);
        await crowds.CallAsync(SyncOf(crowds.Readers[0]), bench.Probe, WarmUpCalls, cancellationToken);
        await crowds.CallAsync(HistoryOf(crowds.Readers[0], sizes[0]), bench.Probe, WarmUpCalls, cancellationToken);
        console.Done();
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var (index, size) in sizes.Index())
            {
                var reader = crowds.Readers[index];
                Add("send", await crowds.Crowds[index].LoopAsync(bench.Probe, s_warmUp, options.Window, cancellationToken));
                settled &= await crowds.Crowds[index].SettleAsync(1, cancellationToken);
                Add("sync", await crowds.CallAsync(SyncOf(reader), bench.Probe, options.Window, cancellationToken));
                Add("history", await crowds.CallAsync(
                    HistoryOf(reader, size), bench.Probe, options.Window, cancellationToken));
                void Add(string what, SectionResult result)
                {
                    var section = SectionOf(what, size);
                    log.Add(section, result);
                    console.Done(ExchangeLine.Of(round, section, result));
                }
            }
        }

        return await bench.ConcludeAsync(
            Name, log.Figures(), SlopesOf(log, sizes), await crowds.InvariantsAsync(settled, bench.Owner, cancellationToken),
            new Dictionary<string, RatioTarget>(StringComparer.Ordinal), cancellationToken);
    }

    /// <summary>A client that was away for a while.</summary>
    private static Func<ulong, CancellationToken, Task> SyncOf(GrowthReader reader) => async (_, stop) =>
    {
        var reply = await reader.Connection.SyncAsync(
            new([new(reader.Room.Id, Math.Max(0, reader.Head - SyncBehind))]), stop);
        if (reply.Pages is not [{ Events.Count: >= SyncBehind }])
        {
            throw new InvalidOperationException("A sync came back with less than it was asked for.");
        }
    };

    /// <summary>A person who looks anywhere in the past.</summary>
    private static Func<ulong, CancellationToken, Task> HistoryOf(GrowthReader reader, int size) => async (number, stop) =>
    {
        var before = PageEvents + 1 + (long)(SplitMix64.Mix(number) % (ulong)(size - PageEvents));
        var page = await reader.Client.EventsAsync(reader.Room.Id, null, before, PageEvents, stop);
        if (page.Count != PageEvents || page[^1].Seq != before - 1)
        {
            throw new InvalidOperationException("A page of history is not what was asked for.");
        }
    };

    /// <summary>Server's and PostgreSQL's CPU time together, and the median latency, over those of the shortest.</summary>
    private static Dictionary<string, double> SlopesOf(SectionLog log, int[] sizes)
    {
        var ratios = new ServingRatios(log);
        foreach (var what in new[] { "send", "sync", "history" })
        {
            foreach (var size in sizes.Skip(1))
            {
                var (longer, shortest) = (SectionOf(what, size), SectionOf(what, sizes[0]));
                var name = string.Create(CultureInfo.InvariantCulture, $"{what}_{{0}}_{size}_vs_{sizes[0]}");
                ratios.Add(
                    string.Format(CultureInfo.InvariantCulture, name, "cpu"), longer, shortest,
                    result => result.ProcessCpuMicros + (result.PostgresCpuMicros ?? 0));
                ratios.Add(
                    string.Format(CultureInfo.InvariantCulture, name, "p50"), longer, shortest,
                    result => result.P50?.TotalMilliseconds);
            }
        }

        return ratios.All;
    }

    private static string SectionOf(string what, int size) => string.Create(CultureInfo.InvariantCulture, $"{what}_{size}");
}

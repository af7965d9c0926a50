using System.CommandLine;
using System.Globalization;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Faults;
using ChatPay.LoadTest.Reporting;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>
/// Two servers with everything that they need and everything that can go wrong with it, under people who go on talking and
/// paying. Afterwards a checker holds what was promised against what is there.
/// </summary>
internal static class FaultsScenario
{
    public const string Name = "faults";

    private const int MinutesDefault = 2;
    private const int PeopleDefault = 12;
    private const int ViolationsShown = 40;
    private static readonly TimeSpan s_settleTimeout = TimeSpan.FromSeconds(120);

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var minutes = OptionBounds.Whole(
            "--minutes", MinutesDefault, 1, FaultOptions.MinutesMax,
            "Minutes of faults; every kind comes at least once. From 10 on what is paused stays so for 30 seconds.");
        var people = OptionBounds.Whole(
            "--people", PeopleDefault, FaultOptions.PeopleMin, FaultOptions.PeopleMax, "People who talk and pay.");
        var seed = new Option<ulong?>("--seed") { Description = "Of an earlier run, to have its faults in the same order." };
        var only = new Option<string[]>("--only")
        {
            Description = "Only faults of these kinds: " + string.Join(", ", FaultKinds.All.Select(FaultKinds.NameOf)) + ".",
            AllowMultipleArgumentsPerToken = true,
        };
        only.Validators.Add(result =>
        {
            foreach (var name in (result.GetValueOrDefault<string[]>() ?? []).Where(name => FaultKinds.Parse(name) is null))
            {
                result.AddError($"There is no fault {name}.");
            }
        });
        var logs = new Option<DirectoryInfo?>("--logs") { Description = "Keep what the servers write in this folder." };
        var json = SharedOptions.Json();
        var command = new Command(Name, "Everything that can fail, fails, and nothing that was acknowledged is lost.")
        {
            minutes, people, seed, only, logs, json,
        };
        command.SetAction((parsed, stop) => ScenarioConsole.RunAsync(output, Name, console => RunAsync(
            new FaultOptions
            {
                Minutes = parsed.GetValue(minutes),
                People = parsed.GetValue(people),
                Seed = parsed.GetValue(seed) ?? (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
                Kinds = parsed.GetValue(only) is { Length: > 0 } names
                    ? [.. names.Select(name => FaultKinds.Parse(name)!.Value).Distinct()] : FaultKinds.All,
                Logs = parsed.GetValue(logs),
                Json = parsed.GetValue(json),
                Command = RunIdentity.CommandOf(args),
            },
            console, stop)));
        return command;
    }

    private static async Task<int> RunAsync(
        FaultOptions options, ScenarioConsole console, CancellationToken cancellationToken)
    {
        var startedAt = TimeProvider.System.GetUtcNow();
        console.Expect(options.Kinds.Count + 3);
        console.Begin("PostgreSQL with a replica, two servers, a front, and no Redis yet");
        var commit = await RunIdentity.CommitAsync(cancellationToken);
        await using var bench = await FaultBench.StartAsync(options, cancellationToken);
        var machine = Machine.Describe(
            bench.Postgres.FolderOfPrimary, await MeasuredStore.ReadSettingsAsync(bench.Owner, cancellationToken));
        console.Done(machine.ToString());
        console.Begin("people");
        await bench.GatherAsync(cancellationToken);
        console.Done(string.Create(
            CultureInfo.InvariantCulture,
            $"seed {options.Seed}; {bench.Crowd.Devices.Count} devices in {bench.Crowd.Conversations} conversations; ")
            + $"in front: {FrontOf(bench)}");

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = bench.Crowd.WatchAsync(over.Token);
        var run = new FaultRun(bench, console);
        await run.StartRedisAsync(cancellationToken);
        await run.RunAsync(cancellationToken);

        console.Begin("calm, and the checker");
        await bench.Crowd.SettleAsync(s_settleTimeout);
        await FaultVerdict.ReachAsync(bench, cancellationToken);
        await over.CancelAsync();
        await watching;
        console.Done();
        return await ConcludeAsync(options, bench, console, commit, machine, startedAt, cancellationToken);
    }

    private static Task<int> ConcludeAsync(
        FaultOptions options, FaultBench bench, ScenarioConsole console, string commit, Machine machine,
        DateTimeOffset startedAt, CancellationToken cancellationToken)
    {
        var violations = bench.Book.Violations;
        foreach (var violation in violations.Take(ViolationsShown))
        {
            console.Say(violation.ToString());
        }

        console.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"faults {bench.Counts.Total}, operations {bench.Book.Operations:N0}, violations {violations.Count}"));
        var counts = bench.Crowd.Devices.Select(device => device.Session.Counts).ToArray();
        var figures = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["seed"] = options.Seed,
            ["faults"] = bench.Counts.Total,
            ["operations"] = bench.Book.Operations,
            ["violations"] = violations.Count,
            ["faults_by_kind"] = bench.Counts.ByKind,
            ["longest_seconds_to_sync_by_kind"] = bench.Counts.SyncSeconds,
            ["violations_by_rule"] = violations.GroupBy(violation => violation.Rule, StringComparer.Ordinal)
                .ToDictionary(rule => rule.Key, rule => rule.Count(), StringComparer.Ordinal),
            ["violations_shown"] = violations.Take(ViolationsShown).Select(violation => violation.ToString()).ToArray(),
            ["front"] = FrontOf(bench),
            ["devices"] = bench.Crowd.Devices.Count,
            ["conversations"] = bench.Crowd.Conversations,
            ["messages"] = bench.Book.Messages,
            ["card_actions"] = bench.Book.CardActions,
            ["commits"] = bench.Book.Commits,
            ["refusals"] = bench.Book.Refusals,
            ["answers_lost_after_commit"] = bench.Counts.Unacknowledged,
            ["connections"] = counts.Sum(count => count.Connections),
            ["calls_made_again"] = counts.Sum(count => count.Retries),
            ["syncs"] = counts.Sum(count => count.Syncs),
            ["histories_begun_anew"] = bench.Crowd.Devices.Sum(device => device.Lineages),
        };
        var invariants = Rules.All.ToDictionary(
            rule => rule, rule => violations.All(violation => violation.Rule != rule), StringComparer.Ordinal);
        return new Report(
            Name, options.Command, commit, machine, startedAt, figures,
            new Dictionary<string, double>(StringComparer.Ordinal), invariants)
            .ConcludeAsync(
                console, new Dictionary<string, RatioTarget>(StringComparer.Ordinal), options.Json, cancellationToken);
    }

    private static string FrontOf(FaultBench bench) => bench.HasNginx ? "nginx" : "the addresses of both servers";
}

using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using ChatPay.Client;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Messaging;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;
using ChatPay.LoadTest.Vaulting;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>
/// What PINs cost: recoveries at three realms in one server, a realm's arithmetic beside libsodium's, a recovery as its
/// person waits for it, and the key log in several sizes.
/// </summary>
internal static class VaultScenario
{
    public const string Name = "vault";

    private const int PeopleMax = 10_000;
    private const int CallersMax = 1_000;
    private const int LeavesMin = 1_000;
    private const int LeavesMax = 100_000_000;
    private const int RequestsMax = 100_000;

    /// <summary>Drives on end in which the server's compiler has next to nothing to do, and that share of a core.</summary>
    private const int CompiledDrives = 3;
    private const double CompilerShare = 0.03;
    private static readonly TimeSpan s_drive = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_warmUpMax = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_arithmetic = TimeSpan.FromMilliseconds(500);
    private static readonly int[] s_leaves = [10_000, 1_000_000, 10_000_000];

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var people = OptionBounds.Whole("--people", 256, 1, PeopleMax, "People with a PIN.");
        var callers = OptionBounds.Whole("--callers", 32, 1, CallersMax, "How many of them recover at once.");
        var seconds = OptionBounds.Whole(
            "--seconds", 5, 1, ServingOptions.SecondsMax, "Seconds of recoveries and of their baseline in each round.");
        var warmUp = new Option<bool>("--cold") { Description = "Do not wait until the server's code is compiled." };
        var requests = OptionBounds.Whole(
            "--requests", 400, 8, RequestsMax, "Entries, and proofs of each kind, in each size of the key log and round.");
        var leaves = new Option<int[]>("--leaves")
        {
            Description = "Sizes of the key log, ascending.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => s_leaves,
        };
        leaves.Validators.Add(result =>
        {
            var sizes = result.GetValueOrDefault<int[]>() ?? [];
            if (sizes.Length == 0 || sizes.Any(size => size is < LeavesMin or > LeavesMax)
                || sizes.Zip(sizes.Skip(1)).Any(pair => pair.Second <= pair.First))
            {
                result.AddError(FormattableString.Invariant(
                    $"--leaves takes ascending numbers from {LeavesMin:N0} to {LeavesMax:N0}."));
            }
        });
        return new ServingCommandLine(new ServingOptions()).Create(
            Name, "PIN recoveries, a realm's arithmetic beside libsodium's, and the key log in several sizes.",
            ServingParts.Rounds, [people, callers, seconds, warmUp, requests, leaves], args,
            (parsed, options, stop) => ScenarioConsole.RunAsync(output, Name, console => RunAsync(
                new Plan(
                    options with { Seconds = parsed.GetValue(seconds), Server = SettingsOf(options.Server) },
                    Math.Max(parsed.GetValue(people), parsed.GetValue(callers)), parsed.GetValue(callers),
                    parsed.GetValue(warmUp), parsed.GetValue(requests), parsed.GetValue(leaves)!),
                console, stop)));
    }

    /// <summary>
    /// A person of this run is many; and while the log is filled from outside, the server does not wait for its row.
    /// </summary>
    private static Dictionary<string, string> SettingsOf(IReadOnlyDictionary<string, string> given)
    {
        var settings = new Dictionary<string, string>(given, StringComparer.Ordinal);
        settings.TryAdd("RateLimits:WritesPerMinute", "1000000");
        settings.TryAdd("KeyLog:RoundSeconds", "3600");
        return settings;
    }

    private static async Task<int> RunAsync(Plan plan, ScenarioConsole console, CancellationToken cancellationToken)
    {
        var options = plan.Options;
        console.Expect(4 + (options.Rounds * 8) + (plan.Leaves.Count * (1 + (options.Rounds * 3))));
        await using var bench = await ServingBench.StartAsync(options, console, cancellationToken);
        console.Begin("people and their PINs");
        await using var servers = await Servers.StartAsync(
            [Servers.ChatPay], bench.Database, options.Server, cancellationToken);
        var server = servers[Servers.ChatPay];
        var rooms = await ChatPeople.AddAsync(bench.Owner, 1, plan.People + 1, cancellationToken);
        var people = rooms[0].Members;
        await using var device = await VaultDevice.ConnectAsync(
            server, await RealmsAsync(server, people[0], cancellationToken), cancellationToken);
        await using var crowd = await RecoveryCrowd.CreateAsync(
            server, device, [.. people.Skip(1)], plan.Callers, cancellationToken);
        console.Done();
        console.Begin("a browser");
        await using var client = await ClientBench.OpenAsync(server, device, people[0], cancellationToken);
        console.Done(client.Missing is { } missing
            ? "NOT MEASURED: " + VaultRatios.ClientChromium + ", because: " + missing : null);

        var run = new Run(plan, console, bench, server, crowd, client);
        await run.WarmUpAsync(cancellationToken);
        for (var round = 1; round <= options.Rounds; round++)
        {
            await run.RoundAsync(round, cancellationToken);
        }

        var (attempts, used) = await VaultLoadStore.CountGuessesAsync(
            bench.Owner, [.. people.Skip(1).Select(person => person.Account)], cancellationToken);
        using var keyLog = new KeyLogBench(server, bench.Probe);
        await run.GrowAsync(keyLog, cancellationToken);

        var figures = run.Log.Figures();
        foreach (var (name, value) in client.Figures().Concat(run.Proofs))
        {
            figures.Add(name, value);
        }

        figures["recoveries"] = new { all = crowd.Recoveries, proofsVerified = crowd.Proofs, callers = plan.Callers };
        if (await client.VersionsAsync(cancellationToken) is { } versions)
        {
            figures["versions"] = versions;
        }

        return await bench.ConcludeAsync(
            Name, figures, VaultRatios.Of(run.Log, plan.Leaves),
            new Dictionary<string, bool>(StringComparer.Ordinal)
            {
                ["every_guess_was_counted_at_every_realm"] = attempts == crowd.Recoveries * device.Realms.Count,
                ["every_success_gave_its_guess_back"] = used == 0,
                ["roots_are_what_was_registered"] = client.RootsAreRight,
                ["evaluations_are_right"] = run.Arithmetic.IsRight,
                ["key_log_proofs_verify"] = keyLog.ProofsHold,
            },
            VaultRatios.Targets, cancellationToken);
    }

    private static async Task<IReadOnlyList<Guid>> RealmsAsync(
        ServedProcess server, ChatPerson person, CancellationToken cancellationToken)
    {
        using var client = new ChatPayClient(server.Address, person.Token);
        return (await client.VaultAsync(cancellationToken)).Realms;
    }

    private sealed record Plan(
        ServingOptions Options, int People, int Callers, bool IsCold, int Requests, IReadOnlyList<int> Leaves);

    private sealed class Run(
        Plan plan, ScenarioConsole console, ServingBench bench, ServedProcess server, RecoveryCrowd crowd,
        ClientBench client)
    {
        public SectionLog Log { get; } = new();

        public EvaluationBench Arithmetic { get; } = new();

        /// <summary>Of each size of the key log, the most hashes of a proof, by kind.</summary>
        public Dictionary<string, object> Proofs { get; } = new(StringComparer.Ordinal);

        public async Task WarmUpAsync(CancellationToken stop)
        {
            console.Begin("warming up");
            var begun = Stopwatch.GetTimestamp();
            for (var compiled = 0;
                !plan.IsCold && compiled < CompiledDrives && Stopwatch.GetElapsedTime(begun) < s_warmUpMax;)
            {
                var (before, drive) = (CompilerTimes.Read(server.Id), Stopwatch.GetTimestamp());
                await crowd.RecoverAsync(bench.Probe, s_drive, stop);
                await crowd.AskBareAsync(bench.Probe, s_drive / 4, stop);
                var busy = CompilerTimes.Read(server.Id) - before;
                compiled = busy > CompilerShare * Stopwatch.GetElapsedTime(drive) ? 0 : compiled + 1;
            }

            foreach (var measure in (Func<TimeSpan, Pace>[])
                [Arithmetic.Evaluate, Arithmetic.EvaluateAndProve, Arithmetic.Multiply, Arithmetic.MultiplyAsForProof])
            {
                measure(s_arithmetic / 4);
            }

            console.Done();
        }

        public async Task RoundAsync(int round, CancellationToken stop)
        {
            // Each beside its baseline, the first of the two in turn.
            var window = plan.Options.Window;
            await PairAsync(
                round,
                (VaultRatios.Recovery, () => crowd.RecoverAsync(bench.Probe, window, stop)),
                (VaultRatios.BareRequests, () => crowd.AskBareAsync(bench.Probe, window, stop)));
            await PairAsync(
                round, (VaultRatios.Evaluate, () => AloneAsync(Arithmetic.Evaluate)),
                (VaultRatios.Multiply, () => AloneAsync(Arithmetic.Multiply)));
            await PairAsync(
                round, (VaultRatios.EvaluateAndProve, () => AloneAsync(Arithmetic.EvaluateAndProve)),
                (VaultRatios.MultiplyAsForProof, () => AloneAsync(Arithmetic.MultiplyAsForProof)));
            await SectionAsync(round, VaultRatios.ClientNet, () => client.RecoverAsync(stop));
            if (client.Missing is null)
            {
                await SectionAsync(round, VaultRatios.ClientChromium, () => client.RecoverInChromiumAsync(stop));
            }
        }

        /// <summary>A log cannot shrink, so here sizes follow one another and each has its rounds at once.</summary>
        public async Task GrowAsync(KeyLogBench keyLog, CancellationToken stop)
        {
            foreach (var size in plan.Leaves)
            {
                console.Begin(string.Create(CultureInfo.InvariantCulture, $"a key log of {size:N0}"));
                var rounds = plan.Options.Rounds + 1;
                var members = await KeyLogBench.AddPeopleAsync(bench.Owner, (rounds * plan.Requests) + 1, stop);
                var begun = Stopwatch.GetTimestamp();
                await keyLog.GrowAsync(bench.Owner, size, members[^1], stop);
                var filled = Stopwatch.GetElapsedTime(begun);
                console.Done(string.Create(
                    CultureInfo.InvariantCulture, $"a key log of {size:N0}, filled in {filled.TotalSeconds:N1} s"));
                for (var round = 0; round < rounds; round++)
                {
                    var mine = members.Skip(round * plan.Requests).Take(plan.Requests).ToArray();
                    await SectionAsync(
                        round, VaultRatios.At(VaultRatios.Append, size), () => keyLog.AppendAsync(mine, stop));
                    await SectionAsync(
                        round, VaultRatios.At(VaultRatios.Inclusion, size),
                        () => keyLog.ProveInclusionAsync(mine, plan.Requests, stop));
                    await SectionAsync(
                        round, VaultRatios.At(VaultRatios.Consistency, size),
                        () => keyLog.ProveConsistencyAsync(mine[0], plan.Requests, stop));
                }

                var (inclusion, consistency) = keyLog.TakeLongest();
                Proofs[VaultRatios.At("key_log", size)] = new
                {
                    fillSeconds = Math.Round(filled.TotalSeconds, 1),
                    inclusionHashes = inclusion,
                    consistencyHashes = consistency,
                };
            }
        }

        private static Task<SectionResult> AloneAsync(Func<TimeSpan, Pace> measure) => Task.FromResult(
            measure(s_arithmetic).ToSection());

        private async Task PairAsync(
            int round, (string Name, Func<Task<SectionResult>> Measure) one,
            (string Name, Func<Task<SectionResult>> Measure) other)
        {
            foreach (var (name, measure) in round % 2 == 0 ? new[] { one, other } : [other, one])
            {
                await SectionAsync(round, name, measure);
            }
        }

        /// <param name="round">0 is for compilers and counts for nothing.</param>
        private async Task SectionAsync(int round, string name, Func<Task<SectionResult>> measure)
        {
            console.Begin(name);
            var result = await measure();
            if (round > 0)
            {
                Log.Add(name, result);
                console.Done(ExchangeLine.Of(round, name, result));
            }
        }
    }
}

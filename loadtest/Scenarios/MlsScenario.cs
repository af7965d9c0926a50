using System.CommandLine;
using System.Globalization;
using ChatPay.LoadTest.Baselines;
using ChatPay.LoadTest.Messaging;
using ChatPay.LoadTest.Reporting;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What end-to-end encryption costs: this project's MLS beside ts-mls under Node, in the same groups.</summary>
internal static class MlsScenario
{
    public const string Name = "mls";

    private const int RoundsDefault = 5;
    private const int RoundsMin = 3;
    private const int RoundsMax = 100;
    private const int WindowDefaultMs = 1_000;
    private const int WindowMaxMs = 60_000;
    private const int MembersMin = 2;
    private const int MembersMax = 5_000;
    private const int PayloadBytes = 160;
    private static readonly int[] s_sizes = [2, 100, 1_000];

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var rounds = OptionBounds.Whole(
            "--rounds", RoundsDefault, RoundsMin, RoundsMax, "Rounds; medians are over these.");
        var window = OptionBounds.Whole(
            "--window-ms", WindowDefaultMs, 1, WindowMaxMs, "Milliseconds of each section in each round.");
        var members = new Option<int[]>("--members")
        {
            Description = $"Sizes of the groups, {MembersMin} to {MembersMax:N0} each; the ratios want 1,000.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => s_sizes,
        };
        members.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int[]>() is not { Length: > 0 } sizes
                || sizes.Any(static size => size is < MembersMin or > MembersMax))
            {
                result.AddError($"--members takes {MembersMin} to {MembersMax}.");
            }
        });
        var json = SharedOptions.Json();
        var command = new Command(Name, "MLS messages, commits and joins, beside ts-mls under Node.")
        {
            rounds, window, members, json,
        };
        command.SetAction((parsed, stop) => ScenarioConsole.RunAsync(output, Name, console => RunAsync(
            new Plan(
                parsed.GetValue(rounds), TimeSpan.FromMilliseconds(parsed.GetValue(window)),
                [.. parsed.GetValue(members)!.Distinct().Order()], parsed.GetValue(json), RunIdentity.CommandOf(args)),
            console, stop)));
        return command;
    }

    private static async Task<int> RunAsync(Plan plan, ScenarioConsole console, CancellationToken cancellationToken)
    {
        var startedAt = TimeProvider.System.GetUtcNow();
        var commit = await RunIdentity.CommitAsync(cancellationToken);
        await using var driver = NodeDriver.Start("bench");
        var machine = Machine.Describe(null, new Dictionary<string, string>(StringComparer.Ordinal));
        console.Expect(plan.Sizes.Count + ((plan.Rounds + 1) * 2 * (2 + (4 * plan.Sizes.Count))));
        console.Say(machine.ToString());
        var benches = new List<MlsGroupBench>();
        try
        {
            foreach (var size in plan.Sizes)
            {
                console.Begin(string.Create(CultureInfo.InvariantCulture, $"a group of {size:N0}"));
                benches.Add(await MlsGroupBench.BuildAsync(driver, size, PayloadBytes, cancellationToken));
                console.Done();
            }

            var run = new Run(plan, console, benches);
            await run.MeasureAsync(cancellationToken);
            var figures = run.Log.Figures();
            figures["state_bytes"] = benches.ToDictionary(
                bench => bench.Members.ToString(CultureInfo.InvariantCulture),
                bench => new { chatpay = bench.StateBytes.Own, tsmls = bench.StateBytes.TsMls },
                StringComparer.Ordinal);
            figures["versions"] = await driver.AskAsync(new { op = "versions" }, cancellationToken);
            var report = new Report(
                Name, plan.Command, commit, machine, startedAt, figures, MlsRatios.Of(run.Log, plan.Sizes),
                InvariantsOf(benches));
            return await report.ConcludeAsync(console, MlsRatios.Targets, plan.Json, cancellationToken);
        }
        finally
        {
            benches.ForEach(static bench => bench.Dispose());
        }
    }

    private static Dictionary<string, bool> InvariantsOf(IReadOnlyList<MlsGroupBench> benches) =>
        new(StringComparer.Ordinal)
        {
            ["every_plaintext_equals_what_was_sent"] = benches.All(static bench => bench.PlaintextsAreEqual),
            ["members_agree_after_every_commit_and_join"] = benches.All(static bench => bench.MembersAgree),
            ["messages_have_the_same_length"] = benches.All(static bench => bench.LengthsAreEqual),
        };

    private sealed record Plan(
        int Rounds, TimeSpan Window, IReadOnlyList<int> Sizes, FileInfo? Json, string Command);

    /// <summary>The rounds: each section on both engines, one right after the other, the first of them in turn.</summary>
    private sealed class Run(Plan plan, ScenarioConsole console, IReadOnlyList<MlsGroupBench> benches)
    {
        public SectionLog Log { get; } = new();

        public async Task MeasureAsync(CancellationToken stop)
        {
            // Before the first round both compilers see everything once.
            for (var round = 0; round <= plan.Rounds; round++)
            {
                var smallest = benches[0];
                await SectionAsync(round, MlsRatios.Encrypt, smallest.EncryptAsync, stop);
                await SectionAsync(round, MlsRatios.Decrypt, smallest.DecryptAsync, stop);
                foreach (var bench in benches)
                {
                    await SectionAsync(
                        round, MlsRatios.AddOf(bench.Members),
                        (onTs, window, token) => bench.CommitAsync(onTs, adds: true, window, token), stop);
                    await SectionAsync(
                        round, MlsRatios.UpdateOf(bench.Members),
                        (onTs, window, token) => bench.CommitAsync(onTs, adds: false, window, token), stop);
                    await SectionAsync(round, MlsRatios.ProcessOf(bench.Members), bench.ProcessAsync, stop);
                    await SectionAsync(round, MlsRatios.JoinOf(bench.Members), bench.JoinAsync, stop);
                }
            }
        }

        private async Task SectionAsync(
            int round, string section, Func<bool, TimeSpan, CancellationToken, Task<Pace>> measure,
            CancellationToken stop)
        {
            bool[] order = round % 2 == 0 ? [true, false] : [false, true];
            foreach (var onTs in order)
            {
                var name = onTs ? MlsRatios.OnTs(section) : section;
                console.Begin(name);
                var pace = await measure(onTs, plan.Window, stop);
                if (round == 0)
                {
                    console.Done("warm-up: " + name);
                    continue;
                }

                var result = pace.ToSection();
                Log.Add(name, result);
                console.Done(string.Create(
                    CultureInfo.InvariantCulture, $"round {round}: {name,-20} {result.PerSecond,12:N1} /s"));
            }
        }
    }
}

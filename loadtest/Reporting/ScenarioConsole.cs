using System.Globalization;
using Spectre.Console;

namespace ChatPay.LoadTest.Reporting;

/// <summary>What a ratio aims for, and below what it is not done.</summary>
internal sealed record RatioTarget(double Target, double Minimum);

/// <summary>
/// What a person sees of a run: on a terminal a progress bar under the lines that are done, elsewhere the lines alone.
/// </summary>
internal sealed class ScenarioConsole
{
    /// <summary>Wide enough for every table, where no terminal says how wide it is.</summary>
    private const int PlainWidth = 160;

    private readonly IAnsiConsole _console;
    private readonly ProgressTask? _progress;
    private string _step = "";

    private ScenarioConsole(IAnsiConsole console, ProgressTask? progress)
    {
        _console = console;
        _progress = progress;
    }

    public static async Task<int> RunAsync(TextWriter output, string scenario, Func<ScenarioConsole, Task<int>> run)
    {
        var isTerminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi)
        {
            console.Profile.Width = PlainWidth;
            return await run(new ScenarioConsole(console, null));
        }

        var columns = new ProgressColumn[]
        {
            new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(),
        };
        return await console.Progress().AutoClear(true).Columns(columns).StartAsync(context =>
            run(new ScenarioConsole(console, context.AddTask(scenario, maxValue: 1))));
    }

    /// <summary>How many steps the whole run has, those that are done included.</summary>
    public void Expect(int steps)
    {
        if (_progress is not null)
        {
            _progress.MaxValue = steps;
        }
    }

    public void Begin(string step)
    {
        _step = step;
        if (_progress is not null)
        {
            _progress.Description = step;
        }
    }

    /// <param name="line">What came of it; null where its name says enough.</param>
    public void Done(string? line = null)
    {
        _progress?.Increment(1);
        _console.WriteLine(line ?? "done: " + _step);
    }

    /// <summary>Medians, ratios with their targets, and invariants.</summary>
    public void Write(Report report, IReadOnlyDictionary<string, RatioTarget> targets)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(targets);
        var invariants = Table("invariant", "");
        foreach (var (name, holds) in report.Invariants)
        {
            invariants.AddRow(name, holds ? "holds" : "BROKEN");
        }

        foreach (var table in new[] { MediansOf(report), RatiosOf(report, targets), invariants })
        {
            if (table.Rows.Count > 0)
            {
                _console.Write(table);
            }
        }
    }

    private Table MediansOf(Report report)
    {
        var table = Table(
            "median of rounds", "per second", "p50 ms", "p99 ms", "process µs", "PostgreSQL µs", "bytes", "WAL bytes",
            "batch");
        foreach (var (name, value) in report.Figures)
        {
            if (value is SectionFigures section)
            {
                table.AddRow(
                    name, Text(section.PerSecond, "N0"), Text(section.P50Ms, "N2"), Text(section.P99Ms, "N2"),
                    Text(section.ProcessCpuMicros, "N1"), Text(section.PostgresCpuMicros, "N1"),
                    Text(section.TableBytes, "N0"), Text(section.WalBytes, "N0"), Text(section.BatchMean, "N0"));
            }
        }

        return table;
    }

    private Table RatiosOf(Report report, IReadOnlyDictionary<string, RatioTarget> targets)
    {
        var table = Table("ratio", "value", "target", "minimum", "");
        foreach (var (name, value) in report.Ratios)
        {
            var target = targets.GetValueOrDefault(name);
            table.AddRow(
                name, Text(value, "N2"), Text(target?.Target, "N0"), Text(target?.Minimum, "N0"),
                target is null ? "" : value >= target.Target ? "reached" : value >= target.Minimum ? "short" : "too low");
        }

        return table;
    }

    private Table Table(params string[] columns)
    {
        // Without a terminal the lines go into files and documents: Markdown reads well in both.
        var table = new Table().Border(_progress is null ? TableBorder.Markdown : TableBorder.Rounded);
        foreach (var (index, column) in columns.Index())
        {
            table.AddColumn(column, configure => configure.Alignment = index == 0 ? Justify.Left : Justify.Right);
        }

        return table;
    }

    private static string Text(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}

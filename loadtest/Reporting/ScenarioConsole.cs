using System.Globalization;
using ChatPay.Server.Hosting;
using Spectre.Console;

namespace ChatPay.LoadTest.Reporting;

/// <summary>What a ratio aims for, and beyond what it is not done. Where that is above the target, less is better.</summary>
internal sealed record RatioTarget(double Target, double Limit)
{
    public string Judge(double value)
    {
        var sign = Limit > Target ? -1 : 1;
        return sign * value >= sign * Target ? "reached" : sign * value >= sign * Limit ? "short" : "missed";
    }
}

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
        line ??= "done: " + _step;
        if (_progress is null)
        {
            _console.WriteLine(line);
            return;
        }

        _progress.Increment(1);
        _console.WriteRows(line);
    }

    /// <summary>A line that is no step.</summary>
    public void Say(string line)
    {
        if (_progress is null)
        {
            _console.WriteLine(line);
        }
        else
        {
            _console.WriteRows(line);
        }
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

    /// <summary>A row per section; a column that says nothing of any is left out.</summary>
    private Table MediansOf(Report report)
    {
        (string Name, string Format, Func<SectionFigures, double?> Value)[] columns =
        [
            ("per second", "N0", section => section.PerSecond), ("p50 ms", "N2", section => section.P50Ms),
            ("p99 ms", "N2", section => section.P99Ms), ("process µs", "N1", section => section.ProcessCpuMicros),
            ("PostgreSQL µs", "N1", section => section.PostgresCpuMicros),
            ("driver µs", "N1", section => section.DriverCpuMicros), ("bytes", "N0", section => section.TableBytes),
            ("WAL bytes", "N0", section => section.WalBytes), ("batch", "N0", section => section.BatchMean),
        ];
        var sections = report.Figures.Where(figure => figure.Value is SectionFigures)
            .Select(figure => (Name: figure.Key, Figures: (SectionFigures)figure.Value)).ToArray();
        columns = [.. columns.Where(column => sections.Any(section => column.Value(section.Figures) is not null))];
        var table = Table(["median of rounds", .. columns.Select(column => column.Name)]);
        foreach (var (name, figures) in sections)
        {
            table.AddRow([name, .. columns.Select(column => Text(column.Value(figures), column.Format))]);
        }

        return table;
    }

    private Table RatiosOf(Report report, IReadOnlyDictionary<string, RatioTarget> targets)
    {
        var table = Table("ratio", "value", "target", "limit", "");
        foreach (var (name, value) in report.Ratios)
        {
            var target = targets.GetValueOrDefault(name);
            table.AddRow(
                name, Text(value, "N2"), Text(target?.Target, "0.##"), Text(target?.Limit, "0.##"),
                target?.Judge(value) ?? "");
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

using System.Collections.Concurrent;
using System.Diagnostics;
using ChatPay.Server.Hosting;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>Progress as bars on a terminal, one per stage, with the findings above them.</summary>
internal sealed class VerifyBar : VerifyDisplay
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    private readonly IAnsiConsole _console;
    private readonly ProgressContext _context;
    private readonly CountColumn _counts;

    private VerifyBar(IAnsiConsole console, ProgressContext context, CountColumn counts)
        : base(TextWriter.Null)
    {
        _console = console;
        _context = context;
        _counts = counts;
    }

    /// <summary>Runs <paramref name="work"/> with a bar for the stage it is at.</summary>
    public static Task<int> RunAsync(IAnsiConsole console, Func<VerifyDisplay, Task<int>> work)
    {
        var counts = new CountColumn();
        return console.Progress()
            .HideCompleted(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), counts)
            .StartAsync(context => work(new VerifyBar(console, context, counts)));
    }

    public override async Task WatchAsync(VerifyStage stage, Task work)
    {
        var bar = _context.AddTask(Markup.Escape(stage.Name), maxValue: Math.Max(1, stage.ExpectedRows ?? 1));
        bar.IsIndeterminate = true;
        var started = Stopwatch.GetTimestamp();
        do
        {
            _counts.Texts[bar.Id] = Describe(stage, Stopwatch.GetElapsedTime(started));
            bar.IsIndeterminate = stage.Rows == 0 || stage.ExpectedRows is null or 0;
            bar.Value = Math.Min(stage.Rows, bar.MaxValue - 1);
        }
        while (await Task.WhenAny(work, Task.Delay(s_interval)) != work);

        bar.IsIndeterminate = false;
        bar.Value = bar.MaxValue;
    }

    protected override void Write(string text) => _console.WriteRows(text);

    private sealed class CountColumn : ProgressColumn
    {
        public ConcurrentDictionary<int, string> Texts { get; } = [];

        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(Texts.GetValueOrDefault(task.Id, ""));
    }
}

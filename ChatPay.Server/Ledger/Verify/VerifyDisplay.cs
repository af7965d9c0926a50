using System.Diagnostics;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>Where lines go and how progress is shown: here as lines, for files, pipes and tests.</summary>
/// <param name="interval">Between two lines of progress; null for often enough to see that it lives.</param>
internal class VerifyDisplay(TextWriter output, TimeSpan? interval = null)
{
    private readonly Lock _gate = new();
    private readonly TimeSpan _interval = interval ?? TimeSpan.FromSeconds(10);

    /// <summary>Findings and progress come from tasks of their own.</summary>
    public void Line(string text)
    {
        lock (_gate)
        {
            Write(text);
        }
    }

    /// <summary>Shows how the stage gets on until <paramref name="work"/> has ended; its failure is the caller's.</summary>
    public virtual async Task WatchAsync(VerifyStage stage, Task work)
    {
        var started = Stopwatch.GetTimestamp();
        while (await Task.WhenAny(work, Task.Delay(_interval)) != work)
        {
            Line($"... {stage.Name}: {Describe(stage, Stopwatch.GetElapsedTime(started))}");
        }
    }

    protected virtual void Write(string text) => output.WriteLine(text);

    /// <summary>How far it is, of how much, and how fast.</summary>
    protected static string Describe(VerifyStage stage, TimeSpan elapsed)
    {
        var rows = stage.Rows;
        if (rows == 0)
        {
            return Invariant($"sorting for {elapsed.TotalSeconds:0} s");
        }

        var perSecond = rows / Math.Max(0.001, elapsed.TotalSeconds);
        var of = stage.ExpectedRows is { } expected and > 0
            ? Invariant($" of about {expected:N0} ({Math.Min(100, 100.0 * rows / expected):0} %)")
            : "";
        return Invariant($"{rows:N0}{of}, {perSecond:N0} per second");
    }
}

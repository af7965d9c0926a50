using System.Diagnostics;
using ChatPay.LoadTest.Measuring;

namespace ChatPay.LoadTest.Messaging;

/// <summary>How many operations one caller did, one after the other, in what time.</summary>
internal readonly record struct Pace(int Count, TimeSpan Elapsed)
{
    /// <summary>The whole may take this many windows, preparation included; then the window is cut short.</summary>
    private const int PreparationMax = 4;

    public SectionResult ToSection() => SectionResult.OfRate(Count / Elapsed.TotalSeconds);

    /// <param name="each">How many operations the work is.</param>
    /// <param name="prepare">Done before each piece of work, and not measured.</param>
    public static Pace Measure(TimeSpan window, int each, Action work, Action? prepare = null)
    {
        // What came before is not this one's to clear away.
        GC.Collect();
        var whole = Stopwatch.StartNew();
        var clock = new Stopwatch();
        var count = 0;
        do
        {
            prepare?.Invoke();
            clock.Start();
            work();
            clock.Stop();
            count += each;
        }
        while (clock.Elapsed < window && whole.Elapsed < window * PreparationMax);

        return new Pace(count, clock.Elapsed);
    }
}

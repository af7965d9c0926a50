namespace ChatPay.LoadTest.Measuring;

/// <summary>Looks at the managed heap while something runs.</summary>
internal static class PeakMemory
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(50);

    /// <returns>What came of it, and how far the heap grew beyond what it was at the begin.</returns>
    public static async Task<(T Value, long PeakBytes)> WhileAsync<T>(Task<T> running)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var peak = before;
        while (await Task.WhenAny(running, Task.Delay(s_interval)) != running)
        {
            peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false));
        }

        return (await running, peak - before);
    }
}

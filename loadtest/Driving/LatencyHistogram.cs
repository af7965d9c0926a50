using System.Diagnostics;
using System.Numerics;

namespace ChatPay.LoadTest.Driving;

/// <summary>
/// Durations in buckets whose width is at most 1/1024 of their value, as HdrHistogram has them: any number of samples in
/// 300 kB, percentiles exact to 0.1 %, safe for callers on all threads.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 10;
    private const int SubBuckets = 1 << SubBits;

    /// <summary>2^46 ticks of a nanosecond are twenty hours.</summary>
    private const int MagnitudeMax = 45 - SubBits;

    private readonly long[] _counts = new long[(MagnitudeMax + 2) * SubBuckets];

    public long Count => _counts.Sum();

    public void Record(long elapsedTicks) => Interlocked.Increment(ref _counts[IndexOf(elapsedTicks)]);

    /// <summary>The duration that <paramref name="fraction"/> of the samples do not exceed; zero without samples.</summary>
    public TimeSpan Percentile(double fraction)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fraction);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fraction, 1);
        var rank = Math.Max(1, (long)Math.Ceiling(fraction * Count));
        var seen = 0L;
        for (var index = 0; index < _counts.Length; index++)
        {
            seen += _counts[index];
            if (seen >= rank)
            {
                return TimeSpan.FromSeconds(HighestOf(index) / (double)Stopwatch.Frequency);
            }
        }

        return TimeSpan.Zero;
    }

    private static int IndexOf(long ticks)
    {
        ticks = Math.Clamp(ticks, 0, (1L << (MagnitudeMax + SubBits + 1)) - 1);
        var magnitude = Math.Max(0, BitOperations.Log2((ulong)ticks | 1) - SubBits);

        // Of the first magnitude all 2048 values, of each later one the upper 1024: the indexes follow without a gap.
        return (magnitude * SubBuckets) + (int)(ticks >> magnitude);
    }

    private static long HighestOf(int index)
    {
        var magnitude = Math.Max(0, (index / SubBuckets) - 1);
        var sub = (long)index - (magnitude * SubBuckets);
        return ((sub + 1) << magnitude) - 1;
    }
}

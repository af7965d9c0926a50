using System.Diagnostics;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.LoadTest;

/// <summary>The arithmetic of load test reports.</summary>
public sealed class StatisticsTests
{
    private static readonly double[] s_fractions = [0, 0.01, 0.5, 0.9, 0.99, 0.999, 1];

    [Theory]
    [InlineData(new double[] { 5 }, 5)]
    [InlineData(new double[] { 9, 1, 5 }, 5)]
    [InlineData(new double[] { 4, 1, 3, 2 }, 2.5)]
    [InlineData(new double[] { 7, 7, 1, 7 }, 7)]
    public void A_median_is_the_middle_or_the_mean_of_the_two_in_the_middle(double[] values, double median) =>
        Assert.Equal(median, Statistics.Median(values));

    [Fact]
    public void There_is_no_median_of_nothing() => Assert.Throws<ArgumentException>(() => Statistics.Median([]));

    /// <summary>The definition: the smallest sample that at least this share of all samples does not exceed.</summary>
    [Fact]
    public void Percentiles_are_those_of_the_sorted_samples_within_a_thousandth() => Prop
        .ForAll(
            Gen.Choose(0, 40).SelectMany(bits => Gen.Choose(0, int.MaxValue)
                    .Select(value => (long)(value * Math.Pow(2, bits - 31)))).NonEmptyListOf().ToArbitrary(),
            samples =>
            {
                var histogram = new LatencyHistogram();
                foreach (var ticks in samples)
                {
                    histogram.Record(ticks);
                }

                var sorted = samples.Order().ToArray();
                foreach (var fraction in s_fractions)
                {
                    var exact = sorted[Math.Max(1, (int)Math.Ceiling(fraction * sorted.Length)) - 1];
                    var found = histogram.Percentile(fraction).TotalSeconds * Stopwatch.Frequency;
                    var allowed = Math.Max(100, exact * 0.001);
                    Assert.InRange(found, exact - allowed, exact + allowed);
                }

                return histogram.Count == samples.Count;
            })
        .Check(Config.QuickThrowOnFailure);

    [Fact]
    public void A_histogram_without_samples_says_zero_and_one_takes_any_duration()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal(TimeSpan.Zero, histogram.Percentile(0.5));
        histogram.Record(long.MaxValue);
        histogram.Record(-1);
        Assert.Equal(2, histogram.Count);
        Assert.Equal(TimeSpan.Zero, histogram.Percentile(0.5));
        Assert.True(histogram.Percentile(1) > TimeSpan.FromHours(1));
    }

    [Fact]
    public void A_fingerprint_knows_a_set_in_any_order_and_misses_no_change()
    {
        var random = new SplitMix64(7);
        Guid[] ids = [.. Enumerable.Range(0, 1_000).Select(_ => random.NextUuid())];
        var all = Sum(ids);
        Assert.Equal(1_000, all.Count);
        Assert.Equal(all, Sum(ids.Reverse()));
        Assert.Equal(Sum(ids[500..]), all - Sum(ids[..500]));
        Assert.NotEqual(all, Sum(ids[1..]));
        Assert.NotEqual(all, Sum([.. ids[1..], random.NextUuid()]));
        Assert.NotEqual(all, Sum([.. ids[1..], ids[1]]));
    }

    /// <summary>The published numbers of the reference implementation for the seed 1234567.</summary>
    [Fact]
    public void The_generator_is_splitmix64()
    {
        var random = new SplitMix64(1_234_567);
        ulong[] published =
            [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        Assert.Equal(published, Enumerable.Range(0, published.Length).Select(_ => random.Next()));
    }

    [Fact]
    public void Ids_are_uuids_of_version_8_without_order_and_of_version_7_in_the_order_of_time()
    {
        var random = new SplitMix64(7);
        var now = DateTimeOffset.UnixEpoch.AddYears(50);
        Guid[] ordered = [.. Enumerable.Range(0, 100).Select(ms => random.NextOrderedUuid(now.AddMilliseconds(ms)))];
        Assert.Equal(ordered.Order(), ordered);
        Assert.All(ordered, id => Assert.Equal((7, 2), (id.Version, id.Variant >> 2)));
        Guid[] unordered = [.. Enumerable.Range(0, 100).Select(_ => random.NextUuid())];
        Assert.NotEqual(unordered.Order(), unordered);
        Assert.All(unordered, id => Assert.Equal((8, 2), (id.Version, id.Variant >> 2)));
    }

    [Fact]
    public void Medians_are_taken_over_the_rounds_and_ratios_over_the_medians()
    {
        var log = new SectionLog();
        foreach (var (perSecond, cpuMicros) in new[] { (100.0, 50.0), (300.0, 10.0), (200.0, 20.0) })
        {
            log.Add("tpcb", Result(perSecond, cpuMicros));
            log.Add("uniform", Result(perSecond * 8, cpuMicros / 4));
        }

        var figures = Assert.IsType<SectionFigures>(log.Figures()["uniform"]);
        Assert.Equal(1_600, figures.PerSecond);
        Assert.Equal([800.0, 2_400.0, 1_600.0], figures.PerSecondByRound);
        var ratios = ChatPay.LoadTest.Scenarios.SettleRatios.Of(log);
        Assert.Equal(8, ratios["uniform_vs_tpcb"]);
        Assert.Equal(4, ratios["uniform_cpu_vs_tpcb"]);
        Assert.False(ratios.ContainsKey("hot_vs_tpcb"));
    }

    [Fact]
    public void A_round_in_which_nothing_settled_slows_the_median_and_says_nothing_of_one_payment()
    {
        var log = new SectionLog();
        log.Add("uniform", Result(100, 7));
        log.Add("uniform", Result(50, 9));
        log.Add("uniform", SectionResult.OfRate(0));
        var figures = Assert.IsType<SectionFigures>(log.Figures()["uniform"]);
        Assert.Equal((50, 8), (figures.PerSecond, figures.ProcessCpuMicros));
    }

    private static SectionResult Result(double perSecond, double cpuMicros) => new(
        perSecond, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(2), cpuMicros, cpuMicros, 0, 0, null);

    private static IdFingerprint Sum(IEnumerable<Guid> ids) =>
        ids.Aggregate(default(IdFingerprint), (sum, id) => sum + IdFingerprint.Of(id));
}

using ChatPay.Server.Realtime;
using Xunit;

namespace ChatPay.Tests.Realtime;

/// <summary>When refused Hellos are told to come back.</summary>
public sealed class HelloPaceTests
{
    private readonly Clock _clock = new();

    [Fact]
    public void Each_refused_one_gets_a_place_of_its_own_after_those_who_wait()
    {
        var pace = Paced(atOnce: 4, tookMs: 40, longestMs: 60_000);

        // Four at once in 40 ms are one every 10 ms; 20 wait already.
        Assert.Equal([210, 220, 230, 240], Places(pace, waiting: 20, count: 4));

        // Time passes, the line moves up, and who comes now stands behind those who were told a time.
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal([150], Places(pace, waiting: 0, count: 1));
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal([60], Places(pace, waiting: 5, count: 1));
    }

    [Fact]
    public void Nobody_is_sent_away_for_longer_than_the_bound_or_for_no_time()
    {
        var pace = Paced(atOnce: 1, tookMs: 100, longestMs: 1000);
        Assert.Equal(1000, Places(pace, waiting: 0, count: 50)[^1]);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([100], Places(pace, waiting: 0, count: 1));

        Assert.Equal([20], Places(Paced(atOnce: 100, tookMs: 1, longestMs: 1000), waiting: 0, count: 1));
    }

    private HelloPace Paced(int atOnce, int tookMs, int longestMs)
    {
        var pace = new HelloPace(atOnce, TimeSpan.FromMilliseconds(longestMs), _clock);
        for (var i = 0; i < 1000; i++)
        {
            pace.Took(TimeSpan.FromMilliseconds(tookMs));
        }

        return pace;
    }

    private static List<int> Places(HelloPace pace, int waiting, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (int)Math.Round(pace.NextPlace(waiting).TotalMilliseconds))];

    private sealed class Clock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}

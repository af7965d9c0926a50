using System.Globalization;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Periods without gap or overlap, whatever day a mandate was given on.</summary>
public sealed class MandatePeriodsTests
{
    [Theory]
    [InlineData(MandatePeriod.Day, "2026-03-01T12:00:00Z", "2026-03-02T11:59:59Z", "2026-03-01T12:00:00Z")]
    [InlineData(MandatePeriod.Day, "2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z", "2026-03-02T12:00:00Z")]
    [InlineData(MandatePeriod.Week, "2026-03-01T12:00:00Z", "2026-03-08T11:59:59Z", "2026-03-01T12:00:00Z")]
    [InlineData(MandatePeriod.Week, "2026-03-01T12:00:00Z", "2026-03-08T12:00:00Z", "2026-03-08T12:00:00Z")]

    // The clocks of Berlin go forward on 29 March 2026 and back on 25 October: a day has 24 hours all the same.
    [InlineData(MandatePeriod.Day, "2026-03-28T12:00:00+01:00", "2026-03-29T12:59:59+02:00", "2026-03-28T11:00:00Z")]
    [InlineData(MandatePeriod.Day, "2026-10-24T12:00:00+02:00", "2026-10-25T11:00:00+01:00", "2026-10-25T10:00:00Z")]

    // The 31st: the last day of a shorter month, and the 31st again afterwards.
    [InlineData(MandatePeriod.Month, "2026-01-31T10:00:00Z", "2026-02-28T09:59:59Z", "2026-01-31T10:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z", "2026-02-28T10:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-01-31T10:00:00Z", "2026-03-30T23:00:00Z", "2026-02-28T10:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-01-31T10:00:00Z", "2026-03-31T10:00:00Z", "2026-03-31T10:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-01-31T10:00:00Z", "2026-04-30T09:59:59Z", "2026-03-31T10:00:00Z")]

    // Leap years.
    [InlineData(MandatePeriod.Month, "2028-01-31T10:00:00Z", "2028-02-29T10:00:00Z", "2028-02-29T10:00:00Z")]
    [InlineData(MandatePeriod.Month, "2028-02-29T10:00:00Z", "2029-02-28T10:00:00Z", "2029-02-28T10:00:00Z")]
    [InlineData(MandatePeriod.Month, "2028-02-29T10:00:00Z", "2028-03-29T09:59:59Z", "2028-02-29T10:00:00Z")]

    // Over the turn of the year, and where the month in UTC is another one than in the zone of the instant.
    [InlineData(MandatePeriod.Month, "2026-12-15T00:00:00Z", "2027-01-14T23:59:59Z", "2026-12-15T00:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-12-15T00:00:00Z", "2027-01-15T00:00:00Z", "2027-01-15T00:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-03-01T01:00:00+02:00", "2026-03-28T23:00:00Z", "2026-03-28T23:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-03-01T01:00:00+02:00", "2026-03-28T22:59:59Z", "2026-02-28T23:00:00Z")]

    // Before it was given, as a clock that stepped back has it.
    [InlineData(MandatePeriod.Day, "2026-03-01T12:00:00Z", "2026-02-27T12:00:00Z", "2026-03-01T12:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-03-01T12:00:00Z", "2025-01-01T12:00:00Z", "2026-03-01T12:00:00Z")]
    public void A_period_begins_where_it_should(MandatePeriod period, string begun, string now, string start) =>
        Assert.Equal(At(start), MandatePeriods.StartOf(At(begun), period, At(now)));

    [Theory]
    [InlineData(MandatePeriod.Day, "2026-03-01T12:00:00Z", "2026-03-05T12:00:00Z", "2026-03-06T12:00:00Z")]
    [InlineData(MandatePeriod.Week, "2026-03-01T12:00:00Z", "2026-03-08T12:00:00Z", "2026-03-15T12:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-10-31T10:00:00Z", "2026-12-31T10:00:00Z", "2027-01-31T10:00:00Z")]
    [InlineData(MandatePeriod.Month, "2026-03-01T01:00:00+02:00", "2026-02-28T23:00:00Z", "2026-03-28T23:00:00Z")]
    public void A_period_ends_where_the_next_begins(MandatePeriod period, string begun, string start, string end) =>
        Assert.Equal(At(end), MandatePeriods.EndOf(At(begun), period, At(start)));

    [Fact]
    public void Periods_follow_each_other_without_gap_or_overlap()
    {
        var cases =
            from begun in Gen.Choose(0, 4 * 366 * 24 * 60)
            from offset in Gen.Choose(-12, 14)
            from later in Gen.Choose(0, 400 * 24 * 60)
            from period in Gen.Elements(Enum.GetValues<MandatePeriod>())
            select (Begun: At("2026-01-01T00:00:00Z").AddMinutes(begun).ToOffset(TimeSpan.FromHours(offset)), later, period);
        Prop.ForAll(cases.ToArbitrary(), one =>
        {
            var (begun, minutes, period) = one;
            var now = begun.AddMinutes(minutes);
            var start = MandatePeriods.StartOf(begun, period, now);
            var end = MandatePeriods.EndOf(begun, period, start);
            Assert.True(begun <= start && start <= now && now < end, $"{start} {now} {end}");
            Assert.Equal(start, MandatePeriods.StartOf(begun, period, start));
            Assert.Equal(start, MandatePeriods.StartOf(begun, period, end.AddTicks(-1)));
            Assert.Equal(end, MandatePeriods.StartOf(begun, period, end));

            // The zone that an instant is written in changes nothing.
            Assert.Equal(start, MandatePeriods.StartOf(begun.ToUniversalTime(), period, now.ToOffset(TimeSpan.FromHours(9))));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1_000));
    }

    private static DateTimeOffset At(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}

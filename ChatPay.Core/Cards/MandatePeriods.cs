using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>
/// The periods of a mandate, counted from the moment it was posted, in UTC: days of 24 hours, weeks of seven of them, or months
/// (the same day of the month, or its last).
/// </summary>
public static class MandatePeriods
{
    /// <summary>When the period began that an instant lies in.</summary>
    /// <param name="now">Not before <paramref name="begun"/>; an earlier one counts as that.</param>
    public static DateTimeOffset StartOf(DateTimeOffset begun, MandatePeriod period, DateTimeOffset now)
    {
        if (now <= begun)
        {
            return begun;
        }

        if (period != MandatePeriod.Month)
        {
            var length = period == MandatePeriod.Day ? TimeSpan.FromDays(1) : TimeSpan.FromDays(7);
            return begun + (length * ((now - begun).Ticks / length.Ticks));
        }

        begun = begun.ToUniversalTime();
        var months = ((now.UtcDateTime.Year - begun.UtcDateTime.Year) * 12) + now.UtcDateTime.Month - begun.UtcDateTime.Month;
        var start = begun.AddMonths(months);
        return start <= now ? start : begun.AddMonths(months - 1);
    }

    /// <summary>When the period ends that began at <paramref name="start"/>.</summary>
    public static DateTimeOffset EndOf(DateTimeOffset begun, MandatePeriod period, DateTimeOffset start)
    {
        if (period != MandatePeriod.Month)
        {
            return start + TimeSpan.FromDays(period == MandatePeriod.Day ? 1 : 7);
        }

        begun = begun.ToUniversalTime();

        // Months are counted from the beginning, so that one from the 31st comes back to the 31st.
        var months = ((start.UtcDateTime.Year - begun.UtcDateTime.Year) * 12) + start.UtcDateTime.Month - begun.UtcDateTime.Month;
        return begun.AddMonths(months + 1);
    }
}

using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger;

/// <summary>From an instant on, up to and without another; null is open. Periods that meet share no entry.</summary>
internal readonly record struct Period(DateTimeOffset? From, DateTimeOffset? To)
{
    /// <summary>The last instant before it; the beginning of time where it has no beginning.</summary>
    public DateTimeOffset LastBefore => JustBefore(From) ?? DateTimeOffset.MinValue;

    /// <summary>The last instant in it; null for now.</summary>
    public DateTimeOffset? LastWithin => JustBefore(To);

    /// <returns>What is wrong, or null.</returns>
    public static Error? Read(string? from, string? to, out Period period)
    {
        var wrongStart = Instants.Read(from, nameof(from), out var start);
        var wrongEnd = Instants.Read(to, nameof(to), out var end);
        period = new Period(start, end);
        return wrongStart ?? wrongEnd
            ?? (start >= end ? new Error(ErrorCode.InvalidArgument, "A period begins before it ends.") : null);
    }

    private static DateTimeOffset? JustBefore(DateTimeOffset? instant) =>
        instant > DateTimeOffset.MinValue ? instant - Instants.Resolution : instant;
}

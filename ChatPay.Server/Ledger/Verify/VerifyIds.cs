using System.Buffers.Binary;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>Ids as numbers, which compare in the order that PostgreSQL sorts them in; and how findings show them.</summary>
internal static class VerifyIds
{
    private static readonly DateTime s_epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static Guid ToGuid(this UInt128 id)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, id);
        return new Guid(bytes, bigEndian: true);
    }

    /// <param name="microseconds">Since the year 2000, as PostgreSQL counts.</param>
    public static string ToTime(this long microseconds)
    {
        var ticks = (Int128)s_epoch.Ticks + ((Int128)microseconds * TimeSpan.TicksPerMicrosecond);
        return ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks
            ? Invariant($"{microseconds} µs")
            : Invariant($"{new DateTime((long)ticks, DateTimeKind.Utc):yyyy-MM-dd HH:mm:ss.ffffff}");
    }

    /// <param name="microseconds">As for <see cref="ToTime(long)"/>.</param>
    public static bool TryToInstant(long microseconds, out DateTimeOffset at)
    {
        var ticks = (Int128)s_epoch.Ticks + ((Int128)microseconds * TimeSpan.TicksPerMicrosecond);
        var isOne = ticks >= DateTime.MinValue.Ticks && ticks <= DateTime.MaxValue.Ticks;
        at = isOne ? new DateTimeOffset((long)ticks, TimeSpan.Zero) : default;
        return isOne;
    }

    public static string ToTime(this long? microseconds) => microseconds?.ToTime() ?? "never";
}

using System.Globalization;

namespace ChatPay.Core.Ledger;

/// <summary>
/// A number of an asset's smallest units in 64 bits, signed. Operators throw on overflow, because reaching it there is
/// a bug; where input could cause it, use <see cref="TryAdd"/> and refuse.
/// </summary>
public readonly record struct AmountMinor(long Value) : IComparable<AmountMinor>
{
    public static AmountMinor Zero => default;

    public bool IsPositive => Value > 0;

    public bool IsNegative => Value < 0;

    public static AmountMinor operator +(AmountMinor left, AmountMinor right) => new(checked(left.Value + right.Value));

    public static AmountMinor operator -(AmountMinor left, AmountMinor right) => new(checked(left.Value - right.Value));

    public static AmountMinor operator -(AmountMinor amount) => new(checked(-amount.Value));

    public static bool operator <(AmountMinor left, AmountMinor right) => left.Value < right.Value;

    public static bool operator >(AmountMinor left, AmountMinor right) => left.Value > right.Value;

    public static bool operator <=(AmountMinor left, AmountMinor right) => left.Value <= right.Value;

    public static bool operator >=(AmountMinor left, AmountMinor right) => left.Value >= right.Value;

    /// <summary>The sum, or false where it does not fit 64 bits.</summary>
    public bool TryAdd(AmountMinor other, out AmountMinor sum)
    {
        var value = unchecked(Value + other.Value);

        // Two numbers of one sign whose sum has the other sign have overflowed.
        var fits = ((Value ^ value) & (other.Value ^ value)) >= 0;
        sum = new AmountMinor(fits ? value : 0);
        return fits;
    }

    public int CompareTo(AmountMinor other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

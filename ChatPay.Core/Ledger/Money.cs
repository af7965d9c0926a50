using System.Globalization;

namespace ChatPay.Core.Ledger;

/// <summary>An amount of one asset; amounts of different assets never meet in arithmetic.</summary>
public readonly record struct Money(AmountMinor Amount, AssetCode Asset)
{
    public static Money Of(long amountMinor, AssetCode asset) => new(new AmountMinor(amountMinor), asset);

    /// <exception cref="InvalidOperationException">The assets differ: a bug, the ledger compares them first.</exception>
    public static Money operator +(Money left, Money right) => left.Asset == right.Asset
        ? new Money(left.Amount + right.Amount, left.Asset)
        : throw new InvalidOperationException($"Cannot add {right.Asset} to {left.Asset}.");

    /// <exception cref="InvalidOperationException">The assets differ: a bug, the ledger compares them first.</exception>
    public static Money operator -(Money left, Money right) => left.Asset == right.Asset
        ? new Money(left.Amount - right.Amount, left.Asset)
        : throw new InvalidOperationException($"Cannot subtract {right.Asset} from {left.Asset}.");

    /// <summary>Decimal text with exactly the asset's decimals and a point, such as 12.34, 500 or -0.001.</summary>
    /// <param name="exponent">The asset's, 0 to <see cref="Asset.ExponentMax"/>.</param>
    public string ToDecimalText(int exponent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(exponent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(exponent, Ledger.Asset.ExponentMax);

        // The magnitude of long.MinValue fits only the unsigned type.
        var magnitude = Amount.Value < 0 ? unchecked(0UL - (ulong)Amount.Value) : (ulong)Amount.Value;
        var digits = magnitude.ToString(CultureInfo.InvariantCulture).PadLeft(exponent + 1, '0');
        var sign = Amount.IsNegative ? "-" : "";
        return exponent == 0 ? sign + digits : $"{sign}{digits[..^exponent]}.{digits[^exponent..]}";
    }
}

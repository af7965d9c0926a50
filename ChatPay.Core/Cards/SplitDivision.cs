namespace ChatPay.Core.Cards;

/// <summary>
/// Divides an amount to the last unit, the same way wherever it is done: what does not divide goes to the first ones, one unit
/// each.
/// </summary>
public static class SplitDivision
{
    /// <param name="totalMinor">At least nothing.</param>
    /// <returns>Together the total; the first ones one unit more where it does not divide.</returns>
    public static long[] Equally(long totalMinor, int people)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(totalMinor);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(people);
        var (each, more) = Math.DivRem(totalMinor, people);
        return [.. Enumerable.Range(0, people).Select(place => each + (place < more ? 1 : 0))];
    }

    /// <summary>
    /// By shares, such as nights stayed: rounded down first, then one unit more to those with the largest remainders, the
    /// earlier of two that are equal.
    /// </summary>
    /// <param name="weights">None negative, not all zero.</param>
    /// <exception cref="ArgumentException">Weights that divide nothing.</exception>
    public static long[] ByShares(long totalMinor, IReadOnlyList<int> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfNegative(totalMinor);
        var sum = weights.Sum(weight => (long)weight);
        if (sum <= 0 || weights.Any(weight => weight < 0))
        {
            throw new ArgumentException("Shares are not negative, and not all zero.", nameof(weights));
        }

        var parts = weights.Select(weight => (long)((Int128)totalMinor * weight / sum)).ToArray();
        var remainders = weights.Select(weight => (long)((Int128)totalMinor * weight % sum)).ToArray();
        foreach (var place in Enumerable.Range(0, parts.Length)
            .OrderByDescending(place => remainders[place]).ThenBy(place => place).Take((int)(totalMinor - parts.Sum())))
        {
            parts[place]++;
        }

        return parts;
    }
}

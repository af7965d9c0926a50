namespace ChatPay.Core.Mls;

/// <summary>Ascending lists of leaf indices without repeats, as parents keep their unmerged leaves.</summary>
internal static class SortedLeaves
{
    public static bool IsSorted(ReadOnlySpan<uint> leaves)
    {
        for (var i = 1; i < leaves.Length; i++)
        {
            if (leaves[i - 1] >= leaves[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Those that are at least <paramref name="first"/> and below <paramref name="end"/>.</summary>
    public static ReadOnlySpan<uint> Between(ReadOnlySpan<uint> leaves, uint first, uint end) =>
        leaves[LowerBound(leaves, first)..LowerBound(leaves, end)];

    /// <summary>Those of the one list that are not in the other.</summary>
    public static uint[] Except(ReadOnlySpan<uint> leaves, ReadOnlySpan<uint> others)
    {
        var left = new List<uint>(leaves.Length);
        foreach (var leaf in leaves)
        {
            others = others[LowerBound(others, leaf)..];
            if (others.IsEmpty || others[0] != leaf)
            {
                left.Add(leaf);
            }
        }

        return [.. left];
    }

    /// <summary>Whether the other list has all of the one.</summary>
    public static bool AreAllIn(ReadOnlySpan<uint> leaves, ReadOnlySpan<uint> others)
    {
        foreach (var leaf in leaves)
        {
            others = others[LowerBound(others, leaf)..];
            if (others.IsEmpty || others[0] != leaf)
            {
                return false;
            }
        }

        return true;
    }

    private static int LowerBound(ReadOnlySpan<uint> leaves, uint value) =>
        leaves.BinarySearch(value) is var at && at < 0 ? ~at : at;
}

using System.Globalization;

namespace ChatPay.Core.Transparency;

/// <summary>
/// Which tile, or which bundle of entries, and how wide: C2SP tlog-tiles. A tile holds 256 hashes of one level in
/// eight, a partial one the first so many of them; a bundle holds the entries of a tile of level 0.
/// </summary>
/// <param name="Level">0 to 63, or <see cref="EntriesLevel"/> for a bundle.</param>
/// <param name="Index">Which of its level, from 0 on.</param>
/// <param name="Width">1 to 256.</param>
public readonly record struct TilePath(int Level, long Index, int Width)
{
    /// <summary>Hashes or entries of a full tile or bundle.</summary>
    public const int FullWidth = 256;

    /// <summary>Levels of the tree that one tile spans.</summary>
    public const int Height = 8;

    /// <summary>In place of a level: a bundle of entries.</summary>
    public const int EntriesLevel = -1;

    /// <summary>Longest path: seven groups of three digits are beyond every index.</summary>
    private const int PathMaxChars = 64;

    private const int LevelMax = 63;
    private const int GroupSize = 1000;

    public bool IsPartial => Width < FullWidth;

    /// <summary>The tile as a tree of that size has it, or null where it has none.</summary>
    public static TilePath? In(long treeSize, int level, long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(treeSize);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfLessThan(level, EntriesLevel);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, LevelMax);
        var shift = Height * Math.Max(level, 0);
        var hashes = shift > LogLimits.TreeLevels ? 0 : treeSize >> shift;
        var (full, rest) = Math.DivRem(hashes, FullWidth);
        return index < full ? new TilePath(level, index, FullWidth)
            : index == full && rest > 0 ? new TilePath(level, index, (int)rest)
            : null;
    }

    /// <summary>
    /// All tiles, or bundles, of a tree of that size whose hashes, or entries, an earlier size did not have.
    /// </summary>
    public static IEnumerable<TilePath> NewSince(long earlierSize, long treeSize)
    {
        for (var level = EntriesLevel; level <= LogLimits.TreeLevels / Height; level++)
        {
            var shift = Height * Math.Max(level, 0);
            var (before, now) = (earlierSize >> shift, treeSize >> shift);
            for (var index = before / FullWidth; before < now && index * FullWidth < now; index++)
            {
                yield return In(treeSize, level, index)!.Value;
            }
        }
    }

    /// <summary>Reads a path such as <c>tile/0/x001/x234/067.p/8</c> or <c>tile/entries/000</c>.</summary>
    /// <returns>False for everything but the one way to write a path.</returns>
    public static bool TryParse(string? path, out TilePath tile)
    {
        tile = default;
        if (path is null || path.Length > PathMaxChars)
        {
            return false;
        }

        var parts = path.Split('/');
        if (parts.Length < 3 || parts[0] != "tile" || !TryReadLevel(parts[1], out var level))
        {
            return false;
        }

        var width = FullWidth;
        var end = parts.Length;
        if (parts[^2].EndsWith(".p", StringComparison.Ordinal))
        {
            if (!int.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out width)
                || width >= FullWidth)
            {
                return false;
            }

            parts[^2] = parts[^2][..^2];
            end--;
        }

        if (!TryReadIndex(parts.AsSpan(2, end - 2), out var index))
        {
            return false;
        }

        // Whatever has a second way to be written is not it.
        var read = new TilePath(level, index, width);
        if (width < 1 || read.ToString() != path)
        {
            return false;
        }

        tile = read;
        return true;
    }

    public override string ToString()
    {
        var number = Index;
        var text = (number % GroupSize).ToString("D3", CultureInfo.InvariantCulture);
        for (number /= GroupSize; number > 0; number /= GroupSize)
        {
            text = string.Create(CultureInfo.InvariantCulture, $"x{number % GroupSize:D3}/{text}");
        }

        var level = Level == EntriesLevel ? "entries" : Level.ToString(CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture, $"tile/{level}/{text}{(IsPartial ? $".p/{Width}" : "")}");
    }

    private static bool TryReadLevel(string text, out int level)
    {
        level = EntriesLevel;
        return text == "entries"
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out level) && level <= LevelMax);
    }

    private static bool TryReadIndex(ReadOnlySpan<string> groups, out long index)
    {
        index = 0;
        if (groups.Length is 0 or > 6)
        {
            return false;
        }

        for (var i = 0; i < groups.Length; i++)
        {
            var digits = groups[i].AsSpan();
            if (i < groups.Length - 1)
            {
                if (digits.IsEmpty || digits[0] != 'x')
                {
                    return false;
                }

                digits = digits[1..];
            }

            if (digits.Length != 3
                || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var group))
            {
                return false;
            }

            index = (index * GroupSize) + group;
        }

        return true;
    }
}

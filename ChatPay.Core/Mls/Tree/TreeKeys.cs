using System.Collections.Immutable;

namespace ChatPay.Core.Mls;

/// <summary>
/// The public keys of one kind that a tree holds, how often each; versions share what they have in common. While the
/// proposals of a commit are applied one by one, a key may stand in two places; afterwards none may.
/// </summary>
/// <remarks>Sorted rather than hashed: whoever chooses the keys cannot make lookups slow.</remarks>
internal sealed class TreeKeys
{
    private readonly ImmutableSortedDictionary<byte[], int> _counts;
    private readonly int _repeats;

    private TreeKeys(ImmutableSortedDictionary<byte[], int> counts, int repeats)
    {
        _counts = counts;
        _repeats = repeats;
    }

    public static TreeKeys None { get; } =
        new(ImmutableSortedDictionary.Create<byte[], int>(Comparer<byte[]>.Create(
            static (one, other) => one.AsSpan().SequenceCompareTo(other))), 0);

    /// <summary>Whether no key stands in two places.</summary>
    public bool AreUnique => _repeats == 0;

    public bool Contains(byte[] key) => _counts.ContainsKey(key);

    /// <summary>These without some and with others.</summary>
    /// <param name="removed">Each must be here.</param>
    public TreeKeys Change(IEnumerable<byte[]> removed, IEnumerable<byte[]> added)
    {
        var counts = _counts.ToBuilder();
        var repeats = _repeats;
        foreach (var key in removed)
        {
            if (counts[key] == 1)
            {
                counts.Remove(key);
            }
            else
            {
                counts[key]--;
                repeats--;
            }
        }

        foreach (var key in added)
        {
            if (!counts.TryAdd(key, 1))
            {
                counts[key]++;
                repeats++;
            }
        }

        return new(counts.ToImmutable(), repeats);
    }
}

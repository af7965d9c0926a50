using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;

/// <summary>
/// Who sits at which leaf of a group's ratchet tree, followed through its commits without the tree itself. Blank leaves
/// are absent.
/// </summary>
/// <remarks>
/// RFC 9420 section 12.3 applies Removes before Adds; an Add takes the leftmost blank leaf, and only where there is none
/// is the tree extended to the right (section 7.7), so the new leaf is the first of the new half. Removing blanks a
/// leaf and then truncates the tree while its right half is blank. Neither changes which free index is smallest, which
/// is why the map alone is enough; <see cref="Width"/> is what the tree's width then is.
/// </remarks>
/// <typeparam name="T">What is known of a member, such as its device.</typeparam>
public sealed class RatchetTreeLeaves<T>
    where T : notnull
{
    private readonly SortedDictionary<int, T> _leaves;

    /// <exception cref="ArgumentException">A leaf occurs twice.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A leaf index is negative.</exception>
    public RatchetTreeLeaves(IEnumerable<KeyValuePair<int, T>> leaves)
    {
        ArgumentNullException.ThrowIfNull(leaves);
        _leaves = [];
        foreach (var (leaf, member) in leaves)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(leaf, nameof(leaves));
            _leaves.Add(leaf, member);
        }
    }

    /// <summary>Occupied leaves, ascending.</summary>
    public IReadOnlyDictionary<int, T> Leaves => _leaves;

    /// <summary>Leaves of the tree, blank ones included, after truncation: a power of two, or 0 for an empty tree.</summary>
    public int Width
    {
        get
        {
            if (_leaves.Count == 0)
            {
                return 0;
            }

            var last = _leaves.Keys.Last();
            return last == 0 ? 1 : 1 << (int.Log2(last) + 1);
        }
    }

    public bool TryGet(int leaf, [MaybeNullWhen(false)] out T member) => _leaves.TryGetValue(leaf, out member);

    /// <summary>
    /// Applies a member's commit: the Removes, then the Adds in the commit's order.
    /// </summary>
    /// <param name="removes">Leaf indices; each must be occupied, and none may come twice.</param>
    /// <param name="adds">The members added by Add proposals.</param>
    /// <param name="changes">What changed; null when nothing did because the commit is refused.</param>
    /// <returns>False, and nothing changed, when a removed leaf is blank or comes twice.</returns>
    public bool TryApply(
        IReadOnlyList<int> removes, IReadOnlyList<T> adds, [NotNullWhen(true)] out LeafChanges<T>? changes)
    {
        ArgumentNullException.ThrowIfNull(removes);
        ArgumentNullException.ThrowIfNull(adds);
        changes = null;
        if (!removes.All(_leaves.ContainsKey) || removes.Distinct().Count() != removes.Count)
        {
            return false;
        }

        var removed = new List<KeyValuePair<int, T>>(removes.Count);
        foreach (var leaf in removes)
        {
            _leaves.Remove(leaf, out var member);
            removed.Add(new(leaf, member!));
        }

        var added = new List<KeyValuePair<int, T>>(adds.Count);
        var free = 0;
        foreach (var member in adds)
        {
            while (_leaves.ContainsKey(free))
            {
                free++;
            }

            _leaves.Add(free, member);
            added.Add(new(free, member));
        }

        changes = new LeafChanges<T>(removed, added);
        return true;
    }

    /// <summary>
    /// Applies an external commit: the joiner's own former leaf is removed where it names one, then the joiner takes the
    /// leftmost blank leaf, as an Add would (section 12.4.3.2).
    /// </summary>
    public bool TryApplyExternal(
        IReadOnlyList<int> removes, T joiner, [NotNullWhen(true)] out LeafChanges<T>? changes) =>
        TryApply(removes, [joiner], out changes);
}

/// <param name="Removed">Leaves that became blank, with who sat there.</param>
/// <param name="Added">Leaves that were filled, in the order of the proposals.</param>
public sealed record LeafChanges<T>(
    IReadOnlyList<KeyValuePair<int, T>> Removed, IReadOnlyList<KeyValuePair<int, T>> Added)
    where T : notnull;

namespace ChatPay.Core.Mls;

/// <summary>
/// A node of the ratchet tree with all that is below it. It never changes, so the trees before and after a commit share
/// what they have in common, and each node's tree hash is computed once, when somebody first asks for it.
/// </summary>
/// <remarks>
/// What is blank throughout has no nodes below until somebody goes there, so a list of blanks from the wire costs no
/// more memory here than there. Both that and the hash may be made twice by two threads, to the same effect.
/// </remarks>
internal sealed class Subtree
{
    private Subtree? _left;
    private Subtree? _right;
    private byte[]? _hash;

    public Subtree(uint leafIndex, LeafNode? leaf)
    {
        Index = TreeMath.Ancestor(leafIndex, 0);
        Leaf = leaf;
        Members = leaf is null ? 0 : 1;
        IsBlank = leaf is null;
    }

    public Subtree(ParentNode? parent, Subtree left, Subtree right)
    {
        Level = left.Level + 1;
        Index = TreeMath.Ancestor(left.FirstLeaf, Level);
        Parent = parent;
        _left = left;
        _right = right;
        Members = left.Members + right.Members;
        IsBlank = parent is null && left.IsBlank && right.IsBlank;
    }

    private Subtree(uint firstLeaf, int level)
    {
        Level = level;
        Index = TreeMath.Ancestor(firstLeaf, level);
        IsBlank = true;
    }

    /// <summary>Node index.</summary>
    public uint Index { get; }

    /// <summary>0 for a leaf.</summary>
    public int Level { get; }

    /// <summary>At a leaf that is not blank.</summary>
    public LeafNode? Leaf { get; }

    /// <summary>At a parent that is not blank.</summary>
    public ParentNode? Parent { get; }

    /// <summary>Null exactly at a leaf.</summary>
    public Subtree? Left => Level == 0 ? null : _left ??= Blank(FirstLeaf, Level - 1);

    /// <summary>Null exactly at a leaf.</summary>
    public Subtree? Right => Level == 0 ? null : _right ??= Blank(FirstLeaf + (Width / 2), Level - 1);

    /// <summary>Leaves in here that are not blank.</summary>
    public int Members { get; }

    /// <summary>Whether nothing in here has a key, which is when the resolution is empty.</summary>
    public bool IsBlank { get; }

    public uint FirstLeaf => TreeMath.FirstLeaf(Index);

    /// <summary>Leaves in here, blank ones too.</summary>
    public uint Width => 1u << Level;

    /// <summary>The node's public key; null where it is blank.</summary>
    public byte[]? EncryptionKey => Leaf?.EncryptionKey ?? Parent?.EncryptionKey;

    public static Subtree Blank(uint firstLeaf, int level) => new(firstLeaf, level);

    /// <summary>Whether the leaf index lies in here.</summary>
    public bool Covers(uint leaf) => leaf >> Level == FirstLeaf >> Level;

    /// <summary>The child that has the leaf below it or is it.</summary>
    public Subtree Toward(uint leaf) => Left!.Covers(leaf) ? Left : Right!;

    /// <summary>The child that has not.</summary>
    public Subtree AwayFrom(uint leaf) => Left!.Covers(leaf) ? Right! : Left;

    /// <summary>The ancestor of a leaf at a level, down to the leaf itself at level 0.</summary>
    public Subtree Find(uint leaf, int level)
    {
        var node = this;
        while (node.Level > level)
        {
            node = node.Toward(leaf);
        }

        return node;
    }

    /// <summary>The leftmost leaf index in here that is blank, or null.</summary>
    public uint? FirstBlankLeaf()
    {
        if (Members == Width)
        {
            return null;
        }

        var node = this;
        while (node.Left is { } left)
        {
            node = left.Members < left.Width ? left : node.Right!;
        }

        return node.FirstLeaf;
    }

    /// <summary>
    /// This with another leaf, and with each parent above the leaf as the function makes it from what is there.
    /// </summary>
    public Subtree Replace(uint leafIndex, LeafNode? leaf, Func<Subtree, ParentNode?> parent)
    {
        if (Left is null || Right is null)
        {
            return new Subtree(leafIndex, leaf);
        }

        return Left.Covers(leafIndex)
            ? new Subtree(parent(this), Left.Replace(leafIndex, leaf, parent), Right)
            : new Subtree(parent(this), Left, Right.Replace(leafIndex, leaf, parent));
    }

    /// <summary>Appends the resolution, RFC 9420 section 4.1.1: what to encrypt to, to reach everybody in here.</summary>
    public void Resolve(List<Subtree> resolution)
    {
        if (IsBlank)
        {
            return;
        }

        if (Leaf is not null || Parent is not null)
        {
            resolution.Add(this);
            foreach (var leaf in Parent?.UnmergedLeaves ?? [])
            {
                resolution.Add(Find(leaf, 0));
            }
        }
        else
        {
            Left!.Resolve(resolution);
            Right!.Resolve(resolution);
        }
    }

    /// <summary>All nodes in here that are not blank, children before their parent.</summary>
    public IEnumerable<Subtree> Occupied()
    {
        var pending = new Stack<(Subtree Node, bool ChildrenDone)>([(this, false)]);
        while (pending.TryPop(out var next))
        {
            var (node, childrenDone) = next;
            if (node.EncryptionKey is not null && (childrenDone || node.Left is null))
            {
                yield return node;
            }

            if (!childrenDone && !node.IsBlank && node.Left is not null)
            {
                pending.Push((node, true));
                pending.Push((node.Right!, false));
                pending.Push((node.Left, false));
            }
        }
    }

    /// <summary>The tree hash, section 7.8.</summary>
    /// <param name="scratch">Overwritten.</param>
    public byte[] Hash(MlsCipherSuite suite, TlsWriter scratch)
    {
        if (_hash is { } known)
        {
            return known;
        }

        if (IsBlank)
        {
            return _hash = TreeHashes.OfBlank(suite, scratch, FirstLeaf, Level);
        }

        if (Left is null || Right is null)
        {
            return _hash = TreeHashes.OfLeaf(suite, scratch, FirstLeaf, Leaf);
        }

        var left = Left.Hash(suite, scratch);
        var right = Right.Hash(suite, scratch);
        return _hash = TreeHashes.OfParent(suite, scratch, Parent, Parent?.UnmergedLeaves, left, right);
    }

    /// <summary>
    /// The tree hash as it would be if some leaves were blank and in nobody's unmerged leaves: the original sibling tree
    /// hash of section 7.9.
    /// </summary>
    /// <param name="leaves">Leaf indices, ascending; those outside do not matter.</param>
    /// <param name="scratch">Overwritten.</param>
    public byte[] HashWithout(ReadOnlySpan<uint> leaves, MlsCipherSuite suite, TlsWriter scratch)
    {
        leaves = Within(leaves);
        if (leaves.IsEmpty)
        {
            return Hash(suite, scratch);
        }

        if (Left is null || Right is null)
        {
            return TreeHashes.OfLeaf(suite, scratch, FirstLeaf, leaf: null);
        }

        var left = Left.HashWithout(leaves, suite, scratch);
        var right = Right.HashWithout(leaves, suite, scratch);
        return TreeHashes.OfParent(
            suite, scratch, Parent, SortedLeaves.Except(Parent?.UnmergedLeaves ?? [], leaves), left, right);
    }

    /// <summary>The part of an ascending list of leaf indices that lies in here.</summary>
    public ReadOnlySpan<uint> Within(ReadOnlySpan<uint> leaves) =>
        SortedLeaves.Between(leaves, FirstLeaf, FirstLeaf + Width);
}

namespace ChatPay.Core.Mls;

/// <summary>
/// A group's ratchet tree as everybody in the group sees it, RFC 9420 section 7. It never changes: each operation gives a
/// new tree, which shares all but a path with the old one, so it costs the logarithm of the group and keeping the old
/// tree costs nothing. The caller decides what may be done; this does it.
/// </summary>
internal sealed partial class PublicTree
{
    private readonly Subtree _root;
    private readonly TreeKeys _encryptionKeys;
    private readonly TreeKeys _signatureKeys;

    private PublicTree(MlsCipherSuite suite, Subtree root, TreeKeys encryptionKeys, TreeKeys signatureKeys)
    {
        Suite = suite;
        _root = root;
        _encryptionKeys = encryptionKeys;
        _signatureKeys = signatureKeys;
    }

    public MlsCipherSuite Suite { get; }

    /// <summary>Leaves, blank ones too: a power of two.</summary>
    public uint Width => _root.Width;

    public int MemberCount => _root.Members;

    /// <summary>Whether nobody can be added; see <see cref="MlsLimits.TreeLeaves"/>.</summary>
    public bool IsFull => MemberCount == MlsLimits.TreeLeaves;

    /// <summary>Whether no encryption key and no signature key stands in two places, RFC 9420 section 16.6.</summary>
    public bool KeysAreUnique => _encryptionKeys.AreUnique && _signatureKeys.AreUnique;

    /// <summary>The root's tree hash, which a GroupContext names.</summary>
    public ReadOnlyMemory<byte> TreeHash => _root.Hash(Suite, new TlsWriter());

    /// <summary>The tree of a group that somebody has just created for themselves.</summary>
    public static PublicTree Of(MlsCipherSuite suite, LeafNode first)
    {
        ArgumentNullException.ThrowIfNull(suite);
        ArgumentNullException.ThrowIfNull(first);
        return new PublicTree(
            suite, new Subtree(0, first), TreeKeys.None.Change([], [first.EncryptionKey]),
            TreeKeys.None.Change([], [first.SignatureKey]));
    }

    /// <summary>The leaf node at a leaf index; null where the leaf is blank or beyond the tree.</summary>
    public LeafNode? Leaf(uint leafIndex) => leafIndex < Width ? _root.Find(leafIndex, 0).Leaf : null;

    /// <summary>The parent node at a node index; null where it is blank or beyond the tree, and for a leaf.</summary>
    public ParentNode? Parent(uint nodeIndex) => Node(nodeIndex)?.Parent;

    /// <summary>Leaves that are not blank, ascending.</summary>
    public IEnumerable<(uint Index, LeafNode Leaf)> Members()
    {
        foreach (var node in _root.Occupied())
        {
            if (node.Leaf is { } leaf)
            {
                yield return (node.FirstLeaf, leaf);
            }
        }
    }

    /// <summary>Whether a leaf or a parent has this encryption key.</summary>
    public bool HasEncryptionKey(byte[] key) => _encryptionKeys.Contains(key);

    /// <summary>Whether a member has this signature key.</summary>
    public bool HasSignatureKey(byte[] key) => _signatureKeys.Contains(key);

    /// <summary>A node's tree hash, section 7.8.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The tree has no such node.</exception>
    public byte[] HashOf(uint nodeIndex) => RequireNode(nodeIndex).Hash(Suite, new TlsWriter());

    /// <summary>Node indices of a node's resolution, section 4.1.1, in its order.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The tree has no such node.</exception>
    public IReadOnlyList<uint> Resolution(uint nodeIndex)
    {
        var resolution = new List<Subtree>();
        RequireNode(nodeIndex).Resolve(resolution);
        return resolution.ConvertAll(static node => node.Index);
    }

    /// <summary>Puts a leaf in the leftmost blank place, extending the tree where there is none, section 12.1.1.</summary>
    /// <exception cref="InvalidOperationException"><see cref="IsFull"/>.</exception>
    public PublicTree Add(LeafNode leaf, out uint index)
    {
        ArgumentNullException.ThrowIfNull(leaf);
        if (IsFull)
        {
            throw new InvalidOperationException("The tree is as wide as it may be.");
        }

        var root = _root;
        if (root.FirstBlankLeaf() is not { } free)
        {
            free = root.Width;
            root = new Subtree(parent: null, root, Subtree.Blank(free, root.Level));
        }

        index = free;
        return new PublicTree(
            Suite, root.Replace(free, leaf, node => node.Parent?.WithUnmerged(free)),
            _encryptionKeys.Change([], [leaf.EncryptionKey]), _signatureKeys.Change([], [leaf.SignatureKey]));
    }

    /// <summary>Replaces a member's leaf and blanks the parents above it, section 12.1.2.</summary>
    /// <exception cref="ArgumentException">The leaf is blank.</exception>
    public PublicTree Update(uint index, LeafNode leaf)
    {
        ArgumentNullException.ThrowIfNull(leaf);
        return Replace(index, leaf, new ParentNode?[_root.Level + 1]);
    }

    /// <summary>Blanks a member's leaf and the parents above it, and halves the tree while it can, section 12.1.3.</summary>
    /// <exception cref="ArgumentException">The leaf is blank.</exception>
    public PublicTree Remove(uint index) => Replace(index, leaf: null, new ParentNode?[_root.Level + 1]);

    /// <summary>Other nodes on the way from a member's leaf to the root.</summary>
    /// <param name="leaf">Null to blank it.</param>
    /// <param name="parents">By level.</param>
    private PublicTree Replace(uint index, LeafNode? leaf, ParentNode?[] parents)
    {
        var former = Leaf(index) ?? throw new ArgumentException("The leaf is blank.", nameof(index));
        var removed = new List<byte[]> { former.EncryptionKey };
        var root = _root.Replace(index, leaf, node =>
        {
            if (node.EncryptionKey is { } key)
            {
                removed.Add(key);
            }

            return parents[node.Level];
        });
        while (root.Left is not null && root.Right!.IsBlank)
        {
            root = root.Left;
        }

        var added = parents.Where(static parent => parent is not null).Select(static parent => parent!.EncryptionKey);
        return new PublicTree(
            Suite, root, _encryptionKeys.Change(removed, leaf is null ? added : added.Append(leaf.EncryptionKey)),
            _signatureKeys.Change([former.SignatureKey], leaf is null ? [] : [leaf.SignatureKey]));
    }

    private Subtree? Node(uint nodeIndex) => nodeIndex < TreeMath.NodeCount(Width)
        ? _root.Find(TreeMath.FirstLeaf(nodeIndex), TreeMath.Level(nodeIndex))
        : null;

    private Subtree RequireNode(uint nodeIndex) =>
        Node(nodeIndex) ?? throw new ArgumentOutOfRangeException(nameof(nodeIndex), "The tree has no such node.");
}

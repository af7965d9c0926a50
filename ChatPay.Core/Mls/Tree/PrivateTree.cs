using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// One member's private keys of a ratchet tree: its leaf's and those that it knows of the parents above. It never changes
/// but by being disposed, which zeroes them; each commit gives a new one with copies of what stays.
/// </summary>
/// <remarks>
/// A parent's place is its level above the leaf, which stays the same however the tree grows. All keys have one size.
/// </remarks>
internal sealed partial class PrivateTree : IDisposable
{
    private readonly Secret _keys;
    private readonly int _keySize;
    private uint _levels;

    private PrivateTree(uint leaf, int height, int keySize)
    {
        Leaf = leaf;
        _keySize = keySize;
        _keys = new Secret((height + 1) * keySize);
    }

    /// <summary>The member's leaf index.</summary>
    public uint Leaf { get; }

    private int Height => (_keys.Size / _keySize) - 1;

    /// <summary>A member who knows no parent's key, as after joining by a commit without a path.</summary>
    public static PrivateTree OfLeaf(uint leaf, ReadOnlySpan<byte> leafPrivateKey)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(leaf, (uint)MlsLimits.TreeLeaves);
        ArgumentOutOfRangeException.ThrowIfZero(leafPrivateKey.Length, nameof(leafPrivateKey));
        var keys = new PrivateTree(leaf, 0, leafPrivateKey.Length);
        keys.Set(0, leafPrivateKey);
        return keys;
    }

    /// <summary>As <see cref="OfLeaf(uint, ReadOnlySpan{byte})"/>, with room for the parents that the tree has.</summary>
    /// <exception cref="ArgumentException">The member is not in the tree.</exception>
    internal static PrivateTree OfLeaf(PublicTree tree, uint leaf, ReadOnlySpan<byte> leafPrivateKey)
    {
        if (tree.Leaf(leaf) is null)
        {
            throw new ArgumentException("The member is not in the tree.", nameof(leaf));
        }

        var keys = new PrivateTree(leaf, TreeMath.Level(TreeMath.Root(tree.Width)), leafPrivateKey.Length);
        keys.Set(0, leafPrivateKey);
        return keys;
    }

    /// <summary>
    /// The private key of the parent at a level above the leaf, or of the leaf at 0; false where it is not known.
    /// </summary>
    /// <param name="key">Valid until this is disposed.</param>
    public bool TryGet(int level, out ReadOnlySpan<byte> key)
    {
        key = Has(level) ? Slot(level) : [];
        return !key.IsEmpty;
    }

    /// <summary>After the member's own Update was committed: another leaf key, and no parent's, since all are blank.</summary>
    public PrivateTree WithLeafKey(ReadOnlySpan<byte> leafPrivateKey) => OfLeaf(Leaf, leafPrivateKey);

    /// <summary>Appends the keys in the open; the caller encrypts them.</summary>
    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteUInt32(Leaf);
        var mark = writer.BeginVector();
        for (var level = 0; level <= Height; level++)
        {
            if (TryGet(level, out var key))
            {
                writer.WriteByte((byte)level);
                writer.WriteOpaque(key);
            }
        }

        writer.EndVector(mark);
    }

    /// <summary>Reads what <see cref="Write"/> wrote; the reader has failed where this is null.</summary>
    public static PrivateTree? Read(ref TlsReader reader, MlsCipherSuite suite)
    {
        ArgumentNullException.ThrowIfNull(suite);
        var leaf = reader.ReadUInt32();
        if (leaf >= MlsLimits.TreeLeaves)
        {
            return reader.Fail<PrivateTree?>(MlsRejection.LeafUnknown);
        }

        var keys = new PrivateTree(leaf, TreeMath.Level(TreeMath.Root(MlsLimits.TreeLeaves)), suite.PrivateKeySize);
        var scope = reader.EnterVector();
        while (reader.HasMore)
        {
            var level = reader.ReadByte();
            var key = reader.ReadOpaqueSpan();
            if (level > keys.Height || key.Length != keys._keySize)
            {
                reader.Fail(MlsRejection.TooLarge);
            }
            else
            {
                keys.Set(level, key);
            }
        }

        reader.LeaveVector(scope);
        if (reader.Rejection == MlsRejection.None && keys.Has(0))
        {
            return keys;
        }

        keys.Dispose();
        return reader.Fail<PrivateTree?>(MlsRejection.PrivateKeyMissing);
    }

    public void Dispose() => _keys.Dispose();

    private bool Has(int level) => level <= Height && (_levels >> level & 1) != 0;

    private Span<byte> Slot(int level) => _keys.Span.Slice(level * _keySize, _keySize);

    /// <summary>While these keys are being made.</summary>
    internal void Set(int level, ReadOnlySpan<byte> key)
    {
        key.CopyTo(Slot(level));
        _levels |= 1u << level;
    }
}

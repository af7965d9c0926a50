namespace ChatPay.Core.Mls;

/// <summary>The two hashes of RFC 9420 over a tree: tree hashes of section 7.8 and parent hashes of section 7.9.</summary>
internal static class TreeHashes
{
    private const byte LeafType = 1;
    private const byte ParentType = 2;

    /// <param name="scratch">Overwritten.</param>
    /// <param name="leaf">Null where the leaf is blank.</param>
    public static byte[] OfLeaf(MlsCipherSuite suite, TlsWriter scratch, uint leafIndex, LeafNode? leaf)
    {
        scratch.Clear();
        scratch.WriteByte(LeafType);
        scratch.WriteUInt32(leafIndex);
        scratch.WriteOptional(leaf);
        return suite.Hash(scratch.WrittenSpan);
    }

    /// <param name="scratch">Overwritten.</param>
    /// <param name="parent">Null where the parent is blank.</param>
    /// <param name="unmergedLeaves">In the place of the parent's own.</param>
    public static byte[] OfParent(
        MlsCipherSuite suite, TlsWriter scratch, ParentNode? parent, ReadOnlySpan<uint> unmergedLeaves,
        ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        scratch.Clear();
        scratch.WriteByte(ParentType);
        if (parent is null)
        {
            scratch.WriteByte(0);
        }
        else
        {
            scratch.WriteByte(1);
            scratch.WriteOpaque(parent.EncryptionKey);
            scratch.WriteOpaque(parent.ParentHash);
            scratch.WriteUInt32Vector(unmergedLeaves);
        }

        scratch.WriteOpaque(left);
        scratch.WriteOpaque(right);
        return suite.Hash(scratch.WrittenSpan);
    }

    /// <summary>Of a subtree that is blank throughout: the hash depends on which leaves they are.</summary>
    /// <param name="scratch">Overwritten.</param>
    public static byte[] OfBlank(MlsCipherSuite suite, TlsWriter scratch, uint firstLeaf, int level)
    {
        if (level == 0)
        {
            return OfLeaf(suite, scratch, firstLeaf, leaf: null);
        }

        var left = OfBlank(suite, scratch, firstLeaf, level - 1);
        var right = OfBlank(suite, scratch, firstLeaf + (1u << (level - 1)), level - 1);
        return OfParent(suite, scratch, parent: null, [], left, right);
    }

    /// <summary>What a node's parent_hash field says of the parent above it.</summary>
    /// <param name="scratch">Overwritten.</param>
    /// <param name="originalSiblingTreeHash">Of the parent's other child, without the parent's unmerged leaves.</param>
    public static byte[] ParentHash(
        MlsCipherSuite suite, TlsWriter scratch, ParentNode parent, ReadOnlySpan<byte> originalSiblingTreeHash)
    {
        scratch.Clear();
        scratch.WriteOpaque(parent.EncryptionKey);
        scratch.WriteOpaque(parent.ParentHash);
        scratch.WriteOpaque(originalSiblingTreeHash);
        return suite.Hash(scratch.WrittenSpan);
    }
}

namespace ChatPay.Core.Mls;


/// <summary>An inner node of the ratchet tree, RFC 9420 section 7.1.</summary>
public sealed class ParentNode : ITlsStructure<ParentNode>
{
    public required byte[] EncryptionKey { get; init; }

    public required byte[] ParentHash { get; init; }

    /// <summary>Leaves below that do not know this node's private key, ascending.</summary>
    public required uint[] UnmergedLeaves { get; init; }

    public static ParentNode Read(ref TlsReader reader) => new()
    {
        EncryptionKey = reader.ReadOpaque(),
        ParentHash = reader.ReadOpaque(),
        UnmergedLeaves = reader.ReadUInt32Vector(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteOpaque(EncryptionKey);
        writer.WriteOpaque(ParentHash);
        writer.WriteUInt32Vector(UnmergedLeaves);
    }

    /// <summary>The same node with one unmerged leaf more, kept in order.</summary>
    internal ParentNode WithUnmerged(uint leaf)
    {
        var at = ~UnmergedLeaves.AsSpan().BinarySearch(leaf);
        return new ParentNode
        {
            EncryptionKey = EncryptionKey,
            ParentHash = ParentHash,
            UnmergedLeaves = [.. UnmergedLeaves.AsSpan(0, at), leaf, .. UnmergedLeaves.AsSpan(at)],
        };
    }
}

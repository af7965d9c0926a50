namespace ChatPay.Core.Mls;


/// <summary>New keys from a committer's leaf to the root, RFC 9420 section 7.6.</summary>
public sealed class UpdatePath : ITlsStructure<UpdatePath>
{
    public required LeafNode LeafNode { get; init; }

    public required IReadOnlyList<UpdatePathNode> Nodes { get; init; }

    public static UpdatePath Read(ref TlsReader reader) => new()
    {
        LeafNode = LeafNode.Read(ref reader),
        Nodes = reader.ReadVector<UpdatePathNode>(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        LeafNode.Write(writer);
        writer.WriteVector(Nodes);
    }
}

/// <summary>One parent's new key, and its path secret for each node of the copath's resolution.</summary>
public sealed class UpdatePathNode : ITlsStructure<UpdatePathNode>
{
    public required byte[] EncryptionKey { get; init; }

    public required IReadOnlyList<HpkeCiphertext> EncryptedPathSecret { get; init; }

    public static UpdatePathNode Read(ref TlsReader reader) => new()
    {
        EncryptionKey = reader.ReadOpaque(),
        EncryptedPathSecret = reader.ReadVector<HpkeCiphertext>(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteOpaque(EncryptionKey);
        writer.WriteVector(EncryptedPathSecret);
    }
}

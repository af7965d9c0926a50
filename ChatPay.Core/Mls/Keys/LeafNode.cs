namespace ChatPay.Core.Mls;


/// <summary>A member's public state in the ratchet tree, RFC 9420 section 7.2.</summary>
public sealed class LeafNode : ITlsStructure<LeafNode>
{
    public required byte[] EncryptionKey { get; init; }

    public required byte[] SignatureKey { get; init; }

    public required Credential Credential { get; init; }

    public required Capabilities Capabilities { get; init; }

    public required LeafNodeSource Source { get; init; }

    /// <summary>Present exactly where <see cref="Source"/> is a key package.</summary>
    public Lifetime? Lifetime { get; init; }

    /// <summary>Present exactly where <see cref="Source"/> is a commit.</summary>
    public byte[]? ParentHash { get; init; }

    public required IReadOnlyList<Extension> Extensions { get; init; }

    public required byte[] Signature { get; init; }

    public static LeafNode Read(ref TlsReader reader)
    {
        var encryptionKey = reader.ReadOpaque();
        var signatureKey = reader.ReadOpaque();
        var credential = Credential.Read(ref reader);
        var capabilities = Capabilities.Read(ref reader);
        var source = (LeafNodeSource)reader.ReadByte();
        Lifetime? lifetime = null;
        byte[]? parentHash = null;
        switch (source)
        {
            case LeafNodeSource.KeyPackage:
                lifetime = Lifetime.Read(ref reader);
                break;
            case LeafNodeSource.Update:
                break;
            case LeafNodeSource.Commit:
                parentHash = reader.ReadOpaque();
                break;
            default:
                reader.Fail(MlsRejection.UnknownLeafNodeSource);
                break;
        }

        return new LeafNode
        {
            EncryptionKey = encryptionKey,
            SignatureKey = signatureKey,
            Credential = credential,
            Capabilities = capabilities,
            Source = source,
            Lifetime = lifetime,
            ParentHash = parentHash,
            Extensions = reader.ReadVector<Extension>(),
            Signature = reader.ReadOpaque(),
        };
    }

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        WriteUnsigned(writer);
        writer.WriteOpaque(Signature);
    }

    /// <summary>
    /// What the signature is over, LeafNodeTBS of section 7.2: for a leaf from an update or a commit it also names the
    /// group and the leaf's place, so that it cannot be carried elsewhere.
    /// </summary>
    /// <param name="groupId">Ignored for a leaf of a key package.</param>
    /// <param name="leafIndex">Ignored for a leaf of a key package.</param>
    public byte[] EncodeToBeSigned(ReadOnlySpan<byte> groupId, uint leafIndex)
    {
        var writer = new TlsWriter();
        WriteUnsigned(writer);
        if (Source != LeafNodeSource.KeyPackage)
        {
            writer.WriteOpaque(groupId);
            writer.WriteUInt32(leafIndex);
        }

        return writer.ToArray();
    }

    private void WriteUnsigned(TlsWriter writer)
    {
        writer.WriteOpaque(EncryptionKey);
        writer.WriteOpaque(SignatureKey);
        Credential.Write(writer);
        Capabilities.Write(writer);
        writer.WriteByte((byte)Source);
        Lifetime?.Write(writer);
        if (ParentHash is not null)
        {
            writer.WriteOpaque(ParentHash);
        }

        writer.WriteVector(Extensions);
    }
}

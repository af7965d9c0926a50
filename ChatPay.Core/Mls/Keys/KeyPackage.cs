namespace ChatPay.Core.Mls;


/// <summary>What others need to add a client to a group while it is away, RFC 9420 section 10.</summary>
public sealed class KeyPackage : ITlsStructure<KeyPackage>
{
    public required ushort Version { get; init; }

    public required ushort CipherSuite { get; init; }

    public required byte[] InitKey { get; init; }

    public required LeafNode LeafNode { get; init; }

    public required IReadOnlyList<Extension> Extensions { get; init; }

    public required byte[] Signature { get; init; }

    public static KeyPackage Read(ref TlsReader reader) => new()
    {
        Version = reader.ReadUInt16(),
        CipherSuite = reader.ReadUInt16(),
        InitKey = reader.ReadOpaque(),
        LeafNode = LeafNode.Read(ref reader),
        Extensions = reader.ReadVector<Extension>(),
        Signature = reader.ReadOpaque(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        WriteUnsigned(writer);
        writer.WriteOpaque(Signature);
    }

    /// <summary>What the signature is over, KeyPackageTBS.</summary>
    public byte[] EncodeToBeSigned()
    {
        var writer = new TlsWriter();
        WriteUnsigned(writer);
        return writer.ToArray();
    }

    private void WriteUnsigned(TlsWriter writer)
    {
        writer.WriteUInt16(Version);
        writer.WriteUInt16(CipherSuite);
        writer.WriteOpaque(InitKey);
        LeafNode.Write(writer);
        writer.WriteVector(Extensions);
    }
}

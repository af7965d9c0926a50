namespace ChatPay.Core.Mls;


/// <summary>An epoch's public state, signed by a member, for those who join; RFC 9420 section 12.4.3.</summary>
public sealed class GroupInfo : ITlsStructure<GroupInfo>
{
    public required GroupContext Context { get; init; }

    public required IReadOnlyList<Extension> Extensions { get; init; }

    public required byte[] ConfirmationTag { get; init; }

    /// <summary>Leaf index of the member that signed.</summary>
    public required uint Signer { get; init; }

    public required byte[] Signature { get; init; }

    public static GroupInfo Read(ref TlsReader reader) => new()
    {
        Context = GroupContext.Read(ref reader),
        Extensions = reader.ReadVector<Extension>(),
        ConfirmationTag = reader.ReadOpaque(),
        Signer = reader.ReadUInt32(),
        Signature = reader.ReadOpaque(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        WriteUnsigned(writer);
        writer.WriteOpaque(Signature);
    }

    /// <summary>What the signature is over, GroupInfoTBS.</summary>
    public byte[] EncodeToBeSigned()
    {
        var writer = new TlsWriter();
        WriteUnsigned(writer);
        return writer.ToArray();
    }

    private void WriteUnsigned(TlsWriter writer)
    {
        Context.Write(writer);
        writer.WriteVector(Extensions);
        writer.WriteOpaque(ConfirmationTag);
        writer.WriteUInt32(Signer);
    }
}

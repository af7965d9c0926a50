namespace ChatPay.Core.Mls;


/// <summary>What all members of an epoch agree on, RFC 9420 section 8.1.</summary>
public sealed class GroupContext : ITlsStructure<GroupContext>
{
    public required ushort Version { get; init; }

    public required ushort CipherSuite { get; init; }

    public required byte[] GroupId { get; init; }

    public required ulong Epoch { get; init; }

    public required byte[] TreeHash { get; init; }

    public required byte[] ConfirmedTranscriptHash { get; init; }

    public required IReadOnlyList<Extension> Extensions { get; init; }

    public static GroupContext Read(ref TlsReader reader) => new()
    {
        Version = reader.ReadUInt16(),
        CipherSuite = reader.ReadUInt16(),
        GroupId = reader.ReadOpaque(),
        Epoch = reader.ReadUInt64(),
        TreeHash = reader.ReadOpaque(),
        ConfirmedTranscriptHash = reader.ReadOpaque(),
        Extensions = reader.ReadVector<Extension>(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteUInt16(Version);
        writer.WriteUInt16(CipherSuite);
        writer.WriteOpaque(GroupId);
        writer.WriteUInt64(Epoch);
        writer.WriteOpaque(TreeHash);
        writer.WriteOpaque(ConfirmedTranscriptHash);
        writer.WriteVector(Extensions);
    }
}

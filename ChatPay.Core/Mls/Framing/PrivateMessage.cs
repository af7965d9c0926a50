namespace ChatPay.Core.Mls;


/// <summary>An encrypted message, RFC 9420 section 6.3; what stands before the ciphertext is all its carrier sees.</summary>
public sealed class PrivateMessage : ITlsStructure<PrivateMessage>
{
    public required byte[] GroupId { get; init; }

    public required ulong Epoch { get; init; }

    public required ContentType ContentType { get; init; }

    public required byte[] AuthenticatedData { get; init; }

    public required byte[] EncryptedSenderData { get; init; }

    public required byte[] Ciphertext { get; init; }

    public static PrivateMessage Read(ref TlsReader reader) => new()
    {
        GroupId = reader.ReadOpaque(),
        Epoch = reader.ReadUInt64(),
        ContentType = ReadContentType(ref reader),
        AuthenticatedData = reader.ReadOpaque(),
        EncryptedSenderData = reader.ReadOpaque(),
        Ciphertext = reader.ReadOpaque(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteOpaque(GroupId);
        writer.WriteUInt64(Epoch);
        writer.WriteByte((byte)ContentType);
        writer.WriteOpaque(AuthenticatedData);
        writer.WriteOpaque(EncryptedSenderData);
        writer.WriteOpaque(Ciphertext);
    }

    internal static ContentType ReadContentType(ref TlsReader reader)
    {
        var type = (ContentType)reader.ReadByte();
        return type is ContentType.Application or ContentType.Proposal or ContentType.Commit
            ? type : reader.Fail<ContentType>(MlsRejection.UnknownContentType);
    }
}

namespace ChatPay.Core.Mls;


/// <summary>A message that is signed and readable by whoever carries it, RFC 9420 section 6.2.</summary>
public sealed class PublicMessage : ITlsStructure<PublicMessage>
{
    public required FramedContent Content { get; init; }

    public required byte[] Signature { get; init; }

    /// <summary>Present exactly where the content is a commit.</summary>
    public byte[]? ConfirmationTag { get; init; }

    /// <summary>Present exactly where the sender is a member.</summary>
    public byte[]? MembershipTag { get; init; }

    public static PublicMessage Read(ref TlsReader reader)
    {
        var content = FramedContent.Read(ref reader);
        return new PublicMessage
        {
            Content = content,
            Signature = reader.ReadOpaque(),
            ConfirmationTag = content.ContentType == ContentType.Commit ? reader.ReadOpaque() : null,
            MembershipTag = content.Sender.Type == SenderType.Member ? reader.ReadOpaque() : null,
        };
    }

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Content.Write(writer);
        writer.WriteOpaque(Signature);
        if (ConfirmationTag is not null)
        {
            writer.WriteOpaque(ConfirmationTag);
        }

        if (MembershipTag is not null)
        {
            writer.WriteOpaque(MembershipTag);
        }
    }
}

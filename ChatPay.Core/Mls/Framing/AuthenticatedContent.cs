using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// A message's content with what authenticates its sender, RFC 9420 section 6: what is signed, hashed into the transcript
/// and named by proposal references, whichever way it travels.
/// </summary>
internal sealed class AuthenticatedContent : ITlsStructure<AuthenticatedContent>
{
    internal const string Label = "FramedContentTBS";

    /// <summary>How the message travels, which the signature covers.</summary>
    public required WireFormat WireFormat { get; init; }

    public required FramedContent Content { get; init; }

    public required byte[] Signature { get; init; }

    /// <summary>Present exactly where the content is a commit.</summary>
    public byte[]? ConfirmationTag { get; init; }

    public static AuthenticatedContent Read(ref TlsReader reader)
    {
        var wireFormat = (WireFormat)reader.ReadUInt16();
        if (wireFormat is not (WireFormat.PublicMessage or WireFormat.PrivateMessage))
        {
            reader.Fail(MlsRejection.UnknownWireFormat);
        }

        var content = FramedContent.Read(ref reader);
        return new AuthenticatedContent
        {
            WireFormat = wireFormat,
            Content = content,
            Signature = reader.ReadOpaque(),
            ConfirmationTag = content.ContentType == ContentType.Commit ? reader.ReadOpaque() : null,
        };
    }

    /// <summary>Signs content, section 6.1.</summary>
    /// <param name="groupContext">
    /// The GroupContext of the content's epoch, encoded. It is signed where the sender is a member or joins by a commit, and
    /// ignored where the sender proposes from outside.
    /// </param>
    /// <returns>Without a confirmation tag, because a commit's tag follows from its signature.</returns>
    public static AuthenticatedContent Sign(
        MlsCipherSuite suite, WireFormat wireFormat, FramedContent content, ReadOnlySpan<byte> groupContext, Key key)
    {
        var writer = new TlsWriter(1024);
        WriteToBeSigned(writer, wireFormat, content, groupContext);
        return new AuthenticatedContent
        {
            WireFormat = wireFormat,
            Content = content,
            Signature = suite.SignWithLabel(key, Label, writer.WrittenSpan),
        };
    }

    /// <summary>Whether the signature is the given key's.</summary>
    public bool VerifySignature(
        MlsCipherSuite suite, ReadOnlySpan<byte> groupContext, ReadOnlySpan<byte> signatureKey)
    {
        var writer = new TlsWriter(1024);
        WriteToBeSigned(writer, WireFormat, Content, groupContext);
        return suite.VerifyWithLabel(signatureKey, Label, writer.WrittenSpan, Signature);
    }

    /// <summary>A commit's content with the tag that its new epoch gave.</summary>
    public AuthenticatedContent WithConfirmationTag(byte[] confirmationTag) => new()
    {
        WireFormat = WireFormat,
        Content = Content,
        Signature = Signature,
        ConfirmationTag = confirmationTag,
    };

    /// <summary>As it travels in public.</summary>
    /// <param name="membershipTag">
    /// Of <see cref="MessageProtection.ToPublic"/> where the sender is a member; null where it is none.
    /// </param>
    public PublicMessage ToPublicMessage(byte[]? membershipTag = null) => new()
    {
        Content = Content,
        Signature = Signature,
        ConfirmationTag = ConfirmationTag,
        MembershipTag = membershipTag,
    };

    public void Write(TlsWriter writer)
    {
        writer.WriteUInt16((ushort)WireFormat);
        Content.Write(writer);
        WriteAuth(writer, Signature, ConfirmationTag);
    }

    /// <summary>FramedContentTBS.</summary>
    internal static void WriteToBeSigned(
        TlsWriter writer, WireFormat wireFormat, FramedContent content, ReadOnlySpan<byte> groupContext)
    {
        writer.WriteUInt16(ProtocolVersion.Mls10);
        writer.WriteUInt16((ushort)wireFormat);
        content.Write(writer);
        if (content.Sender.Type is SenderType.Member or SenderType.NewMemberCommit)
        {
            writer.WriteFixed(groupContext);
        }
    }

    /// <summary>FramedContentAuthData.</summary>
    internal static void WriteAuth(TlsWriter writer, ReadOnlySpan<byte> signature, byte[]? confirmationTag)
    {
        writer.WriteOpaque(signature);
        if (confirmationTag is not null)
        {
            writer.WriteOpaque(confirmationTag);
        }
    }
}

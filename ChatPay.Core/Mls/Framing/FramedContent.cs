namespace ChatPay.Core.Mls;


/// <summary>
/// What a message says and in which epoch, RFC 9420 section 6. Of <see cref="ApplicationData"/>, <see cref="Proposal"/>
/// and <see cref="Commit"/> the one is present that <see cref="ContentType"/> names.
/// </summary>
public sealed class FramedContent : ITlsStructure<FramedContent>
{
    public required byte[] GroupId { get; init; }

    public required ulong Epoch { get; init; }

    public required Sender Sender { get; init; }

    public required byte[] AuthenticatedData { get; init; }

    public required ContentType ContentType { get; init; }

    public byte[]? ApplicationData { get; init; }

    public Proposal? Proposal { get; init; }

    public Commit? Commit { get; init; }

    public static FramedContent Read(ref TlsReader reader)
    {
        var groupId = reader.ReadOpaque();
        var epoch = reader.ReadUInt64();
        var sender = Sender.Read(ref reader);
        var authenticatedData = reader.ReadOpaque();
        return ReadBody(
            ref reader, groupId, epoch, sender, authenticatedData, (ContentType)reader.ReadByte());
    }

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteOpaque(GroupId);
        writer.WriteUInt64(Epoch);
        Sender.Write(writer);
        writer.WriteOpaque(AuthenticatedData);
        writer.WriteByte((byte)ContentType);
        WriteBody(writer);
    }

    /// <summary>Reads what the content type selects, where what comes before it was told otherwise.</summary>
    internal static FramedContent ReadBody(
        ref TlsReader reader, byte[] groupId, ulong epoch, Sender sender, byte[] authenticatedData,
        ContentType contentType)
    {
        byte[]? applicationData = null;
        Proposal? proposal = null;
        Commit? commit = null;
        switch (contentType)
        {
            case ContentType.Application:
                applicationData = reader.ReadOpaque();
                break;
            case ContentType.Proposal:
                proposal = Proposal.Read(ref reader);
                break;
            case ContentType.Commit:
                commit = Commit.Read(ref reader);
                break;
            default:
                reader.Fail(MlsRejection.UnknownContentType);
                break;
        }

        return new FramedContent
        {
            GroupId = groupId,
            Epoch = epoch,
            Sender = sender,
            AuthenticatedData = authenticatedData,
            ContentType = contentType,
            ApplicationData = applicationData,
            Proposal = proposal,
            Commit = commit,
        };
    }

    /// <summary>Writes what the content type selects.</summary>
    internal void WriteBody(TlsWriter writer)
    {
        if (ApplicationData is not null)
        {
            writer.WriteOpaque(ApplicationData);
        }

        Proposal?.Write(writer);
        Commit?.Write(writer);
    }
}

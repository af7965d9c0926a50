namespace ChatPay.Core.Mls;

/// <summary>The running hashes over all commits of a group, RFC 9420 section 8.2.</summary>
internal static class TranscriptHashes
{
    /// <summary>The confirmed hash that a commit leads to: it covers the commit up to its signature.</summary>
    /// <param name="interimBefore">Interim hash of the epoch that the commit ends; empty before a group's first.</param>
    /// <exception cref="ArgumentException">The content is no commit.</exception>
    public static byte[] Confirmed(
        MlsCipherSuite suite, ReadOnlySpan<byte> interimBefore, WireFormat wireFormat, FramedContent content,
        ReadOnlySpan<byte> signature)
    {
        if (content.ContentType != ContentType.Commit)
        {
            throw new ArgumentException("Only commits enter the transcript.", nameof(content));
        }

        var writer = new TlsWriter(1024);
        writer.WriteFixed(interimBefore);
        writer.WriteUInt16((ushort)wireFormat);
        content.Write(writer);
        writer.WriteOpaque(signature);
        return suite.Hash(writer.WrittenSpan);
    }

    /// <inheritdoc cref="Confirmed(MlsCipherSuite, ReadOnlySpan{byte}, WireFormat, FramedContent, ReadOnlySpan{byte})"/>
    public static byte[] Confirmed(MlsCipherSuite suite, ReadOnlySpan<byte> interimBefore, AuthenticatedContent commit) =>
        Confirmed(suite, interimBefore, commit.WireFormat, commit.Content, commit.Signature);

    /// <summary>The interim hash of an epoch: it covers the confirmed one and the tag that confirmed it.</summary>
    public static byte[] Interim(
        MlsCipherSuite suite, ReadOnlySpan<byte> confirmed, ReadOnlySpan<byte> confirmationTag)
    {
        var writer = new TlsWriter();
        writer.WriteFixed(confirmed);
        writer.WriteOpaque(confirmationTag);
        return suite.Hash(writer.WrittenSpan);
    }
}

using System.Text;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>Labelled signatures and references, sections 5.1.2 and 5.2.</summary>
public sealed partial class MlsCipherSuite
{
    private const string LabelPrefix = "MLS 1.0 ";

    /// <summary>SignWithLabel, section 5.1.2.</summary>
    public byte[] SignWithLabel(Key key, string label, ReadOnlySpan<byte> content)
    {
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], LabelledSize(LabelPrefix, label, content));
        WriteLabelled(scratch.Span, LabelPrefix, label, content);
        return SignatureAlgorithm.Sign(key, scratch.Span);
    }

    /// <summary>VerifyWithLabel, section 5.1.2; false too where the key is none.</summary>
    public bool VerifyWithLabel(
        ReadOnlySpan<byte> publicKey, string label, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], LabelledSize(LabelPrefix, label, content));
        WriteLabelled(scratch.Span, LabelPrefix, label, content);
        return SignatureAlgorithm.Verify(publicKey, scratch.Span, signature);
    }

    /// <summary>RefHash, section 5.2; the label is the whole one, "MLS 1.0 " included.</summary>
    public byte[] RefHash(string label, ReadOnlySpan<byte> value)
    {
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], LabelledSize("", label, value));
        WriteLabelled(scratch.Span, "", label, value);
        return Hash(scratch.Span);
    }

    /// <summary>KeyPackageRef, section 5.2: what a Welcome names a key package by.</summary>
    public byte[] KeyPackageRef(KeyPackage keyPackage) =>
        RefHash("MLS 1.0 KeyPackage Reference", TlsCodec.Encode(keyPackage));

    /// <summary>ProposalRef, section 5.2: what a commit names a proposal by.</summary>
    /// <param name="authenticatedContent">The encoded AuthenticatedContent that carried the proposal.</param>
    internal byte[] ProposalRef(ReadOnlySpan<byte> authenticatedContent) =>
        RefHash("MLS 1.0 Proposal Reference", authenticatedContent);

    /// <summary>Size of <c>opaque label&lt;V&gt;; opaque content&lt;V&gt;;</c>, the form of every labelled input.</summary>
    private static int LabelledSize(string prefix, string label, ReadOnlySpan<byte> content)
    {
        var labelBytes = prefix.Length + label.Length;
        return TlsWriter.LengthSize(labelBytes) + labelBytes + TlsWriter.LengthSize(content.Length) + content.Length;
    }

    private static void WriteLabelled(Span<byte> target, string prefix, string label, ReadOnlySpan<byte> content)
    {
        var labelBytes = prefix.Length + label.Length;
        target = TlsWriter.PutLength(target, labelBytes);
        target = target[Encoding.ASCII.GetBytes(prefix, target)..];
        target = target[Encoding.ASCII.GetBytes(label, target)..];
        target = TlsWriter.PutLength(target, content.Length);
        content.CopyTo(target);
    }
}

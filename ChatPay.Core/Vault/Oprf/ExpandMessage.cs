using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// expand_message_xmd with SHA-512, RFC 9380 section 5.3.1, for the one length that ristretto255 needs: 64 bytes, which
/// are one block of the hash.
/// </summary>
internal static class ExpandMessage
{
    private const int BlockSize = 128;
    private const int HashSize = SHA512.HashSizeInBytes;

    /// <param name="message">What is hashed.</param>
    /// <param name="domain">The domain separation tag, at most 255 bytes.</param>
    /// <param name="uniform">64 bytes that look random.</param>
    public static void Xmd(ReadOnlySpan<byte> message, ReadOnlySpan<byte> domain, Span<byte> uniform)
    {
        var tag = checked((byte)domain.Length);
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], BlockSize + message.Length + 3 + domain.Length + 1);
        scratch.Span[..BlockSize].Clear();
        var first = new ByteScript(scratch.Span[BlockSize..]);
        first.Add(message);
        first.AddUInt16(HashSize);
        first.Add((byte)0);
        first.Add(domain);
        first.Add(tag);
        Span<byte> hash = stackalloc byte[HashSize];
        SHA512.HashData(scratch.Span, hash);

        var second = new ByteScript(scratch.Span);
        second.Add(hash);
        second.Add((byte)1);
        second.Add(domain);
        second.Add(tag);
        SHA512.HashData(second.Written, uniform);
        CryptographicOperations.ZeroMemory(hash);
    }
}

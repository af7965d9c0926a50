using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// Who sent a PrivateMessage and with which key, RFC 9420 section 6.3.2, encrypted under a key that follows from the epoch
/// and the first bytes of the message's ciphertext.
/// </summary>
/// <param name="ReuseGuard">Four random bytes that are XORed into the nonce, in case a generation is used again.</param>
internal readonly record struct SenderData(uint Leaf, uint Generation, uint ReuseGuard)
{
    /// <summary>Size of the plaintext.</summary>
    public const int SizeBytes = 12;

    /// <summary>Key and nonce for the sender data of a message with this ciphertext.</summary>
    public static void DeriveKey(
        MlsCipherSuite suite, ReadOnlySpan<byte> senderDataSecret, ReadOnlySpan<byte> ciphertext, Span<byte> key,
        Span<byte> nonce)
    {
        var sample = ciphertext[..Math.Min(ciphertext.Length, suite.HashSize)];
        suite.ExpandWithLabel(senderDataSecret, "key", sample, key);
        suite.ExpandWithLabel(senderDataSecret, "nonce", sample, nonce);
    }

    /// <summary>Encrypts into exactly as many bytes as that takes: <see cref="SizeBytes"/> and the suite's tag.</summary>
    /// <param name="associatedData">SenderDataAAD: the message's first three fields.</param>
    public void Seal(
        MlsCipherSuite suite, ReadOnlySpan<byte> senderDataSecret, ReadOnlySpan<byte> ciphertext,
        ReadOnlySpan<byte> associatedData, Span<byte> encrypted)
    {
        Span<byte> plaintext = stackalloc byte[SizeBytes];
        BinaryPrimitives.WriteUInt32BigEndian(plaintext, Leaf);
        BinaryPrimitives.WriteUInt32BigEndian(plaintext[4..], Generation);
        BinaryPrimitives.WriteUInt32BigEndian(plaintext[8..], ReuseGuard);
        Span<byte> key = stackalloc byte[suite.KeySize];
        Span<byte> nonce = stackalloc byte[suite.NonceSize];
        DeriveKey(suite, senderDataSecret, ciphertext, key, nonce);
        suite.Seal(key, nonce, associatedData, plaintext, encrypted);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <returns>False for anything that no member of this epoch encrypted for this ciphertext.</returns>
    public static bool TryOpen(
        MlsCipherSuite suite, ReadOnlySpan<byte> senderDataSecret, ReadOnlySpan<byte> ciphertext,
        ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> encrypted, out SenderData senderData)
    {
        senderData = default;
        if (encrypted.Length != SizeBytes + suite.TagSize)
        {
            return false;
        }

        Span<byte> plaintext = stackalloc byte[SizeBytes];
        Span<byte> key = stackalloc byte[suite.KeySize];
        Span<byte> nonce = stackalloc byte[suite.NonceSize];
        DeriveKey(suite, senderDataSecret, ciphertext, key, nonce);
        var opened = suite.TryOpen(key, nonce, associatedData, encrypted, plaintext);
        CryptographicOperations.ZeroMemory(key);
        if (opened)
        {
            senderData = new SenderData(
                BinaryPrimitives.ReadUInt32BigEndian(plaintext),
                BinaryPrimitives.ReadUInt32BigEndian(plaintext[4..]),
                BinaryPrimitives.ReadUInt32BigEndian(plaintext[8..]));
        }

        return opened;
    }

    /// <summary>XORs the reuse guard into the first four bytes of the key schedule's nonce, section 6.3.1.</summary>
    public void GuardNonce(Span<byte> nonce) =>
        BinaryPrimitives.WriteUInt32BigEndian(nonce, BinaryPrimitives.ReadUInt32BigEndian(nonce) ^ ReuseGuard);
}

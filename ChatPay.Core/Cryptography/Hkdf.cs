using System.Security.Cryptography;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// HKDF, with SHA-256, SHA-384 or SHA-512.
///
/// Reference: RFC 5869; HMAC is the base class library's. Its own HKDF makes an object for each call, which derivations
/// per message feel, and takes no pseudorandom key shorter than the hash.
/// Sizes: secret, salt and info of any length; a pseudorandom key as long as the hash; output up to 255 times the hash.
/// </summary>
public sealed class Hkdf : KeyDerivationAlgorithm
{
    private const int LargestHashBytes = 64;

    private readonly HashAlgorithmName _hash;

    internal Hkdf(HashAlgorithmName hash, int hashSizeBytes)
    {
        _hash = hash;
        PseudorandomKeySize = hashSizeBytes;
    }

    /// <summary>Size in bytes of what <see cref="Extract"/> gives: the hash's.</summary>
    public int PseudorandomKeySize { get; }

    public override int MaxCount => 255 * PseudorandomKeySize;

    public override void DeriveBytes(
        ReadOnlySpan<byte> secret, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> bytes)
    {
        Span<byte> pseudorandomKey = stackalloc byte[LargestHashBytes];
        pseudorandomKey = pseudorandomKey[..PseudorandomKeySize];
        Extract(secret, salt, pseudorandomKey);
        Expand(pseudorandomKey, info, bytes);
        CryptographicOperations.ZeroMemory(pseudorandomKey);
    }

    /// <summary>Section 2.2: gathers what is random in the secret into one key.</summary>
    /// <exception cref="ArgumentException"><paramref name="pseudorandomKey"/> has another size than the hash.</exception>
    public void Extract(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> salt, Span<byte> pseudorandomKey)
    {
        if (pseudorandomKey.Length != PseudorandomKeySize)
        {
            throw new ArgumentException(
                $"A pseudorandom key has {PseudorandomKeySize} bytes.", nameof(pseudorandomKey));
        }

        CryptographicOperations.HmacData(_hash, salt, secret, pseudorandomKey);
    }

    /// <summary>
    /// Section 2.3. The output may take the place of the pseudorandom key where it is no longer than the hash.
    /// </summary>
    /// <exception cref="ArgumentException">More than <see cref="KeyDerivationAlgorithm.MaxCount"/> bytes.</exception>
    public void Expand(ReadOnlySpan<byte> pseudorandomKey, ReadOnlySpan<byte> info, Span<byte> bytes)
    {
        if (bytes.Length > MaxCount)
        {
            throw new ArgumentException($"Derives at most {MaxCount} bytes.", nameof(bytes));
        }

        // Each block is the HMAC of the block before it (the first has none), the info and its number.
        var blockSize = PseudorandomKeySize;
        using var scratch = new ScratchBuffer(stackalloc byte[ScratchBuffer.StackBytes], (2 * blockSize) + info.Length + 1);
        var block = scratch.Span[..blockSize];
        var message = scratch.Span[blockSize..];
        info.CopyTo(message[blockSize..]);
        for (var number = 1; !bytes.IsEmpty; number++)
        {
            message[^1] = (byte)number;
            CryptographicOperations.HmacData(_hash, pseudorandomKey, number == 1 ? message[blockSize..] : message, block);
            block.CopyTo(message);
            var count = Math.Min(blockSize, bytes.Length);
            block[..count].CopyTo(bytes);
            bytes = bytes[count..];
        }
    }
}

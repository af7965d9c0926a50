using System.Security.Cryptography;

namespace ChatPay.Core.Cryptography;

/// <summary>An algorithm that makes keys out of secrets that are long but not uniformly random.</summary>
public abstract class KeyDerivationAlgorithm
{
    private protected KeyDerivationAlgorithm()
    {
    }

    public static Hkdf HkdfSha256 { get; } = new(HashAlgorithmName.SHA256, 32);

    public static Hkdf HkdfSha384 { get; } = new(HashAlgorithmName.SHA384, 48);

    public static Hkdf HkdfSha512 { get; } = new(HashAlgorithmName.SHA512, 64);

    /// <summary>Most bytes that one derivation gives.</summary>
    public abstract int MaxCount { get; }

    /// <summary>Fills <paramref name="bytes"/> from a key agreement's outcome.</summary>
    /// <exception cref="ArgumentException">More than <see cref="MaxCount"/> bytes are asked for.</exception>
    /// <exception cref="ObjectDisposedException">The secret is disposed.</exception>
    public void DeriveBytes(
        SharedSecret sharedSecret, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(sharedSecret);
        DeriveBytes(sharedSecret.Bytes, salt, info, bytes);
        GC.KeepAlive(sharedSecret);
    }

    /// <summary>Fills <paramref name="bytes"/> from a secret, which the caller zeroes.</summary>
    /// <exception cref="ArgumentException">More than <see cref="MaxCount"/> bytes are asked for.</exception>
    public abstract void DeriveBytes(
        ReadOnlySpan<byte> secret, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> bytes);
}

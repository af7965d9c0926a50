using System.Buffers.Binary;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>Hashes, MACs and the derivations of RFC 9420 sections 8 and 9.1.</summary>
public sealed partial class MlsCipherSuite
{
    internal byte[] Hash(ReadOnlySpan<byte> data) => CryptographicOperations.HashData(HashAlgorithm, data);

    /// <param name="digest">Of <see cref="HashSize"/>.</param>
    internal void Hash(ReadOnlySpan<byte> data, Span<byte> digest) =>
        CryptographicOperations.HashData(HashAlgorithm, data, digest);

    internal byte[] Mac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data) =>
        CryptographicOperations.HmacData(HashAlgorithm, key, data);

    /// <summary>Compares in constant time; false too for a tag of another size.</summary>
    internal bool VerifyMac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> tag)
    {
        Span<byte> expected = stackalloc byte[HashSize];
        CryptographicOperations.HmacData(HashAlgorithm, key, data, expected);
        var isEqual = CryptographicOperations.FixedTimeEquals(expected, tag);
        CryptographicOperations.ZeroMemory(expected);
        return isEqual;
    }

    /// <summary>KDF.Extract.</summary>
    /// <param name="output">Of <see cref="HashSize"/>; may take the place of either input.</param>
    internal void Extract(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> ikm, Span<byte> output) =>
        _kdf.Extract(ikm, salt, output);

    /// <summary>KDF.Extract.</summary>
    internal Secret Extract(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> ikm)
    {
        var secret = new Secret(HashSize);
        Extract(salt, ikm, secret.Span);
        return secret;
    }

    /// <summary>ExpandWithLabel, section 8; the label is without "MLS 1.0 ".</summary>
    /// <param name="output">May take the place of the secret where it is no longer than <see cref="HashSize"/>.</param>
    internal void ExpandWithLabel(
        ReadOnlySpan<byte> secret, string label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes],
            sizeof(ushort) + LabelledSize(LabelPrefix, label, context));
        BinaryPrimitives.WriteUInt16BigEndian(scratch.Span, checked((ushort)output.Length));
        WriteLabelled(scratch.Span[sizeof(ushort)..], LabelPrefix, label, context);
        _kdf.Expand(secret, scratch.Span, output);
    }

    /// <summary>DeriveSecret, section 8.</summary>
    internal Secret DeriveSecret(ReadOnlySpan<byte> secret, string label)
    {
        var derived = new Secret(HashSize);
        DeriveSecret(secret, label, derived.Span);
        return derived;
    }

    /// <summary>DeriveSecret, section 8.</summary>
    /// <param name="output">Of <see cref="HashSize"/>; may take the place of the secret.</param>
    internal void DeriveSecret(ReadOnlySpan<byte> secret, string label, Span<byte> output)
    {
        if (output.Length != HashSize)
        {
            throw new ArgumentException($"A derived secret has {HashSize} bytes.", nameof(output));
        }

        ExpandWithLabel(secret, label, [], output);
    }

    /// <summary>DeriveTreeSecret, section 9.1.</summary>
    /// <param name="output">May take the place of the secret where it is no longer than <see cref="HashSize"/>.</param>
    internal void DeriveTreeSecret(ReadOnlySpan<byte> secret, string label, uint generation, Span<byte> output)
    {
        Span<byte> context = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(context, generation);
        ExpandWithLabel(secret, label, context, output);
    }
}

using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Cryptography;

/// <summary>A public key that is one: the right length, canonically encoded, and no point of small order.</summary>
public sealed class PublicKey : IEquatable<PublicKey>
{
    private readonly byte[] _bytes;

    internal PublicKey(Algorithm algorithm, byte[] bytes)
    {
        Algorithm = algorithm;
        _bytes = bytes;
    }

    public Algorithm Algorithm { get; }

    public int Size => _bytes.Length;

    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <exception cref="FormatException">The blob is not a public key of the algorithm.</exception>
    public static PublicKey Import(Algorithm algorithm, ReadOnlySpan<byte> blob, KeyBlobFormat format) =>
        TryImport(algorithm, blob, format, out var key)
            ? key
            : throw new FormatException("The bytes are not a public key of this algorithm.");

    /// <returns>False for bytes that are not a public key of the algorithm.</returns>
    /// <exception cref="ArgumentException">The format or the algorithm has no public keys.</exception>
    public static bool TryImport(
        Algorithm algorithm, ReadOnlySpan<byte> blob, KeyBlobFormat format, [NotNullWhen(true)] out PublicKey? result)
    {
        ArgumentNullException.ThrowIfNull(algorithm);
        if (format != KeyBlobFormat.RawPublicKey)
        {
            throw new ArgumentException("A public key is imported from its raw form.", nameof(format));
        }

        if (algorithm is not KeyPairAlgorithm pairs)
        {
            throw new ArgumentException("This algorithm has no public keys.", nameof(algorithm));
        }

        Sodium.Initialize();
        result = pairs.IsPublicKey(blob)
            ? new PublicKey(algorithm, blob.ToArray())
            : null;
        return result is not null;
    }

    /// <exception cref="ArgumentException">The format is not one of a public key.</exception>
    public byte[] Export(KeyBlobFormat format) => format == KeyBlobFormat.RawPublicKey
        ? _bytes.AsSpan().ToArray()
        : throw new ArgumentException("A public key is exported in its raw form.", nameof(format));

    public bool Equals(PublicKey? other) =>
        other is not null && Algorithm == other.Algorithm && _bytes.AsSpan().SequenceEqual(other._bytes);

    public override bool Equals(object? obj) => Equals(obj as PublicKey);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }
}

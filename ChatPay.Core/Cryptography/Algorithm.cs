namespace ChatPay.Core.Cryptography;

/// <summary>
/// A cryptographic algorithm as a stateless object, in the shapes of NSec.Cryptography, so that NSec can take the place
/// of this namespace: misuse throws, hostile input returns false or null.
/// </summary>
/// <remarks>
/// SHA-2 and HMAC have no class here: the base class library's <c>SHA256.HashData</c> and <c>HMACSHA256.HashData</c> are
/// stateless, check their arguments and allocate nothing already.
/// </remarks>
public abstract class Algorithm
{
    private protected Algorithm()
    {
    }

    /// <summary>The raw form that a secret key of this algorithm is imported from and exported to.</summary>
    internal abstract KeyBlobFormat SecretKeyFormat { get; }

    /// <summary>Size of that raw form in bytes.</summary>
    internal abstract int SecretKeySize { get; }

    /// <summary>Makes a key's in-memory form, and its public key if it has one, from the raw form.</summary>
    internal abstract (SecureMemory Secret, PublicKey? PublicKey) CreateKey(ReadOnlySpan<byte> rawKey);

    /// <summary>The raw form within the in-memory form.</summary>
    internal abstract ReadOnlySpan<byte> RawKey(SecureMemory secret);
}

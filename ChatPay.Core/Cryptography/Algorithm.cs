namespace ChatPay.Core.Cryptography;

/// <summary>
/// A cryptographic algorithm as a stateless object, in the shapes of NSec.Cryptography, so that NSec can take the place
/// of this namespace: misuse throws, hostile input returns false or null.
/// </summary>
public abstract class Algorithm
{
    private protected Algorithm()
    {
    }

    /// <summary>Size of a private key's raw form.</summary>
    public abstract int PrivateKeySize { get; }

    public abstract int PublicKeySize { get; }

    /// <summary>Makes a private key's in-memory form and its public key from the raw form.</summary>
    internal abstract (SecureMemory Secret, PublicKey PublicKey) CreateKey(ReadOnlySpan<byte> rawPrivateKey);

    /// <summary>The raw form within the in-memory form.</summary>
    internal abstract ReadOnlySpan<byte> RawPrivateKey(SecureMemory secret);

    /// <summary>Whether bytes of the right length are a public key of this algorithm.</summary>
    internal abstract bool IsPublicKey(ReadOnlySpan<byte> rawPublicKey);
}

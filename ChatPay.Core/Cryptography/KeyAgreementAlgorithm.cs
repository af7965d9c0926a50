namespace ChatPay.Core.Cryptography;

/// <summary>An algorithm by which one's private and another's public key make a secret that both can compute.</summary>
public abstract class KeyAgreementAlgorithm : KeyPairAlgorithm
{
    private protected KeyAgreementAlgorithm()
    {
    }

    public static X25519 X25519 { get; } = new();

    public abstract int SharedSecretSize { get; }

    /// <returns>Null when the other's key is a point that would make the secret predictable.</returns>
    /// <exception cref="ArgumentException">One of the keys is of another algorithm.</exception>
    /// <exception cref="ObjectDisposedException">The key is disposed.</exception>
    public SharedSecret? Agree(Key key, PublicKey otherPartyPublicKey)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(otherPartyPublicKey);
        if (key.Algorithm != this)
        {
            throw new ArgumentException("The key is of another algorithm.", nameof(key));
        }

        if (otherPartyPublicKey.Algorithm != this)
        {
            throw new ArgumentException("The key is of another algorithm.", nameof(otherPartyPublicKey));
        }

        var secret = SecureMemory.Allocate(SharedSecretSize);
        var agreed = AgreeCore(key.Secret.Span, otherPartyPublicKey.Bytes, secret.Span);
        GC.KeepAlive(key);
        if (agreed)
        {
            return new SharedSecret(secret);
        }

        secret.Dispose();
        return null;
    }

    private protected abstract bool AgreeCore(
        ReadOnlySpan<byte> secret, ReadOnlySpan<byte> otherPartyPublicKey, Span<byte> sharedSecret);
}

namespace ChatPay.Core.Cryptography;

/// <summary>An algorithm whose private keys sign and whose public keys verify.</summary>
public abstract class SignatureAlgorithm : KeyPairAlgorithm
{
    private protected SignatureAlgorithm()
    {
    }

    public static Ed25519 Ed25519 { get; } = new();

    public abstract int SignatureSize { get; }

    /// <exception cref="ArgumentException">The key is of another algorithm.</exception>
    /// <exception cref="ObjectDisposedException">The key is disposed.</exception>
    public byte[] Sign(Key key, ReadOnlySpan<byte> data)
    {
        var signature = new byte[SignatureSize];
        Sign(key, data, signature);
        return signature;
    }

    /// <summary>Fills <paramref name="signature"/>, which has <see cref="SignatureSize"/> bytes.</summary>
    /// <exception cref="ArgumentException">The key is of another algorithm, or the span of another size.</exception>
    /// <exception cref="ObjectDisposedException">The key is disposed.</exception>
    public void Sign(Key key, ReadOnlySpan<byte> data, Span<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Algorithm != this)
        {
            throw new ArgumentException("The key is of another algorithm.", nameof(key));
        }

        if (signature.Length != SignatureSize)
        {
            throw new ArgumentException($"A signature has {SignatureSize} bytes.", nameof(signature));
        }

        SignCore(key.Secret.Span, data, signature);
        GC.KeepAlive(key);
    }

    /// <returns>False for any signature that is not exactly this key's over exactly this data.</returns>
    /// <exception cref="ArgumentException">The key is of another algorithm.</exception>
    public bool Verify(PublicKey publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(publicKey);
        if (publicKey.Algorithm != this)
        {
            throw new ArgumentException("The key is of another algorithm.", nameof(publicKey));
        }

        return signature.Length == SignatureSize && VerifyCore(publicKey.Bytes, data, signature);
    }

    /// <summary>
    /// As the public method, with a key that is used once: its bytes are checked as far as verifying needs, and not as far
    /// as importing does.
    /// </summary>
    internal bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        Sodium.Initialize();
        return publicKey.Length == PublicKeySize && signature.Length == SignatureSize
            && VerifyCore(publicKey, data, signature);
    }

    private protected abstract void SignCore(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> data, Span<byte> signature);

    private protected abstract bool VerifyCore(
        ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);
}

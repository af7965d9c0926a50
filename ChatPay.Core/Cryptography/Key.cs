namespace ChatPay.Core.Cryptography;

/// <summary>
/// A private key in guarded memory, zeroed when disposed. Keys are imported only: this project's core has no randomness of
/// its own, so a new key is an import of random bytes that the caller brings.
/// </summary>
public sealed class Key : IDisposable
{
    private readonly SecureMemory _secret;

    private Key(Algorithm algorithm, KeyExportPolicies exportPolicy, SecureMemory secret, PublicKey publicKey)
    {
        Algorithm = algorithm;
        ExportPolicy = exportPolicy;
        _secret = secret;
        PublicKey = publicKey;
    }

    public Algorithm Algorithm { get; }

    public KeyExportPolicies ExportPolicy { get; }

    public PublicKey PublicKey { get; }

    /// <exception cref="ObjectDisposedException">The key is disposed.</exception>
    internal SecureMemory Secret
    {
        get
        {
            ObjectDisposedException.ThrowIf(_secret.IsClosed, this);
            return _secret;
        }
    }

    /// <summary>Takes a private key from its raw form, which the caller then zeroes.</summary>
    /// <exception cref="FormatException">The blob has another length than the algorithm's private keys.</exception>
    /// <exception cref="ArgumentException">The format is not one of a private key.</exception>
    public static Key Import(
        Algorithm algorithm, ReadOnlySpan<byte> blob, KeyBlobFormat format,
        in KeyCreationParameters creationParameters = default)
    {
        ArgumentNullException.ThrowIfNull(algorithm);
        if (format != KeyBlobFormat.RawPrivateKey)
        {
            throw new ArgumentException("A private key is imported from its raw form.", nameof(format));
        }

        if (blob.Length != algorithm.PrivateKeySize)
        {
            throw new FormatException($"A private key of this algorithm has {algorithm.PrivateKeySize} bytes.");
        }

        Sodium.Initialize();
        var (secret, publicKey) = algorithm.CreateKey(blob);
        return new Key(algorithm, creationParameters.ExportPolicy, secret, publicKey);
    }

    /// <summary>The raw form; the caller zeroes it.</summary>
    /// <exception cref="InvalidOperationException">The export policy forbids it.</exception>
    /// <exception cref="ArgumentException">The format is not one of a key.</exception>
    public byte[] Export(KeyBlobFormat format)
    {
        switch (format)
        {
            case KeyBlobFormat.RawPublicKey:
                return PublicKey.Export(format);
            case KeyBlobFormat.RawPrivateKey:
                break;
            default:
                throw new ArgumentException("A key is exported in a raw form.", nameof(format));
        }

        if (!ExportPolicy.HasFlag(KeyExportPolicies.AllowPlaintextExport))
        {
            throw new InvalidOperationException("This key's policy does not allow its export.");
        }

        var blob = Algorithm.RawPrivateKey(Secret).ToArray();
        GC.KeepAlive(this);
        return blob;
    }

    public void Dispose() => _secret.Dispose();
}

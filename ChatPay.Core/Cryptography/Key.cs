namespace ChatPay.Core.Cryptography;

/// <summary>
/// A private or symmetric key in guarded memory, zeroed when disposed. Keys are imported only: this project's core has no
/// randomness of its own, so a new key is an import of random bytes that the caller brings.
/// </summary>
public sealed class Key : IDisposable
{
    private readonly SecureMemory _secret;
    private readonly PublicKey? _publicKey;

    private Key(Algorithm algorithm, KeyExportPolicies exportPolicy, SecureMemory secret, PublicKey? publicKey)
    {
        Algorithm = algorithm;
        ExportPolicy = exportPolicy;
        _secret = secret;
        _publicKey = publicKey;
    }

    public Algorithm Algorithm { get; }

    public KeyExportPolicies ExportPolicy { get; }

    /// <exception cref="InvalidOperationException">The key is symmetric.</exception>
    public PublicKey PublicKey =>
        _publicKey ?? throw new InvalidOperationException("A symmetric key has no public key.");

    /// <exception cref="ObjectDisposedException">The key is disposed.</exception>
    internal SecureMemory Secret
    {
        get
        {
            ObjectDisposedException.ThrowIf(_secret.IsClosed, this);
            return _secret;
        }
    }

    /// <summary>Takes a key from its raw form, which the caller then zeroes.</summary>
    /// <exception cref="FormatException">The blob has another length than the algorithm's keys.</exception>
    /// <exception cref="ArgumentException">The format is not the raw form of the algorithm's secret keys.</exception>
    public static Key Import(
        Algorithm algorithm, ReadOnlySpan<byte> blob, KeyBlobFormat format,
        in KeyCreationParameters creationParameters = default)
    {
        ArgumentNullException.ThrowIfNull(algorithm);
        if (format != algorithm.SecretKeyFormat)
        {
            throw new ArgumentException(
                $"A key of this algorithm is imported as {algorithm.SecretKeyFormat}.", nameof(format));
        }

        if (blob.Length != algorithm.SecretKeySize)
        {
            throw new FormatException($"A key of this algorithm has {algorithm.SecretKeySize} bytes.");
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
        if (format == KeyBlobFormat.RawPublicKey && _publicKey is not null)
        {
            return _publicKey.Export(format);
        }

        if (format != Algorithm.SecretKeyFormat)
        {
            throw new ArgumentException("A key is exported in a raw form of its algorithm.", nameof(format));
        }

        if (!ExportPolicy.HasFlag(KeyExportPolicies.AllowPlaintextExport))
        {
            throw new InvalidOperationException("This key's policy does not allow its export.");
        }

        var blob = Algorithm.RawKey(Secret).ToArray();
        GC.KeepAlive(this);
        return blob;
    }

    public void Dispose() => _secret.Dispose();
}

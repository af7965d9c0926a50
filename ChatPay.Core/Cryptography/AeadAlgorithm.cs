using System.Security.Cryptography;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// A cipher that also authenticates: whatever was not made with the same key, nonce and associated data does not decrypt.
/// A ciphertext is as long as its plaintext and a tag, which comes last.
/// </summary>
public abstract class AeadAlgorithm : Algorithm
{
    private protected AeadAlgorithm()
    {
    }

    public static Aes128Gcm Aes128Gcm { get; } = new();

    public static Aes256Gcm Aes256Gcm { get; } = new();

    public static ChaCha20Poly1305 ChaCha20Poly1305 { get; } = new();

    /// <summary>Size of a key in bytes.</summary>
    public abstract int KeySize { get; }

    /// <summary>Size of a nonce in bytes; no nonce may serve twice with one key.</summary>
    public int NonceSize { get; } = 12;

    /// <summary>By how many bytes a ciphertext is longer than its plaintext.</summary>
    public int TagSize { get; } = 16;

    internal sealed override KeyBlobFormat SecretKeyFormat => KeyBlobFormat.RawSymmetricKey;

    internal sealed override int SecretKeySize => KeySize;

    internal sealed override (SecureMemory Secret, PublicKey? PublicKey) CreateKey(ReadOnlySpan<byte> rawKey) =>
        (SecureMemory.Copy(rawKey), null);

    internal sealed override ReadOnlySpan<byte> RawKey(SecureMemory secret) => secret.Span;

    /// <returns>The ciphertext with its tag.</returns>
    /// <exception cref="ArgumentException">The key is of another algorithm or the nonce of another size.</exception>
    /// <exception cref="ObjectDisposedException">The key is disposed.</exception>
    public byte[] Encrypt(
        Key key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext)
    {
        var ciphertext = new byte[plaintext.Length + TagSize];
        Encrypt(key, nonce, associatedData, plaintext, ciphertext);
        return ciphertext;
    }

    /// <summary>Fills <paramref name="ciphertext"/>, which is longer than the plaintext by the tag.</summary>
    /// <exception cref="ArgumentException">A key of another algorithm, or a nonce or span of another size.</exception>
    /// <exception cref="ObjectDisposedException">The key is disposed.</exception>
    public void Encrypt(
        Key key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext,
        Span<byte> ciphertext)
    {
        Encrypt(SecretOf(key), nonce, associatedData, plaintext, ciphertext);
        GC.KeepAlive(key);
    }

    /// <returns>Null for whatever was not encrypted with this key, nonce and associated data.</returns>
    /// <exception cref="ArgumentException">The key is of another algorithm or the nonce of another size.</exception>
    /// <exception cref="ObjectDisposedException">The key is disposed.</exception>
    public byte[]? Decrypt(
        Key key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext)
    {
        var plaintext = new byte[Math.Max(0, ciphertext.Length - TagSize)];
        return Decrypt(key, nonce, associatedData, ciphertext, plaintext) ? plaintext : null;
    }

    /// <summary>Fills <paramref name="plaintext"/>, which is shorter than the ciphertext by the tag.</summary>
    /// <returns>False, and zeros, for whatever was not encrypted with this key, nonce and associated data.</returns>
    /// <exception cref="ArgumentException">A key of another algorithm, or a nonce or span of another size.</exception>
    /// <exception cref="ObjectDisposedException">The key is disposed.</exception>
    public bool Decrypt(
        Key key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext,
        Span<byte> plaintext)
    {
        var decrypted = TryDecrypt(SecretOf(key), nonce, associatedData, ciphertext, plaintext);
        GC.KeepAlive(key);
        return decrypted;
    }

    /// <summary>As the public method, with a key that lives too shortly for guarded memory.</summary>
    internal void Encrypt(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
        Check(key, nonce);
        if (ciphertext.Length - TagSize != plaintext.Length)
        {
            throw new ArgumentException("The ciphertext is longer than the plaintext by the tag.", nameof(ciphertext));
        }

        EncryptCore(key, nonce, associatedData, plaintext, ciphertext);
    }

    /// <summary>As the public method, with a key that lives too shortly for guarded memory.</summary>
    internal bool TryDecrypt(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        Check(key, nonce);
        if (plaintext.Length != Math.Max(0, ciphertext.Length - TagSize))
        {
            throw new ArgumentException("The plaintext is shorter than the ciphertext by the tag.", nameof(plaintext));
        }

        if (ciphertext.Length >= TagSize && DecryptCore(key, nonce, associatedData, ciphertext, plaintext))
        {
            return true;
        }

        CryptographicOperations.ZeroMemory(plaintext);
        return false;
    }

    private protected abstract void EncryptCore(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> plaintext, Span<byte> ciphertext);

    private protected abstract bool DecryptCore(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> ciphertext, Span<byte> plaintext);

    private void Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce)
    {
        if (key.Length != KeySize)
        {
            throw new ArgumentException($"A key of this cipher has {KeySize} bytes.", nameof(key));
        }

        if (nonce.Length != NonceSize)
        {
            throw new ArgumentException($"A nonce of this cipher has {NonceSize} bytes.", nameof(nonce));
        }
    }

    private ReadOnlySpan<byte> SecretOf(Key key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Algorithm == this
            ? key.Secret.Span
            : throw new ArgumentException("The key is of another algorithm.", nameof(key));
    }
}

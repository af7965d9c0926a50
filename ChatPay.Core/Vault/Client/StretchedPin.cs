using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// A PIN after Argon2id with the context's salt and parameters: 64 bytes, of which the first half is the input of the
/// oblivious function and the second a part of the key that wraps the root secret. So realms that came together would
/// still have to stretch each PIN that they try.
/// </summary>
/// <remarks>
/// The wrapping key is HMAC-SHA-256, keyed with the second half, of "chatpay vault v1 root" ‖ context digest (32) ‖
/// wrapping scalar (32). The root secret is encrypted with it by AES-256-GCM, nonce zero, because each key encrypts
/// once, and the context digest as associated data: 48 bytes.
/// </remarks>
public sealed class StretchedPin : IDisposable
{
    /// <summary>The root secret's size and the tag's.</summary>
    public const int EncryptedRootSize = VaultLimits.RootSecretBytes + 16;

    private const int HalfBytes = 32;

    private readonly Secret _bytes = new(2 * HalfBytes);

    private StretchedPin()
    {
    }

    internal ReadOnlySpan<byte> AccessKey => _bytes.Span[..HalfBytes];

    private ReadOnlySpan<byte> Seed => _bytes.Span[HalfBytes..];

    private static ReadOnlySpan<byte> Label => "chatpay vault v1 root"u8;

    /// <summary>
    /// Takes as long as the parameters make it, about 100 ms with the default ones: call it where nobody waits.
    /// </summary>
    /// <exception cref="InvalidOperationException">The memory could not be had.</exception>
    public static StretchedPin Derive(Pin pin, VaultContext context)
    {
        ArgumentNullException.ThrowIfNull(pin);
        ArgumentNullException.ThrowIfNull(context);
        Span<byte> salt = stackalloc byte[Argon2id.SaltSize];
        context.Salt(salt);
        var stretched = new StretchedPin();
        try
        {
            context.Parameters.ToArgon2id().DeriveBytes(pin.Bytes, salt, stretched._bytes.Span);
            return stretched;
        }
        catch
        {
            stretched.Dispose();
            throw;
        }
    }

    internal void EncryptRoot(
        VaultContext context, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> root, Span<byte> encryptedRoot)
    {
        var cipher = AeadAlgorithm.Aes256Gcm;
        Span<byte> key = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Span<byte> nonce = stackalloc byte[cipher.NonceSize];
        nonce.Clear();
        DeriveKey(context, scalar, key);
        cipher.Encrypt(key, nonce, context.Digest, root, encryptedRoot);
        CryptographicOperations.ZeroMemory(key);
    }

    internal bool TryDecryptRoot(
        VaultContext context, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> encryptedRoot, Span<byte> root)
    {
        var cipher = AeadAlgorithm.Aes256Gcm;
        Span<byte> key = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Span<byte> nonce = stackalloc byte[cipher.NonceSize];
        nonce.Clear();
        DeriveKey(context, scalar, key);
        var isOpened = cipher.TryDecrypt(key, nonce, context.Digest, encryptedRoot, root);
        CryptographicOperations.ZeroMemory(key);
        return isOpened;
    }

    public void Dispose() => _bytes.Dispose();

    private void DeriveKey(VaultContext context, ReadOnlySpan<byte> scalar, Span<byte> key)
    {
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], Label.Length + context.Digest.Length + scalar.Length);
        var script = new ByteScript(scratch.Span);
        script.Add(Label);
        script.Add(context.Digest);
        script.Add(scalar);
        HMACSHA256.HashData(Seed, script.Written, key);
    }
}

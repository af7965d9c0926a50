using System.Security.Cryptography;

namespace ChatPay.Core.Cryptography;

/// <summary>What <see cref="Aes128Gcm"/> and <see cref="Aes256Gcm"/> share: one call with one key, tag last.</summary>
internal static class AesGcmCore
{
    private const int TagBytes = 16;

    public static void Encrypt(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
        using var cipher = new AesGcm(key, TagBytes);
        cipher.Encrypt(
            nonce, plaintext, ciphertext[..plaintext.Length], ciphertext[plaintext.Length..], associatedData);
    }

    public static bool TryDecrypt(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        using var cipher = new AesGcm(key, TagBytes);
        try
        {
            cipher.Decrypt(
                nonce, ciphertext[..plaintext.Length], ciphertext[plaintext.Length..], plaintext, associatedData);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }
}

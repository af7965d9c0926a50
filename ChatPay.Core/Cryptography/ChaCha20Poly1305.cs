using System.Runtime.InteropServices;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// ChaCha20 with Poly1305.
///
/// Reference: RFC 8439; libsodium's crypto_aead_chacha20poly1305_ietf.
/// Sizes: key 32 bytes, nonce 12, tag 16; any other nonce length is refused.
/// Limits: a plaintext below 2^31 bytes; as for every cipher with so short a nonce, nonces are counted or the key is used once.
/// </summary>
public sealed partial class ChaCha20Poly1305 : AeadAlgorithm
{
    internal ChaCha20Poly1305()
    {
    }

    public override int KeySize => 32;

    private protected override void EncryptCore(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
        Sodium.Initialize();
        if (Encrypt(
            ciphertext, 0, plaintext, (ulong)plaintext.Length, associatedData, (ulong)associatedData.Length, 0, nonce,
            key) != 0)
        {
            throw new InvalidOperationException("libsodium could not encrypt.");
        }
    }

    private protected override bool DecryptCore(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        Sodium.Initialize();
        return Decrypt(
            plaintext, 0, 0, ciphertext, (ulong)ciphertext.Length, associatedData, (ulong)associatedData.Length, nonce,
            key) == 0;
    }

    [LibraryImport("libsodium", EntryPoint = "crypto_aead_chacha20poly1305_ietf_encrypt")]
    private static partial int Encrypt(
        Span<byte> ciphertext, nint ciphertextLength, ReadOnlySpan<byte> message, ulong messageLength,
        ReadOnlySpan<byte> associatedData, ulong associatedDataLength, nint secretNonce, ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> key);

    [LibraryImport("libsodium", EntryPoint = "crypto_aead_chacha20poly1305_ietf_decrypt")]
    private static partial int Decrypt(
        Span<byte> message, nint messageLength, nint secretNonce, ReadOnlySpan<byte> ciphertext, ulong ciphertextLength,
        ReadOnlySpan<byte> associatedData, ulong associatedDataLength, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> key);
}

namespace ChatPay.Core.Cryptography;

/// <summary>
/// AES-256 in Galois/Counter Mode.
///
/// Reference: NIST SP 800-38D, RFC 5116 section 5.2; the base class library's AesGcm over OpenSSL, which unlike libsodium's
/// works on every processor.
/// Sizes: key 32 bytes, nonce 12, tag 16; other nonce lengths and shorter tags, which the standard has too, are refused.
/// Limits: a plaintext below 2^31 bytes; one key encrypts at most 2^32 messages with random nonces.
/// </summary>
public sealed class Aes256Gcm : AeadAlgorithm
{
    internal Aes256Gcm()
    {
    }

    public override int KeySize => 32;

    private protected override void EncryptCore(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> plaintext, Span<byte> ciphertext) =>
        AesGcmCore.Encrypt(key, nonce, associatedData, plaintext, ciphertext);

    private protected override bool DecryptCore(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> ciphertext, Span<byte> plaintext) =>
        AesGcmCore.TryDecrypt(key, nonce, associatedData, ciphertext, plaintext);
}

namespace ChatPay.Core.Cryptography;

/// <summary>
/// AES-128 in Galois/Counter Mode.
///
/// Reference: NIST SP 800-38D, RFC 5116 section 5.1; the base class library's AesGcm over OpenSSL, because libsodium has
/// only the 256-bit key and only on processors with AES instructions.
/// Sizes: key 16 bytes, nonce 12, tag 16; other nonce lengths and shorter tags, which the standard has too, are refused.
/// Limits: a plaintext below 2^31 bytes; one key encrypts at most 2^32 messages with random nonces.
/// </summary>
public sealed class Aes128Gcm : AeadAlgorithm
{
    internal Aes128Gcm()
    {
    }

    public override int KeySize => 16;

    private protected override void EncryptCore(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> plaintext, Span<byte> ciphertext) =>
        AesGcmCore.Encrypt(key, nonce, associatedData, plaintext, ciphertext);

    private protected override bool DecryptCore(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> ciphertext, Span<byte> plaintext) =>
        AesGcmCore.TryDecrypt(key, nonce, associatedData, ciphertext, plaintext);
}

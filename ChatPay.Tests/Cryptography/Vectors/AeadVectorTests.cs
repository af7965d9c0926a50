using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>AES-GCM and ChaCha20-Poly1305 against Project Wycheproof.</summary>
public sealed class AeadVectorTests
{
    [Fact]
    public void Aes_gcm_comes_out_as_published() => Wycheproof.Judge(
        static file => file.StartsWith("aes_gcm_", StringComparison.Ordinal),
        static (root, group, test) => root.GetProperty("algorithm").GetString() != "AES-GCM"
            ? "another cipher"
            : group.GetProperty("keySize").GetInt32() switch
            {
                128 => Judge(AeadAlgorithm.Aes128Gcm, test),
                256 => Judge(AeadAlgorithm.Aes256Gcm, test),
                var bits => $"no cipher here has keys of {bits} bits",
            });

    [Fact]
    public void ChaCha20_poly1305_comes_out_as_published() => Wycheproof.Judge(
        static file => file.StartsWith("chacha20_poly1305_", StringComparison.Ordinal),
        static (_, group, test) => group.GetProperty("keySize").GetInt32() == 256
            ? Judge(AeadAlgorithm.ChaCha20Poly1305, test)
            : "no such key size exists");

    private static string? Judge(AeadAlgorithm cipher, JsonElement test)
    {
        var (nonce, data, message) = (test.Hex("iv"), test.Hex("aad"), test.Hex("msg"));
        byte[] ciphertext = [.. test.Hex("ct"), .. test.Hex("tag")];
        using var key = Key.Import(cipher, test.Hex("key"), KeyBlobFormat.RawSymmetricKey);
        if (nonce.Length != cipher.NonceSize)
        {
            Assert.Throws<ArgumentException>(() => cipher.Decrypt(key, nonce, data, ciphertext));
            Assert.Throws<ArgumentException>(() => cipher.Encrypt(key, nonce, data, message));
            return test.Result() == "invalid" ? null : $"nonces of {nonce.Length * 8} bits are refused";
        }

        var decrypted = cipher.Decrypt(key, nonce, data, ciphertext);
        if (test.Result() == "invalid")
        {
            Assert.Null(decrypted);
            return null;
        }

        Assert.Equal(message, decrypted);
        Assert.Equal(ciphertext, cipher.Encrypt(key, nonce, data, message));
        return null;
    }
}

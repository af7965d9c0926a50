using ChatPay.Core.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>What holds for every cipher.</summary>
public sealed class AeadTests
{
    public static TheoryData<string> Ciphers => ["AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"];

    [Theory]
    [MemberData(nameof(Ciphers))]
    public void What_was_encrypted_decrypts(string name) =>
        Check.QuickThrowOnFailure(Prop.ForAll<byte[], byte[], byte>((plaintext, data, number) =>
        {
            var cipher = CipherOf(name);
            using var key = KeyOf(cipher, number);
            var nonce = NonceOf(number);
            var ciphertext = cipher.Encrypt(key, nonce, data, plaintext);
            return ciphertext.Length == plaintext.Length + cipher.TagSize
                && cipher.Decrypt(key, nonce, data, ciphertext) is { } decrypted
                && decrypted.AsSpan().SequenceEqual(plaintext);
        }));

    [Theory]
    [MemberData(nameof(Ciphers))]
    public void Every_flipped_bit_and_every_other_length_fails(string name)
    {
        var cipher = CipherOf(name);
        using var key = KeyOf(cipher, 1);
        byte[] data = [1, 2, 3];
        var plaintext = new byte[40];
        var ciphertext = cipher.Encrypt(key, NonceOf(1), data, plaintext);
        Assert.Equal(plaintext, cipher.Decrypt(key, NonceOf(1), data, ciphertext));

        foreach (var flipped in Flips(ciphertext))
        {
            Assert.Null(cipher.Decrypt(key, NonceOf(1), data, flipped));
        }

        foreach (var flipped in Flips(data))
        {
            Assert.Null(cipher.Decrypt(key, NonceOf(1), flipped, ciphertext));
        }

        foreach (var flipped in Flips(NonceOf(1)))
        {
            Assert.Null(cipher.Decrypt(key, flipped, data, ciphertext));
        }

        for (var length = 0; length < ciphertext.Length; length++)
        {
            Assert.Null(cipher.Decrypt(key, NonceOf(1), data, ciphertext.AsSpan(0, length)));
        }

        Assert.Null(cipher.Decrypt(key, NonceOf(1), data, [.. ciphertext, 0]));
        using var other = KeyOf(cipher, 2);
        Assert.Null(cipher.Decrypt(other, NonceOf(1), data, ciphertext));
    }

    [Theory]
    [MemberData(nameof(Ciphers))]
    public void A_forgery_leaves_zeros_and_not_the_plaintext(string name)
    {
        var cipher = CipherOf(name);
        using var key = KeyOf(cipher, 1);
        var ciphertext = cipher.Encrypt(key, NonceOf(1), [], "attack at dawn"u8);
        ciphertext[^1] ^= 1;
        var plaintext = new byte[ciphertext.Length - cipher.TagSize];
        plaintext.AsSpan().Fill(0xff);

        Assert.False(cipher.Decrypt(key, NonceOf(1), [], ciphertext, plaintext));
        Assert.Equal(new byte[plaintext.Length], plaintext);
    }

    [Theory]
    [MemberData(nameof(Ciphers))]
    public void Misuse_throws(string name)
    {
        var cipher = CipherOf(name);
        var key = KeyOf(cipher, 1);
        using var signing = Key.Import(SignatureAlgorithm.Ed25519, new byte[32], KeyBlobFormat.RawPrivateKey);

        Assert.Throws<ArgumentException>(() => cipher.Encrypt(key, new byte[11], [], []));
        Assert.Throws<ArgumentException>(() => cipher.Decrypt(key, new byte[13], [], new byte[16]));
        Assert.Throws<ArgumentException>(() => cipher.Encrypt(key, NonceOf(1), [], [], new byte[15]));
        Assert.Throws<ArgumentException>(() => cipher.Decrypt(key, NonceOf(1), [], new byte[20], new byte[5]));
        Assert.Throws<ArgumentException>(() => cipher.Encrypt(signing, NonceOf(1), [], []));
        Assert.Throws<FormatException>(() => Key.Import(cipher, new byte[5], KeyBlobFormat.RawSymmetricKey));
        Assert.Throws<ArgumentException>(
            () => Key.Import(cipher, new byte[cipher.KeySize], KeyBlobFormat.RawPrivateKey));
        Assert.Throws<ArgumentException>(
            () => PublicKey.TryImport(cipher, new byte[32], KeyBlobFormat.RawPublicKey, out _));
        Assert.Throws<InvalidOperationException>(() => key.PublicKey);
        Assert.Throws<ArgumentException>(() => key.Export(KeyBlobFormat.RawPublicKey));
        Assert.Throws<InvalidOperationException>(() => key.Export(KeyBlobFormat.RawSymmetricKey));
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cipher.Encrypt(key, NonceOf(1), [], []));
    }

    [Theory]
    [MemberData(nameof(Ciphers))]
    public void A_key_that_may_be_exported_comes_back_as_it_was(string name)
    {
        var cipher = CipherOf(name);
        var bytes = new byte[cipher.KeySize];
        bytes[3] = 7;
        using var key = Key.Import(
            cipher, bytes, KeyBlobFormat.RawSymmetricKey,
            new() { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });

        Assert.Equal(bytes, key.Export(KeyBlobFormat.RawSymmetricKey));
    }

    private static IEnumerable<byte[]> Flips(byte[] bytes)
    {
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var flipped = (byte[])bytes.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            yield return flipped;
        }
    }

    private static byte[] NonceOf(byte number) => [.. new byte[11], number];

    private static Key KeyOf(AeadAlgorithm cipher, byte number)
    {
        var bytes = new byte[cipher.KeySize];
        bytes[0] = number;
        return Key.Import(cipher, bytes, KeyBlobFormat.RawSymmetricKey);
    }

    private static AeadAlgorithm CipherOf(string name) => name switch
    {
        "AES-128-GCM" => AeadAlgorithm.Aes128Gcm,
        "AES-256-GCM" => AeadAlgorithm.Aes256Gcm,
        _ => AeadAlgorithm.ChaCha20Poly1305,
    };
}

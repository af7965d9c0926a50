using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>What holds for hybrid encryption with every cipher.</summary>
public sealed class HpkeTests
{
    public static TheoryData<string> Suites => ["AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"];

    [Theory]
    [MemberData(nameof(Suites))]
    public void What_was_sealed_opens(string name) =>
        Check.QuickThrowOnFailure(Prop.ForAll<byte[], byte[], byte[]>((plaintext, info, data) =>
        {
            var pair = new Pair(SuiteOf(name));
            var opened = pair.Open(pair.Seal(plaintext, info, data), info, data);
            return opened is not null && opened.AsSpan().SequenceEqual(plaintext);
        }));

    [Theory]
    [MemberData(nameof(Suites))]
    public void Whatever_was_changed_does_not_open(string name)
    {
        var pair = new Pair(SuiteOf(name));
        var message = pair.Seal([1, 2, 3], [4], [5]);
        Assert.NotNull(pair.Open(message, [4], [5]));

        Assert.Null(pair.Open(message, [5], [5]));
        Assert.Null(pair.Open(message, [4], [4]));
        Assert.Null(new Pair(SuiteOf(name), seed: 9).Open(message, [4], [5]));
        for (var bit = 0; bit < message.Ciphertext.Length * 8; bit++)
        {
            Assert.Null(pair.Open(message with { Ciphertext = Flip(message.Ciphertext, bit) }, [4], [5]));
        }

        // The highest bit of an encapsulated key is in the KEM's context although the curve does not look at it.
        for (var bit = 0; bit < message.Encapsulated.Length * 8; bit++)
        {
            Assert.Null(pair.Open(message with { Encapsulated = Flip(message.Encapsulated, bit) }, [4], [5]));
        }

        for (var length = 0; length < message.Ciphertext.Length; length++)
        {
            Assert.Null(pair.Open(message with { Ciphertext = message.Ciphertext[..length] }, [4], [5]));
        }
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("")]
    [InlineData("09")]
    [InlineData("090000000000000000000000000000000000000000000000000000000000000000")]
    public void What_is_no_public_key_is_refused(string hex)
    {
        var none = Convert.FromHexString(hex);
        var hpke = Hpke.X25519Aes128Gcm;
        var pair = new Pair(hpke);
        var exported = new byte[32];

        Assert.False(hpke.TrySeal(none, [], [], [], RandomNumberGenerator.Fill, new byte[32], new byte[16]));
        Assert.False(hpke.TrySendExport(none, [], [], RandomNumberGenerator.Fill, new byte[32], exported));
        Assert.Null(pair.Open(new Message(none, new byte[16]), [], []));
        Assert.False(hpke.TryReceiveExport(pair.PrivateKey, pair.PublicKey, none, [], [], exported));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Both_sides_export_one_secret_per_context(string name)
    {
        var pair = new Pair(SuiteOf(name));
        var encapsulated = new byte[Hpke.EncapsulatedKeySize];
        var sent = new byte[48];
        var received = new byte[48];
        Assert.True(pair.Hpke.TrySendExport(
            pair.PublicKey, [1], [2], RandomNumberGenerator.Fill, encapsulated, sent));

        Assert.True(pair.Hpke.TryReceiveExport(pair.PrivateKey, pair.PublicKey, encapsulated, [1], [2], received));
        Assert.Equal(sent, received);
        Assert.True(pair.Hpke.TryReceiveExport(pair.PrivateKey, pair.PublicKey, encapsulated, [1], [3], received));
        Assert.NotEqual(sent, received);
        Assert.True(pair.Hpke.TryReceiveExport(pair.PrivateKey, pair.PublicKey, encapsulated, [2], [2], received));
        Assert.NotEqual(sent, received);
    }

    private static byte[] Flip(byte[] bytes, int bit)
    {
        var flipped = (byte[])bytes.Clone();
        flipped[bit / 8] ^= (byte)(1 << (bit % 8));
        return flipped;
    }

    private static Hpke SuiteOf(string name) => name switch
    {
        "AES-128-GCM" => Hpke.X25519Aes128Gcm,
        "AES-256-GCM" => Hpke.X25519Aes256Gcm,
        _ => Hpke.X25519ChaCha20Poly1305,
    };

    private sealed record Message(byte[] Encapsulated, byte[] Ciphertext);

    private sealed class Pair
    {
        public Pair(Hpke hpke, byte seed = 1)
        {
            Hpke = hpke;
            var secret = new byte[32];
            secret[0] = seed;
            hpke.DeriveKeyPair(secret, PrivateKey, PublicKey);
        }

        public Hpke Hpke { get; }

        public byte[] PrivateKey { get; } = new byte[32];

        public byte[] PublicKey { get; } = new byte[32];

        public Message Seal(byte[] plaintext, byte[] info, byte[] data)
        {
            var message = new Message(new byte[32], new byte[plaintext.Length + Hpke.TagSize]);
            Assert.True(Hpke.TrySeal(
                PublicKey, info, data, plaintext, RandomNumberGenerator.Fill, message.Encapsulated,
                message.Ciphertext));
            return message;
        }

        public byte[]? Open(Message message, byte[] info, byte[] data)
        {
            var plaintext = new byte[Math.Max(0, message.Ciphertext.Length - Hpke.TagSize)];
            return Hpke.TryOpen(
                PrivateKey, PublicKey, message.Encapsulated, info, data, message.Ciphertext, plaintext)
                ? plaintext
                : null;
        }
    }
}

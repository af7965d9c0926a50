using ChatPay.Core.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cryptography;

public sealed class X25519Tests
{
    private static readonly KeyAgreementAlgorithm s_x25519 = KeyAgreementAlgorithm.X25519;

    [Fact]
    public void Both_sides_agree_on_one_secret() =>
        Check.QuickThrowOnFailure(Prop.ForAll<int, int>(static (one, other) =>
        {
            using var first = KeyOf(one);
            using var second = KeyOf(other);
            using var firstSecret = s_x25519.Agree(first, second.PublicKey);
            using var secondSecret = s_x25519.Agree(second, first.PublicKey);
            return firstSecret!.Export().AsSpan().SequenceEqual(secondSecret!.Export());
        }));

    [Fact]
    public void Misuse_throws()
    {
        using var signing = Key.Import(SignatureAlgorithm.Ed25519, new byte[32], KeyBlobFormat.RawPrivateKey);
        var key = KeyOf(1);
        var secret = s_x25519.Agree(key, key.PublicKey)!;

        Assert.Throws<ArgumentException>(() => s_x25519.Agree(signing, key.PublicKey));
        Assert.Throws<ArgumentException>(() => s_x25519.Agree(key, signing.PublicKey));
        Assert.Throws<FormatException>(() => Key.Import(s_x25519, new byte[33], KeyBlobFormat.RawPrivateKey));
        Assert.Throws<FormatException>(() => PublicKey.Import(s_x25519, new byte[33], KeyBlobFormat.RawPublicKey));
        Assert.Throws<ArgumentException>(() => PublicKey.Import(s_x25519, new byte[32], KeyBlobFormat.RawPrivateKey));
        secret.Dispose();
        Assert.Throws<ObjectDisposedException>(() => secret.Export());
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => s_x25519.Agree(key, key.PublicKey));
    }

    private static Key KeyOf(int number)
    {
        var bytes = new byte[32];
        BitConverter.TryWriteBytes(bytes, number);
        return Key.Import(s_x25519, bytes, KeyBlobFormat.RawPrivateKey);
    }
}

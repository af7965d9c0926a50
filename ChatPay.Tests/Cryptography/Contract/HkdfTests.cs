using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cryptography;

public sealed class HkdfTests
{
    private static readonly Hkdf s_hkdf = KeyDerivationAlgorithm.HkdfSha256;

    [Fact]
    public void It_gives_what_the_base_class_library_gives() =>
        Check.QuickThrowOnFailure(Prop.ForAll<byte[], byte[], byte[]>(static (secret, salt, info) =>
        {
            // More info than a stack buffer holds, and more output than a block.
            byte[] longInfo = [.. info, .. new byte[info.Length * 40]];
            var bytes = new byte[1 + (info.Length * 3)];
            s_hkdf.DeriveBytes(secret, salt, longInfo, bytes);
            return bytes.AsSpan().SequenceEqual(
                HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, bytes.Length, salt, longInfo));
        }));

    [Fact]
    public void Output_may_take_the_place_of_the_key_it_comes_from()
    {
        var key = new byte[32];
        var expected = new byte[32];
        s_hkdf.Expand(key, "info"u8, expected);
        s_hkdf.Expand(key, "info"u8, key);
        Assert.Equal(expected, key);

        s_hkdf.Extract(key, "salt"u8, expected);
        s_hkdf.Extract(key, "salt"u8, key);
        Assert.Equal(expected, key);
    }

    [Fact]
    public void An_agreed_secret_is_derived_from_as_its_bytes_are()
    {
        var x25519 = KeyAgreementAlgorithm.X25519;
        using var key = Key.Import(x25519, new byte[32], KeyBlobFormat.RawPrivateKey);
        using var secret = x25519.Agree(key, key.PublicKey)!;
        var fromSecret = new byte[42];
        var fromBytes = new byte[42];
        s_hkdf.DeriveBytes(secret, "salt"u8, "info"u8, fromSecret);
        s_hkdf.DeriveBytes(secret.Export(), "salt"u8, "info"u8, fromBytes);
        Assert.Equal(fromBytes, fromSecret);
    }

    [Fact]
    public void Misuse_throws()
    {
        Assert.Equal(255 * 32, s_hkdf.MaxCount);
        s_hkdf.DeriveBytes([], [], [], new byte[s_hkdf.MaxCount]);
        Assert.Throws<ArgumentException>(() => s_hkdf.DeriveBytes([], [], [], new byte[s_hkdf.MaxCount + 1]));
        Assert.Throws<ArgumentException>(() => s_hkdf.Extract([], [], new byte[31]));
        Assert.Throws<ArgumentException>(() => KeyDerivationAlgorithm.HkdfSha512.Extract([], [], new byte[32]));
    }
}

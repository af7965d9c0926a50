using ChatPay.Core.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cryptography;

public sealed class Ed25519Tests
{
    private static readonly SignatureAlgorithm s_ed25519 = SignatureAlgorithm.Ed25519;

    [Fact]
    public void A_signature_verifies_and_with_any_bit_flipped_does_not() =>
        Check.QuickThrowOnFailure(Prop.ForAll<byte[], int>(static (data, bit) =>
        {
            using var key = Key.Import(s_ed25519, new byte[32], KeyBlobFormat.RawPrivateKey);
            var signature = s_ed25519.Sign(key, data);
            var forged = (byte[])signature.Clone();
            var place = (int)(unchecked((uint)bit) % (uint)(signature.Length * 8));
            forged[place / 8] ^= (byte)(1 << (place % 8));
            return s_ed25519.Verify(key.PublicKey, data, signature)
                && !s_ed25519.Verify(key.PublicKey, data, forged)
                && !s_ed25519.Verify(key.PublicKey, [.. data, 0], signature)
                && !s_ed25519.Verify(key.PublicKey, data, signature.AsSpan(..63));
        }));

    [Fact]
    public void Misuse_throws()
    {
        var key = Key.Import(s_ed25519, new byte[32], KeyBlobFormat.RawPrivateKey);
        using var other = Key.Import(KeyAgreementAlgorithm.X25519, new byte[32], KeyBlobFormat.RawPrivateKey);

        Assert.Throws<InvalidOperationException>(() => key.Export(KeyBlobFormat.RawPrivateKey));
        Assert.Throws<ArgumentException>(() => key.Export(KeyBlobFormat.RawSymmetricKey));
        Assert.Throws<ArgumentException>(() => s_ed25519.Sign(other, []));
        Assert.Throws<ArgumentException>(() => s_ed25519.Sign(key, [], new byte[63]));
        Assert.Throws<ArgumentException>(() => s_ed25519.Verify(other.PublicKey, [], new byte[64]));
        Assert.Throws<FormatException>(() => Key.Import(s_ed25519, new byte[31], KeyBlobFormat.RawPrivateKey));
        Assert.Throws<ArgumentException>(() => Key.Import(s_ed25519, new byte[32], KeyBlobFormat.RawPublicKey));
        Assert.Throws<ArgumentException>(() => Key.Import(s_ed25519, new byte[32], KeyBlobFormat.RawSymmetricKey));
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => s_ed25519.Sign(key, []));
    }

    [Fact]
    public void A_key_that_may_be_exported_comes_back_as_it_was()
    {
        var seed = Convert.FromHexString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        using var key = Key.Import(
            s_ed25519, seed, KeyBlobFormat.RawPrivateKey,
            new() { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });

        Assert.Equal(seed, key.Export(KeyBlobFormat.RawPrivateKey));
        Assert.Equal(key.PublicKey, PublicKey.Import(
            s_ed25519, key.Export(KeyBlobFormat.RawPublicKey), KeyBlobFormat.RawPublicKey));
    }
}

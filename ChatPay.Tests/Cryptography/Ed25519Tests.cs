using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cryptography;

public sealed class Ed25519Tests
{
    private const string Source = "github.com/C2SP/wycheproof, testvectors_v1";

    private static readonly SignatureAlgorithm s_ed25519 = SignatureAlgorithm.Ed25519;

    [Fact]
    public void Every_published_signature_is_judged_as_published()
    {
        var count = 0;
        foreach (var file in Vectors.Require("wycheproof", IsEd25519, Source))
        {
            using var document = Vectors.Load(file);
            foreach (var group in document.RootElement.GetProperty("testGroups").EnumerateArray())
            {
                if (group.GetProperty("publicKey").GetProperty("curve").GetString() != "edwards25519")
                {
                    continue;
                }

                var publicKey = group.GetProperty("publicKey").Hex("pk");
                foreach (var test in group.GetProperty("tests").EnumerateArray())
                {
                    Judge(file, publicKey, test);
                    count++;
                }
            }
        }

        Assert.NotEqual(0, count);
    }

    // RFC 8032, section 7.1, tests 1 and 3.
    [Theory]
    [InlineData(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData(
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]
    public void Signing_gives_the_signature_of_the_standard(string seed, string message, string publicKey, string signature)
    {
        using var key = Key.Import(s_ed25519, Convert.FromHexString(seed), KeyBlobFormat.RawPrivateKey);

        Assert.Equal(publicKey, Convert.ToHexStringLower(key.PublicKey.Export(KeyBlobFormat.RawPublicKey)));
        Assert.Equal(signature, Convert.ToHexStringLower(s_ed25519.Sign(key, Convert.FromHexString(message))));
    }

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

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", "order 4")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000", "order 1")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "order 2")]
    [InlineData("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "order 8")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "not canonical: p")]
    [InlineData("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "not canonical: p + 3")]
    [InlineData("0200000000000000000000000000000000000000000000000000000000000000", "off the curve")]
    [InlineData("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751", "too short")]
    [InlineData("", "empty")]
    public void What_is_no_public_key_cannot_be_imported(string hex, string why)
    {
        var imported = PublicKey.TryImport(
            s_ed25519, Convert.FromHexString(hex), KeyBlobFormat.RawPublicKey, out var key);

        Assert.False(imported, why);
        Assert.Null(key);
    }

    [Fact]
    public void Misuse_throws()
    {
        var key = Key.Import(s_ed25519, new byte[32], KeyBlobFormat.RawPrivateKey);
        using var other = Key.Import(KeyAgreementAlgorithm.X25519, new byte[32], KeyBlobFormat.RawPrivateKey);

        Assert.Throws<InvalidOperationException>(() => key.Export(KeyBlobFormat.RawPrivateKey));
        Assert.Throws<ArgumentException>(() => s_ed25519.Sign(other, []));
        Assert.Throws<FormatException>(() => Key.Import(s_ed25519, new byte[31], KeyBlobFormat.RawPrivateKey));
        Assert.Throws<ArgumentException>(() => Key.Import(s_ed25519, new byte[32], KeyBlobFormat.RawPublicKey));
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => s_ed25519.Sign(key, []));
    }

    [Fact]
    public void A_key_that_may_be_exported_comes_back_as_it_was()
    {
        var seed = Convert.FromHexString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        using var key = Key.Import(
            s_ed25519, seed, KeyBlobFormat.RawPrivateKey, new() { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });

        Assert.Equal(seed, key.Export(KeyBlobFormat.RawPrivateKey));
    }

    private static bool IsEd25519(string file) =>
        file.StartsWith("ed25519_", StringComparison.Ordinal) || file.StartsWith("eddsa_", StringComparison.Ordinal);

    private static void Judge(string file, byte[] publicKey, JsonElement test)
    {
        var accepted = PublicKey.TryImport(s_ed25519, publicKey, KeyBlobFormat.RawPublicKey, out var key)
            && s_ed25519.Verify(key, test.Hex("msg"), test.Hex("sig"));
        var expected = test.GetProperty("result").GetString() == "valid";
        Assert.True(
            accepted == expected, $"{Path.GetFileName(file)} test {test.GetProperty("tcId")}: accepted {accepted}");
    }
}

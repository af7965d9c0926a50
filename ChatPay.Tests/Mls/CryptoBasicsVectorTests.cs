using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>The labelled operations of a cipher suite against the MLS working group's vectors.</summary>
public sealed class CryptoBasicsVectorTests
{
    private const string Source = "github.com/mlswg/mls-implementations, test-vectors";

    [Fact]
    public void References_come_out_as_published() => ForEachSuite("ref_hash", static (suite, vector) =>
        Assert.Equal(vector.Hex("out"), suite.RefHash(Label(vector), vector.Hex("value"))));

    [Fact]
    public void Signatures_come_out_as_published() => ForEachSuite("sign_with_label", static (suite, vector) =>
    {
        var (publicKey, content, signature) = (vector.Hex("pub"), vector.Hex("content"), vector.Hex("signature"));
        using var key = Key.Import(suite.SignatureAlgorithm, vector.Hex("priv"), KeyBlobFormat.RawPrivateKey);

        Assert.Equal(signature, suite.SignWithLabel(key, Label(vector), content));
        Assert.True(suite.VerifyWithLabel(publicKey, Label(vector), content, signature));
        Assert.False(suite.VerifyWithLabel(publicKey, Label(vector) + "x", content, signature));
        Assert.False(suite.VerifyWithLabel(publicKey, Label(vector), [.. content, 0], signature));
    });

    [Fact]
    public void Expansions_come_out_as_published() => ForEachSuite("expand_with_label", static (suite, vector) =>
    {
        var output = new byte[vector.GetProperty("length").GetInt32()];
        suite.ExpandWithLabel(vector.Hex("secret"), Label(vector), vector.Hex("context"), output);
        Assert.Equal(vector.Hex("out"), output);
    });

    [Fact]
    public void Derived_secrets_come_out_as_published() => ForEachSuite("derive_secret", static (suite, vector) =>
    {
        using var derived = suite.DeriveSecret(vector.Hex("secret"), Label(vector));
        Assert.Equal(vector.Hex("out"), derived.Span);

        var inPlace = vector.Hex("secret");
        suite.DeriveSecret(inPlace, Label(vector), inPlace);
        Assert.Equal(vector.Hex("out"), inPlace);
    });

    [Fact]
    public void Secrets_of_the_tree_come_out_as_published() =>
        ForEachSuite("derive_tree_secret", static (suite, vector) =>
        {
            var output = new byte[vector.GetProperty("length").GetInt32()];
            var generation = vector.GetProperty("generation").GetUInt32();
            suite.DeriveTreeSecret(vector.Hex("secret"), Label(vector), generation, output);
            Assert.Equal(vector.Hex("out"), output);
        });

    [Fact]
    public void Encryptions_open_as_published() => ForEachSuite("encrypt_with_label", static (suite, vector) =>
    {
        var (privateKey, publicKey) = (vector.Hex("priv"), vector.Hex("pub"));
        var (context, plaintext) = (vector.Hex("context"), vector.Hex("plaintext"));
        Assert.Equal(publicKey, suite.PublicKeyOf(privateKey));
        var published = new HpkeCiphertext
        {
            KemOutput = vector.Hex("kem_output"),
            Ciphertext = vector.Hex("ciphertext"),
        };
        Assert.True(suite.TryDecryptWithLabel(
            privateKey, publicKey, Label(vector), context, published, out var opened));
        Assert.Equal(plaintext, opened.Span);

        Assert.True(suite.TryEncryptWithLabel(
            publicKey, Label(vector), context, plaintext, RandomNumberGenerator.Fill, out var own));
        Assert.True(suite.TryDecryptWithLabel(privateKey, publicKey, Label(vector), context, own, out opened));
        Assert.Equal(plaintext, opened.Span);
        Assert.False(suite.TryDecryptWithLabel(privateKey, publicKey, Label(vector) + "x", context, own, out _));
        Assert.False(suite.TryDecryptWithLabel(privateKey, publicKey, Label(vector), plaintext, own, out _));
    });

    private static string Label(JsonElement vector) => vector.GetProperty("label").GetString()!;

    private static void ForEachSuite(string section, Action<MlsCipherSuite, JsonElement> check)
    {
        var count = 0;
        foreach (var file in Vectors.Require(
            "mls", static name => name.StartsWith("crypto-basics", StringComparison.Ordinal), Source))
        {
            using var document = Vectors.Load(file);
            foreach (var entry in document.RootElement.EnumerateArray())
            {
                if (MlsCipherSuite.TryGet(entry.GetProperty("cipher_suite").GetUInt16(), out var suite))
                {
                    check(suite, entry.GetProperty(section));
                    count++;
                }
            }
        }

        Assert.NotEqual(0, count);
    }
}

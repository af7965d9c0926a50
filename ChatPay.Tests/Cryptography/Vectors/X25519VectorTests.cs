using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>
/// X25519 against Project Wycheproof. Some of its files wrap the same keys in ASN.1, PEM or JWK, which nothing here reads:
/// they are taken out of the usual wrapping, and what is wrapped otherwise is counted.
/// </summary>
public sealed class X25519VectorTests
{
    private static readonly byte[] s_publicWrapping = Convert.FromHexString("302a300506032b656e032100");
    private static readonly byte[] s_privateWrapping = Convert.FromHexString("302e020100300506032b656e04220420");

    private static readonly KeyAgreementAlgorithm s_x25519 = KeyAgreementAlgorithm.X25519;

    [Fact]
    public void Every_published_agreement_comes_out_as_published() => Wycheproof.Judge(
        static file => file.StartsWith("x25519_", StringComparison.Ordinal),
        static (root, _, test) =>
        {
            var isRaw = root.GetProperty("schema").GetString()!.StartsWith("xdh_comp_", StringComparison.Ordinal);
            var privateKey = isRaw ? test.Hex("private") : Unwrap(test.GetProperty("private"), "d", s_privateWrapping);
            var publicKey = isRaw ? test.Hex("public") : Unwrap(test.GetProperty("public"), "x", s_publicWrapping);
            if (privateKey is null || publicKey is null)
            {
                return "a key in another wrapping";
            }

            Judge(privateKey, publicKey, test);
            return null;
        });

    /// <summary>
    /// "acceptable" marks what the RFC allows and some refuse: here only the secrets that everybody knows are refused.
    /// </summary>
    private static void Judge(byte[] privateKey, byte[] publicKey, JsonElement test)
    {
        var expected = test.Hex("shared");
        using var key = Key.Import(s_x25519, privateKey, KeyBlobFormat.RawPrivateKey);
        using var secret = PublicKey.TryImport(s_x25519, publicKey, KeyBlobFormat.RawPublicKey, out var other)
            ? s_x25519.Agree(key, other)
            : null;
        if (test.Result() == "invalid" || expected.AsSpan().IndexOfAnyExcept((byte)0) < 0)
        {
            Assert.Null(secret);
            return;
        }

        Assert.NotNull(secret);
        Assert.Equal(expected, secret.Export());
    }

    private static byte[]? Unwrap(JsonElement key, string member, byte[] wrapping)
    {
        if (key.ValueKind == JsonValueKind.Object)
        {
            return key.GetProperty("crv").GetString() == "X25519" && key.TryGetProperty(member, out var value)
                ? Base64Url.DecodeFromChars(value.GetString())
                : null;
        }

        var text = key.GetString()!;
        var bytes = PemEncoding.TryFind(text, out var pem)
            ? Convert.FromBase64String(text[pem.Base64Data])
            : Convert.FromHexString(text);
        return bytes.AsSpan().StartsWith(wrapping) && bytes.Length == wrapping.Length + 32
            ? bytes[wrapping.Length..]
            : null;
    }
}

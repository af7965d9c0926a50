using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cryptography;

public sealed class X25519Tests
{
    private const string Source = "github.com/C2SP/wycheproof, testvectors_v1";

    /// <summary>Keys as raw bytes; files of the other schemas wrap the same keys in ASN.1, JWK or PEM.</summary>
    private const string RawSchema = "xdh_comp_schema_v1.json";

    private static readonly KeyAgreementAlgorithm s_x25519 = KeyAgreementAlgorithm.X25519;

    [Fact]
    public void Every_published_agreement_comes_out_as_published()
    {
        var count = 0;
        foreach (var file in Vectors.Require("wycheproof", IsX25519, Source))
        {
            using var document = Vectors.Load(file);
            if (document.RootElement.GetProperty("schema").GetString() != RawSchema)
            {
                continue;
            }

            foreach (var group in document.RootElement.GetProperty("testGroups").EnumerateArray())
            {
                foreach (var test in group.GetProperty("tests").EnumerateArray())
                {
                    Judge(test);
                    count++;
                }
            }
        }

        Assert.NotEqual(0, count);
    }

    private static bool IsX25519(string file) => file.StartsWith("x25519_", StringComparison.Ordinal);

    /// <summary>
    /// "acceptable" marks what the RFC allows and some refuse: here only the secrets that everybody knows are refused.
    /// </summary>
    private static void Judge(JsonElement test)
    {
        var expected = test.Hex("shared");
        using var key = Key.Import(s_x25519, test.Hex("private"), KeyBlobFormat.RawPrivateKey);
        using var secret = PublicKey.TryImport(s_x25519, test.Hex("public"), KeyBlobFormat.RawPublicKey, out var other)
            ? s_x25519.Agree(key, other)
            : null;
        var id = $"test {test.GetProperty("tcId")}";
        if (test.GetProperty("result").GetString() == "invalid" || expected.AsSpan().IndexOfAnyExcept((byte)0) < 0)
        {
            Assert.True(secret is null, id);
            return;
        }

        Assert.True(secret is not null, id);
        Assert.Equal(expected, secret.Export());
    }
}

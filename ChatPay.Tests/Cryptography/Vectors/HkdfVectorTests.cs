using ChatPay.Core.Cryptography;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>HKDF against Project Wycheproof, which includes the examples of RFC 5869.</summary>
public sealed class HkdfVectorTests
{
    [Fact]
    public void Hkdf_comes_out_as_published() => Wycheproof.Judge(
        static file => file.StartsWith("hkdf_", StringComparison.Ordinal),
        static (root, _, test) =>
        {
            var name = root.GetProperty("algorithm").GetString();
            var hkdf = name switch
            {
                "HKDF-SHA-256" => KeyDerivationAlgorithm.HkdfSha256,
                "HKDF-SHA-384" => KeyDerivationAlgorithm.HkdfSha384,
                "HKDF-SHA-512" => KeyDerivationAlgorithm.HkdfSha512,
                _ => null,
            };
            if (hkdf is null)
            {
                return $"there is no {name} here";
            }

            var bytes = new byte[test.GetProperty("size").GetInt32()];
            void Derive() => hkdf.DeriveBytes(test.Hex("ikm"), test.Hex("salt"), test.Hex("info"), bytes);
            if (test.Result() == "invalid")
            {
                Assert.Throws<ArgumentException>(Derive);
                return null;
            }

            Derive();
            Assert.Equal(test.Hex("okm"), bytes);
            return null;
        });
}

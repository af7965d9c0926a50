using ChatPay.Core.Cryptography;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>What is no public key cannot become one.</summary>
public sealed class PublicKeyTests
{
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", "order 4")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000", "order 1")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "order 2")]
    [InlineData("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "order 8")]
    [InlineData("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "order 8")]
    [InlineData("f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43", "off the main subgroup")]
    [InlineData("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d", "off the main subgroup")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "not canonical: p")]
    [InlineData("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "not canonical: p + 3")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "not canonical: the sign of zero")]
    [InlineData("0200000000000000000000000000000000000000000000000000000000000000", "off the curve")]
    [InlineData("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751", "too short")]
    [InlineData("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a00", "too long")]
    [InlineData("", "empty")]
    public void What_is_no_Ed25519_key_cannot_be_imported(string hex, string why) =>
        AssertRefused(SignatureAlgorithm.Ed25519, hex, why);

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", "0")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000", "1")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "order 8")]
    [InlineData("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", "order 8")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "p - 1")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "p")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "p + 1")]
    public void A_small_order_point_is_no_X25519_key_whatever_its_highest_bit(string hex, string why)
    {
        AssertRefused(KeyAgreementAlgorithm.X25519, hex, why);
        var bytes = Convert.FromHexString(hex);
        bytes[^1] |= 0x80;
        AssertRefused(KeyAgreementAlgorithm.X25519, Convert.ToHexString(bytes), why);
    }

    [Theory]
    [InlineData("09000000000000000000000000000000000000000000000000000000000000", "too short")]
    [InlineData("090000000000000000000000000000000000000000000000000000000000000000", "too long")]
    [InlineData("", "empty")]
    public void What_has_another_length_is_no_X25519_key(string hex, string why) =>
        AssertRefused(KeyAgreementAlgorithm.X25519, hex, why);

    /// <summary>
    /// Comparing with the list refuses what multiplying refused: all coordinates near the ends of the field, where small
    /// orders and second encodings lie, and each with the highest bit set.
    /// </summary>
    [Fact]
    public void The_list_of_small_orders_says_what_multiplying_says()
    {
        var scalar = new byte[32];
        var product = new byte[32];
        foreach (var coordinate in Coordinates())
        {
            Assert.Equal(
                X25519.TryAgree(scalar, coordinate, product),
                KeyAgreementAlgorithm.X25519.IsPublicKey(coordinate));
        }
    }

    private static IEnumerable<byte[]> Coordinates()
    {
        for (var number = 0; number < 256; number++)
        {
            foreach (var high in new byte[] { 0x00, 0x80 })
            {
                var low = new byte[32];
                low[0] = (byte)number;
                low[31] = high;
                yield return low;
                var top = new byte[32];
                top.AsSpan().Fill(0xff);
                top[0] = (byte)number;
                top[31] = (byte)(0x7f | high);
                yield return top;
            }
        }

        foreach (var hex in new[]
        {
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        })
        {
            for (var bit = -1; bit < 256; bit++)
            {
                var near = Convert.FromHexString(hex);
                if (bit >= 0)
                {
                    near[bit / 8] ^= (byte)(1 << (bit % 8));
                }

                yield return near;
            }
        }
    }

    private static void AssertRefused(Algorithm algorithm, string hex, string why)
    {
        var imported = PublicKey.TryImport(
            algorithm, Convert.FromHexString(hex), KeyBlobFormat.RawPublicKey, out var key);
        Assert.False(imported, why);
        Assert.Null(key);
    }
}

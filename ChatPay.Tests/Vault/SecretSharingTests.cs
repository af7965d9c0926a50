using ChatPay.Core.Cryptography;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>Any threshold of shares gives the secret, and nothing else passes for one.</summary>
public sealed class SecretSharingTests
{
    [Fact]
    public void Any_threshold_of_shares_gives_the_secret()
    {
        var random = TestVault.Stream("sharing");
        for (var count = 1; count <= 6; count++)
        {
            for (var threshold = 1; threshold <= count; threshold++)
            {
                var (secret, shares, combined) = (new byte[32], new byte[count * 32], new byte[32]);
                Oprf.RandomScalar(random, secret);
                SecretSharing.Split(secret, threshold, random, shares);
                foreach (var indices in Subsets(count))
                {
                    var chosen = Of(shares, indices);
                    var isCombined = SecretSharing.TryCombineScalars(
                        threshold, indices, chosen, combined, out var rejection);
                    Assert.Equal(indices.Length >= threshold, isCombined);
                    Assert.Equal(isCombined ? VaultRejection.None : VaultRejection.SharesTooFew, rejection);
                    Assert.Equal(isCombined ? secret : new byte[32], combined);
                }
            }
        }
    }

    [Fact]
    public void Fewer_shares_taken_for_enough_give_something_else()
    {
        var (secret, shares, combined) = (new byte[32], new byte[96], new byte[32]);
        Oprf.RandomScalar(TestVault.Stream("few"), secret);
        SecretSharing.Split(secret, 3, TestVault.Stream("polynomial"), shares);
        Assert.True(SecretSharing.TryCombineScalars(2, [1, 2], shares.AsSpan(0, 64), combined, out _));
        Assert.NotEqual(secret, combined);
    }

    [Fact]
    public void Products_with_shares_combine_to_the_product_with_the_secret()
    {
        var (secret, shares) = (new byte[32], new byte[5 * 32]);
        Oprf.RandomScalar(TestVault.Stream("products"), secret);
        SecretSharing.Split(secret, 3, TestVault.Stream("polynomial"), shares);
        var (expected, product) = (new byte[32], new byte[32]);
        Assert.True(Ristretto255.TryMultiplyBase(secret, expected));
        foreach (var indices in Subsets(5).Where(subset => subset.Length >= 3))
        {
            var products = indices.SelectMany(index =>
            {
                var part = new byte[32];
                Assert.True(Ristretto255.TryMultiplyBase(shares.AsSpan((index - 1) * 32, 32), part));
                return part;
            }).ToArray();
            Assert.True(SecretSharing.TryCombineElements(3, indices, products, product, out _));
            Assert.Equal(expected, product);
        }
    }

    [Fact]
    public void Indices_and_values_that_make_no_sharing_are_refused_with_the_reason()
    {
        var shares = new byte[96];
        SecretSharing.Split(new byte[32], 2, TestVault.Stream("refused"), shares);
        var two = shares[..64];
        Assert.Equal(VaultRejection.IndexInvalid, Combine([0, 1], two));
        Assert.Equal(VaultRejection.IndexInvalid, Combine([1, 17], two));
        Assert.Equal(VaultRejection.IndexDuplicate, Combine([2, 2], two));
        Assert.Equal(VaultRejection.SharesTooFew, Combine([1], two[..32]));
        Assert.Equal(VaultRejection.SharesTooFew, Combine([], []));
        Assert.Equal(VaultRejection.LengthWrong, Combine([1, 2], two[..63]));
        Assert.Equal(VaultRejection.ScalarInvalid, Combine([1, 2], [.. two[..32], .. Enumerable.Repeat((byte)0xff, 32)]));
        Assert.Equal(VaultRejection.None, Combine([2, 1], [.. two[32..], .. two[..32]]));

        var element = new byte[32];
        Assert.True(Ristretto255.TryMultiplyBase(shares.AsSpan(0, 32), element));
        Assert.Equal(VaultRejection.PointIdentity, CombineElements([.. element, .. new byte[32]]));
        Assert.Equal(
            VaultRejection.PointInvalid, CombineElements([.. element, .. Enumerable.Repeat((byte)0xff, 32)]));
    }

    [Fact]
    public void Sharing_what_is_no_scalar_or_among_too_many_throws()
    {
        var random = TestVault.Stream("misuse");
        byte[] notReduced = [.. Enumerable.Repeat((byte)0xff, 32)];
        Assert.Throws<ArgumentException>(() => SecretSharing.Split(notReduced, 1, random, new byte[32]));
        Assert.Throws<ArgumentException>(() => SecretSharing.Split(new byte[32], 2, random, new byte[32]));
        Assert.Throws<ArgumentException>(() => SecretSharing.Split(new byte[32], 0, random, new byte[32]));
        Assert.Throws<ArgumentException>(() => SecretSharing.Split(new byte[32], 1, random, new byte[17 * 32]));
        Assert.Throws<ArgumentException>(() => SecretSharing.Split(new byte[32], 1, random, new byte[33]));
    }

    private static VaultRejection Combine(byte[] indices, byte[] shares)
    {
        SecretSharing.TryCombineScalars(2, indices, shares, new byte[32], out var rejection);
        return rejection;
    }

    private static VaultRejection CombineElements(byte[] elements)
    {
        SecretSharing.TryCombineElements(2, [1, 2], elements, new byte[32], out var rejection);
        return rejection;
    }

    private static byte[] Of(byte[] shares, byte[] indices) =>
        [.. indices.SelectMany(index => shares.AsSpan((index - 1) * 32, 32).ToArray())];

    private static IEnumerable<byte[]> Subsets(int count) =>
        from set in Enumerable.Range(1, (1 << count) - 1)
        select (byte[])[.. Enumerable.Range(1, count).Where(i => (set & (1 << (i - 1))) != 0).Select(i => (byte)i)];
}

using System.Numerics;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>The shares of a packet: exact, within the bounds of the double-mean rule, and the seed's doing alone.</summary>
public sealed class PacketSharesTests
{
    private static readonly byte[] s_seed = [.. Enumerable.Range(0, 32).Select(value => (byte)value)];

    private static readonly Gen<Packet> s_packets =
        from count in Gen.OneOf(Gen.Choose(1, 12), Gen.Choose(1, Limits.PacketShares))
        from more in Gen.OneOf(
            Gen.Choose(0, 20).Select(value => (long)value), Gen.Choose(0, int.MaxValue - 1).Select(value => (long)value),
            Gen.Elements(0L, 1L, Limits.AmountMaxMinor - Limits.PacketShares))
        from seed in Gen.ArrayOf(Gen.Choose(0, 255).Select(value => (byte)value), PacketShares.SeedSize)
        select new Packet(count + more, count, seed);

    /// <summary>docs/PROTOCOL.md, section Cards: computed by another program, in Python.</summary>
    [Fact]
    public void They_are_those_of_the_published_example()
    {
        Assert.Equal(
            "10ca92895ea2c28285933c5723119b68cda098ca7541aedca2ff8353a80ba7e5",
            Convert.ToHexStringLower(PacketShares.CommitTo(s_seed)));
        Assert.Equal([351, 145, 310, 107, 87], Random(1000, 5));
        Assert.Equal([2, 1, 1, 1, 2, 1, 1, 3], Random(12, 8));
        Assert.Equal(
            [
                284_287_905_895_862, 5_410_339_312_782, 150_326_937_146_023, 250_908_200_190_358, 70_908_452_101_666,
                121_456_961_255_519, 116_701_204_097_790,
            ],
            Random(Limits.AmountMaxMinor, 7));

        static long[] Random(long total, int count) => PacketShares.Divide(PacketMode.Random, total, count, s_seed);
    }

    [Fact]
    public void They_add_up_and_nobody_gets_nothing() => Check(packet =>
    {
        foreach (var mode in Enum.GetValues<PacketMode>())
        {
            var shares = PacketShares.Divide(mode, packet.Total, packet.Count, packet.Seed);
            Assert.Equal(packet.Count, shares.Length);
            Assert.Equal(packet.Total, shares.Sum());
            Assert.All(shares, share => Assert.True(share >= 1));
            Assert.Equal(shares, PacketShares.Divide(mode, packet.Total, packet.Count, packet.Seed));
        }
    });

    [Fact]
    public void Each_is_at_most_twice_the_mean_of_what_is_left_and_leaves_one_unit_for_each_of_the_others() => Check(packet =>
    {
        var rest = packet.Total;
        var left = packet.Count;
        foreach (var share in PacketShares.Divide(PacketMode.Random, packet.Total, packet.Count, packet.Seed)[..^1])
        {
            var twice = (BigInteger.Multiply(2, rest) / left) - 1;
            Assert.True(share <= BigInteger.Max(1, twice) && share <= rest - (left - 1), $"{share} of {rest} in {left}");
            (rest, left) = (rest - share, left - 1);
        }
    });

    [Fact]
    public void A_fixed_packet_needs_no_seed_and_gives_the_first_ones_what_does_not_divide()
    {
        Assert.Equal([4, 3, 3], PacketShares.Divide(PacketMode.Fixed, 10, 3, []));
        Check(packet =>
        {
            var shares = PacketShares.Divide(PacketMode.Fixed, packet.Total, packet.Count, packet.Seed);
            Assert.True(shares[0] - shares[^1] <= 1);
            Assert.Equal(shares.OrderDescending(), shares);
        });
    }

    /// <summary>Means and spread of each place over many seeds: whoever comes first is no better and no worse off.</summary>
    [Fact]
    public void Chance_favours_no_place_and_spreads_wide()
    {
        const int Runs = 4_000;
        const int Count = 5;
        const long Total = 10_000;
        var dice = new Support.Dice(7);
        var runs = Enumerable.Range(0, Runs).Select(_ => PacketShares.Divide(
            PacketMode.Random, Total, Count, [.. dice.NextId().ToByteArray(), .. dice.NextId().ToByteArray()])).ToArray();
        for (var place = 0; place < Count; place++)
        {
            // The uniform share of the first place has a standard deviation of 1,155, so that of its mean is 18.
            Assert.InRange(runs.Average(shares => shares[place]), 1_900, 2_100);
            Assert.True(runs.Min(shares => shares[place]) < 200);
            Assert.True(runs.Max(shares => shares[place]) > 3_800);
        }

        // The first share is uniform: each tenth of its range comes a tenth of the time.
        var tenths = runs.GroupBy(shares => (shares[0] - 1) * 10 / 3_999)
            .ToDictionary(tenth => tenth.Key, tenth => tenth.Count());
        Assert.Equal(10, tenths.Count);
        Assert.All(tenths.Values, count => Assert.InRange(count, Runs / 10 * 3 / 4, Runs / 10 * 5 / 4));
        Assert.InRange(runs.Select(shares => string.Join(' ', shares)).Distinct().Count(), Runs - 5, Runs);
    }

    [Fact]
    public void Another_bit_of_the_seed_gives_another_commitment_and_other_shares()
    {
        var commits = new HashSet<string>(StringComparer.Ordinal);
        var shares = new HashSet<string>(StringComparer.Ordinal);
        for (var bit = -1; bit < 256; bit++)
        {
            var seed = s_seed.ToArray();
            if (bit >= 0)
            {
                seed[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            Assert.True(commits.Add(Convert.ToHexString(PacketShares.CommitTo(seed))));
            Assert.True(shares.Add(string.Join(' ', PacketShares.Divide(PacketMode.Random, 1_000_000, 6, seed))));
        }
    }

    [Fact]
    public void What_cannot_be_divided_is_a_mistake_of_the_caller()
    {
        Assert.ThrowsAny<ArgumentException>(() => PacketShares.Divide(PacketMode.Random, 2, 3, s_seed));
        Assert.ThrowsAny<ArgumentException>(() => PacketShares.Divide(PacketMode.Fixed, 2, 3, s_seed));
        Assert.ThrowsAny<ArgumentException>(() => PacketShares.Divide(PacketMode.Random, 2, 0, s_seed));
        Assert.ThrowsAny<ArgumentException>(() => PacketShares.Divide(PacketMode.Random, 5, 2, s_seed.AsSpan(0, 31)));
        Assert.ThrowsAny<ArgumentException>(() => PacketShares.Divide(PacketMode.Random, 5, 2, [.. s_seed, 0]));
    }

    private static void Check(Action<Packet> law) =>
        Prop.ForAll(s_packets.ToArbitrary(), law).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    private sealed record Packet(long Total, int Count, byte[] Seed);
}

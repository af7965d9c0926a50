using System.Numerics;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Bills are divided to the last unit, and the same way everywhere.</summary>
public sealed class SplitDivisionTests
{
    private static readonly Gen<(long Total, int[] Weights)> s_bills =
        from total in Gen.OneOf(
            Gen.Choose(0, 100).Select(value => (long)value), Gen.Choose(0, int.MaxValue - 1).Select(value => (long)value),
            Gen.Elements(Limits.AmountMaxMinor, Limits.AmountMaxMinor - 1))
        from people in Gen.Choose(1, Limits.SplitShares)
        from weights in Gen.ArrayOf(Gen.OneOf(Gen.Choose(0, 5), Gen.Choose(0, int.MaxValue - 1)), people)
        where weights.Any(weight => weight > 0)
        select (total, weights);

    [Fact]
    public void What_does_not_divide_goes_to_the_first_ones()
    {
        Assert.Equal([34, 33, 33], SplitDivision.Equally(100, 3));
        Assert.Equal([1, 1, 0, 0], SplitDivision.Equally(2, 4));
        Assert.Equal([0, 0], SplitDivision.Equally(0, 2));
    }

    /// <summary>7 units by 3 : 2 : 2 nights are 3, 2 and 2 and nothing is left; 10 are 4.29, 2.86 and 2.86.</summary>
    [Fact]
    public void What_does_not_divide_by_shares_goes_to_the_largest_remainders()
    {
        Assert.Equal([3, 2, 2], SplitDivision.ByShares(7, [3, 2, 2]));
        Assert.Equal([4, 3, 3], SplitDivision.ByShares(10, [3, 2, 2]));
        Assert.Equal([1, 1, 0], SplitDivision.ByShares(2, [1, 1, 1]));
        Assert.Equal([0, 5, 0], SplitDivision.ByShares(5, [0, 1, 0]));
        Assert.Equal([33, 67], SplitDivision.ByShares(100, [1, 2]));
    }

    [Fact]
    public void Equal_parts_add_up_and_differ_by_one_at_most() => Prop.ForAll(
        s_bills.ToArbitrary(), bill =>
        {
            var parts = SplitDivision.Equally(bill.Total, bill.Weights.Length);
            Assert.Equal(bill.Total, parts.Sum());
            Assert.True(parts[0] - parts[^1] <= 1);
            Assert.Equal(parts.OrderDescending(), parts);
            Assert.Equal(parts, SplitDivision.ByShares(bill.Total, [.. bill.Weights.Select(_ => 1)]));
        }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Parts_by_shares_add_up_and_are_the_quota_rounded_up_or_down() => Prop.ForAll(
        s_bills.ToArbitrary(), bill =>
        {
            var (total, weights) = bill;
            var parts = SplitDivision.ByShares(total, weights);
            var sum = weights.Aggregate(BigInteger.Zero, (all, weight) => all + weight);
            Assert.Equal(total, parts.Sum());
            Assert.Equal(parts, SplitDivision.ByShares(total, [.. weights]));
            var quotas = weights.Select(weight => BigInteger.DivRem(new BigInteger(total) * weight, sum)).ToArray();
            foreach (var (part, quota) in parts.Zip(quotas))
            {
                Assert.True(part - quota.Quotient is var more && (more == 0 || (more == 1 && quota.Remainder > 0)));
            }

            // Nobody got a unit more whose remainder was smaller than that of somebody who did not.
            var raised = quotas.Zip(parts).Where(one => one.Second > one.First.Quotient).Select(one => one.First.Remainder);
            var left = quotas.Zip(parts).Where(one => one.Second == one.First.Quotient).Select(one => one.First.Remainder);
            Assert.True(raised.DefaultIfEmpty(sum).Min() >= left.DefaultIfEmpty(0).Max());
        }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Shares_that_divide_nothing_are_a_mistake_of_the_caller()
    {
        Assert.ThrowsAny<ArgumentException>(() => SplitDivision.ByShares(5, []));
        Assert.ThrowsAny<ArgumentException>(() => SplitDivision.ByShares(5, [0, 0]));
        Assert.ThrowsAny<ArgumentException>(() => SplitDivision.ByShares(5, [3, -1]));
        Assert.ThrowsAny<ArgumentException>(() => SplitDivision.ByShares(-1, [1]));
        Assert.ThrowsAny<ArgumentException>(() => SplitDivision.Equally(5, 0));
        Assert.ThrowsAny<ArgumentException>(() => SplitDivision.Equally(-1, 2));
    }
}

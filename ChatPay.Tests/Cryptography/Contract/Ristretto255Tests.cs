using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>The laws of the group and of its scalars.</summary>
public sealed class Ristretto255Tests
{
    // The group's order, 2^252 + 27742317777372353535851937790883648493.
    private const string Order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

    [Fact]
    public void Multiplying_distributes_over_adding() =>
        Check.QuickThrowOnFailure(Prop.ForAll<int, int, int>(static (a, b, c) =>
        {
            var (first, second, element) = (ScalarOf(a), ScalarOf(b), ElementOf(c));
            var sum = new byte[32];
            Ristretto255.AddScalars(first, second, sum);
            var (one, other, both, together) = (new byte[32], new byte[32], new byte[32], new byte[32]);
            return Ristretto255.TryMultiply(first, element, one)
                && Ristretto255.TryMultiply(second, element, other)
                && Ristretto255.TryAdd(one, other, both)
                && Ristretto255.TryMultiply(sum, element, together)
                && both.AsSpan().SequenceEqual(together);
        }));

    [Fact]
    public void What_is_blinded_unblinds() => Check.QuickThrowOnFailure(Prop.ForAll<int, int>(static (a, b) =>
    {
        var (blind, element) = (ScalarOf(a), ElementOf(b));
        var (blinded, inverse, unblinded, one) = (new byte[32], new byte[32], new byte[32], new byte[32]);
        var isInverted = Ristretto255.TryInvertScalar(blind, inverse);
        Ristretto255.MultiplyScalars(blind, inverse, one);
        return isInverted
            && one[0] == 1 && one.AsSpan(1).IndexOfAnyExcept((byte)0) < 0
            && Ristretto255.TryMultiply(blind, element, blinded)
            && !blinded.AsSpan().SequenceEqual(element)
            && Ristretto255.TryMultiply(inverse, blinded, unblinded)
            && unblinded.AsSpan().SequenceEqual(element);
    }));

    [Fact]
    public void Subtracting_undoes_adding()
    {
        var (first, second, sum, difference) = (ScalarOf(1), ScalarOf(2), new byte[32], new byte[32]);
        Ristretto255.AddScalars(first, second, sum);
        Ristretto255.SubtractScalars(sum, second, difference);
        Assert.Equal(first, difference);
    }

    [Fact]
    public void The_identity_never_comes_out()
    {
        var (element, outcome) = (ElementOf(1), new byte[32]);
        Assert.False(Ristretto255.TryMultiply(new byte[32], element, outcome));
        Assert.False(Ristretto255.TryMultiplyBase(new byte[32], outcome));
        Assert.False(Ristretto255.TrySubtract(element, element, outcome));
        Assert.False(Ristretto255.TryInvertScalar(new byte[32], outcome));

        // The inverse of an element is it times the order less one.
        var minusOne = Convert.FromHexString(Order);
        minusOne[0]--;
        Assert.True(Ristretto255.TryMultiply(minusOne, element, outcome));
        Assert.False(Ristretto255.TryAdd(element, outcome, outcome));
    }

    [Fact]
    public void A_scalar_is_below_the_order()
    {
        var order = Convert.FromHexString(Order);
        Assert.False(Ristretto255.IsScalar(order));
        Assert.False(Ristretto255.IsScalar(Convert.FromHexString(new string('f', 64))));
        Assert.False(Ristretto255.IsScalar(new byte[31]));
        Assert.False(Ristretto255.IsScalar(new byte[33]));
        Assert.True(Ristretto255.IsScalar(new byte[32]));
        order[0]--;
        Assert.True(Ristretto255.IsScalar(order));
    }

    [Fact]
    public void Misuse_throws()
    {
        var order = Convert.FromHexString(Order);
        var (scalar, element, outcome) = (ScalarOf(1), ElementOf(1), new byte[32]);
        Assert.Throws<ArgumentException>(() => Ristretto255.TryMultiply(order, element, outcome));
        Assert.Throws<ArgumentException>(() => Ristretto255.TryMultiplyBase(order, outcome));
        Assert.Throws<ArgumentException>(() => Ristretto255.TryInvertScalar(order, outcome));
        Assert.Throws<ArgumentException>(() => Ristretto255.AddScalars(scalar, order, outcome));
        Assert.Throws<ArgumentException>(() => Ristretto255.SubtractScalars(order, scalar, outcome));
        Assert.Throws<ArgumentException>(() => Ristretto255.MultiplyScalars(scalar, order, outcome));
        Assert.Throws<ArgumentException>(() => Ristretto255.TryMultiply(scalar, element, new byte[31]));
        Assert.Throws<ArgumentException>(() => Ristretto255.TryAdd(element, element, new byte[33]));
        Assert.Throws<ArgumentException>(() => Ristretto255.MapToElement(new byte[63], outcome));
        Assert.Throws<ArgumentException>(() => Ristretto255.ReduceToScalar(new byte[65], outcome));
    }

    private static byte[] ScalarOf(int number)
    {
        var scalar = new byte[Ristretto255.ScalarSize];
        Ristretto255.ReduceToScalar(SHA512.HashData(BitConverter.GetBytes(number)), scalar);
        return scalar;
    }

    private static byte[] ElementOf(int number)
    {
        var element = new byte[Ristretto255.ElementSize];
        Ristretto255.MapToElement(SHA512.HashData(BitConverter.GetBytes(number)), element);
        return element;
    }
}

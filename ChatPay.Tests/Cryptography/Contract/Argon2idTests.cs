using System.Text;
using ChatPay.Core.Cryptography;
using Xunit;

namespace ChatPay.Tests.Cryptography;

public sealed class Argon2idTests
{
    private static readonly byte[] Salt = Encoding.ASCII.GetBytes("somesalt-16bytes");

    [Theory]
    [InlineData(64, 1)]
    [InlineData(19 * 1024, 2)]
    public void Equal_input_gives_equal_output_and_nothing_else_does(int memorySize, int passes)
    {
        var algorithm = new Argon2id(new Argon2Parameters(1, memorySize, passes));
        var first = new byte[32];
        var second = new byte[32];
        algorithm.DeriveBytes("password"u8, Salt, first);
        algorithm.DeriveBytes("password"u8, Salt, second);
        Assert.Equal(first, second);

        algorithm.DeriveBytes("passwore"u8, Salt, second);
        Assert.NotEqual(first, second);

        new Argon2id(new Argon2Parameters(1, memorySize, passes + 1)).DeriveBytes("password"u8, Salt, second);
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void It_computes_what_every_other_implementation_does()
    {
        var bytes = new byte[32];
        new Argon2id(new Argon2Parameters(1, 64 * 1024, 2)).DeriveBytes("password"u8, Salt, bytes);

        Assert.Equal(
            "a094bd231a33de394ece80b157789a2a5e3720ce7c55cc406ff329b7eb40b0c6", Convert.ToHexStringLower(bytes));
    }

    [Fact]
    public void Misuse_throws()
    {
        var algorithm = new Argon2id(new Argon2Parameters(1, 64, 1));
        Assert.Throws<ArgumentException>(() => algorithm.DeriveBytes("x"u8, Salt.AsSpan(1), new byte[32]));
        Assert.Throws<ArgumentException>(() => algorithm.DeriveBytes("x"u8, Salt, new byte[15]));
        Assert.Throws<ArgumentException>(() => algorithm.DeriveBytes("x"u8, Salt, new byte[65]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Argon2id(new Argon2Parameters(2, 64, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Argon2id(new Argon2Parameters(1, 7, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Argon2id(new Argon2Parameters(1, 64, 0)));
    }
}

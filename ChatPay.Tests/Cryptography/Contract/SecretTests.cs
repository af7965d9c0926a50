using ChatPay.Core.Cryptography;
using Xunit;

namespace ChatPay.Tests.Cryptography;

public sealed class SecretTests
{
    [Fact]
    public void It_is_zeros_once_it_is_disposed()
    {
        var secret = Secret.Copy([1, 2, 3]);
        var bytes = secret.Span;
        Assert.Equal(3, secret.Size);
        Assert.Equal([1, 2, 3], bytes.ToArray());

        secret.Dispose();
        Assert.True(secret.IsDisposed);
        Assert.Equal([0, 0, 0], bytes.ToArray());
        Assert.Throws<ObjectDisposedException>(() => secret.Span.Length);
        secret.Dispose();
    }

    [Fact]
    public void A_copy_has_bytes_of_its_own()
    {
        byte[] bytes = [1, 2, 3];
        using var secret = Secret.Copy(bytes);
        bytes[0] = 9;
        Assert.Equal(1, secret.Span[0]);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1000)]
    public void What_is_put_together_is_wiped_wherever_it_lies(int sizeBytes)
    {
        Span<byte> onStack = stackalloc byte[100];
        var scratch = new ScratchBuffer(onStack, sizeBytes);
        scratch.Span.Fill(0xff);
        var bytes = scratch.Span;
        Assert.Equal(sizeBytes, bytes.Length);

        scratch.Dispose();
        Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)0));
    }
}

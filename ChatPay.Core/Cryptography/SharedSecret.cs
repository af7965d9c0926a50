namespace ChatPay.Core.Cryptography;

/// <summary>The outcome of a key agreement: not uniformly random, so it goes into a key derivation and nowhere else.</summary>
public sealed class SharedSecret : IDisposable
{
    private readonly SecureMemory _secret;

    internal SharedSecret(SecureMemory secret) => _secret = secret;

    public int Size => _secret.SizeBytes;

    /// <summary>The bytes, valid until this object is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The secret is disposed.</exception>
    internal ReadOnlySpan<byte> Bytes => _secret.Span;

    /// <summary>A copy; the caller zeroes it.</summary>
    /// <exception cref="ObjectDisposedException">The secret is disposed.</exception>
    public byte[] Export()
    {
        var copy = Bytes.ToArray();
        GC.KeepAlive(this);
        return copy;
    }

    public void Dispose() => _secret.Dispose();
}

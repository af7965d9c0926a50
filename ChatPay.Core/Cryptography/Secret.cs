using System.Security.Cryptography;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// A short-lived secret, such as those of one epoch or one message: in memory that the garbage collector never moves, so
/// that no copy stays behind, and zeroed when disposed. It is cheap, unlike <see cref="SecureMemory"/>, whose guard pages
/// cost system calls and which is for the few keys that live long.
/// </summary>
internal sealed class Secret : IDisposable
{
    private readonly byte[] _bytes;

    /// <param name="sizeBytes">Its size; the bytes begin as zeros.</param>
    public Secret(int sizeBytes) => _bytes = GC.AllocateArray<byte>(sizeBytes, pinned: true);

    public int Size => _bytes.Length;

    public bool IsDisposed { get; private set; }

    /// <summary>The bytes themselves; they are zeros once the secret is disposed, so nobody keeps the span.</summary>
    /// <exception cref="ObjectDisposedException">The secret is gone.</exception>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            return _bytes;
        }
    }

    /// <summary>A secret of its own with the same bytes; the caller zeroes what it copied from.</summary>
    public static Secret Copy(ReadOnlySpan<byte> bytes)
    {
        var secret = new Secret(bytes.Length);
        bytes.CopyTo(secret._bytes);
        return secret;
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_bytes);
        IsDisposed = true;
    }
}

using System.Runtime.InteropServices;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// Memory for secrets from libsodium: between guard pages, kept out of swap and core dumps where the system allows it,
/// and zeroed when it is freed.
/// </summary>
internal sealed partial class SecureMemory : SafeHandle
{
    private SecureMemory(nint address, int sizeBytes)
        : base(0, ownsHandle: true)
    {
        SetHandle(address);
        SizeBytes = sizeBytes;
    }

    public override bool IsInvalid => handle == 0;

    public int SizeBytes { get; }

    /// <exception cref="InvalidOperationException">The system gives no more memory of this kind.</exception>
    public static SecureMemory Allocate(int sizeBytes)
    {
        Sodium.Initialize();
        var address = Malloc((nuint)sizeBytes);
        return address != 0
            ? new SecureMemory(address, sizeBytes)
            : throw new InvalidOperationException("libsodium could not allocate memory for a secret.");
    }

    public static SecureMemory Copy(ReadOnlySpan<byte> secret)
    {
        var memory = Allocate(secret.Length);
        secret.CopyTo(memory.Span);
        return memory;
    }

    /// <summary>
    /// The bytes themselves. They go away when the handle is disposed, so a caller keeps the owning object alive
    /// (<see cref="GC.KeepAlive"/>) while it uses them.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The secret is gone.</exception>
    public unsafe Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return new Span<byte>((void*)handle, SizeBytes);
        }
    }

    protected override bool ReleaseHandle()
    {
        Free(handle);
        return true;
    }

    [LibraryImport("libsodium", EntryPoint = "sodium_malloc")]
    private static partial nint Malloc(nuint size);

    [LibraryImport("libsodium", EntryPoint = "sodium_free")]
    private static partial void Free(nint address);
}

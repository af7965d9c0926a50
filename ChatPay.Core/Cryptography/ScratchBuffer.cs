using System.Buffers;
using System.Security.Cryptography;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// Room for bytes that are put together for one call: on the caller's stack where they are few, else borrowed from the
/// shared pool, and zeroed in both cases because they may be secret.
/// </summary>
internal ref struct ScratchBuffer
{
    /// <summary>What a caller sets aside on its stack: enough for every labelled derivation of MLS and HPKE.</summary>
    public const int StackBytes = 512;

    private byte[]? _rented;

    /// <param name="onStack">Used where it is long enough.</param>
    /// <param name="sizeBytes">How many bytes are needed.</param>
    public ScratchBuffer(Span<byte> onStack, int sizeBytes)
    {
        _rented = sizeBytes <= onStack.Length ? null : ArrayPool<byte>.Shared.Rent(sizeBytes);
        Span = (_rented is null ? onStack : _rented)[..sizeBytes];
    }

    public Span<byte> Span { get; }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(Span);
        if (_rented is { } rented)
        {
            _rented = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}

using System.Buffers;

namespace ChatPay.Server.Realtime;

/// <summary>Bytes that gather in pooled memory, of which nothing is held while there are none. A field, never a copy.</summary>
internal struct PooledBytes()
{
    private const int StartBytes = 1024;

    private byte[] _bytes = [];

    public int Length { get; private set; }

    public readonly ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    /// <summary>Room for at least so many more bytes, and for one.</summary>
    public Memory<byte> Room(int more)
    {
        more = Math.Max(more, 1);
        if (_bytes.Length - Length < more)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(StartBytes, Math.Max(2 * _bytes.Length, Length + more)));
            _bytes.AsSpan(0, Length).CopyTo(larger);
            Free();
            _bytes = larger;
        }

        return _bytes.AsMemory(Length);
    }

    public void Advance(int bytes) => Length += bytes;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length).Span);
        Length += bytes.Length;
    }

    /// <summary>Forgets the bytes, and keeps their room for the next ones.</summary>
    public void Clear() => Length = 0;

    /// <summary>Forgets the bytes and gives their room back.</summary>
    public void Return()
    {
        Free();
        (_bytes, Length) = ([], 0);
    }

    private readonly void Free()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }
    }
}

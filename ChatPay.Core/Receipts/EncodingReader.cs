using System.Buffers.Binary;

namespace ChatPay.Core.Receipts;

/// <summary>
/// Reads an encoding from left to right. What is not there reads as zeros and sets <see cref="Failed"/>, so a reader looks
/// once, at the end.
/// </summary>
internal ref struct EncodingReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public bool Failed { get; private set; }

    /// <summary>Whether everything was there and nothing is left.</summary>
    public readonly bool IsComplete => !Failed && _rest.IsEmpty;

    public ReadOnlySpan<byte> Take(int size)
    {
        if (size > _rest.Length)
        {
            Failed = true;
            _rest = default;
            return new byte[size];
        }

        var taken = _rest[..size];
        _rest = _rest[size..];
        return taken;
    }

    public byte Byte() => Take(1)[0];

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(sizeof(int)));

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Take(sizeof(long)));

    public Guid Id() => new(Take(EncodingWriter.IdBytes), bigEndian: true);

    /// <summary>An id, or null for zeros.</summary>
    public Guid? OptionalId() => Id() is var id && id != Guid.Empty ? id : null;

    /// <summary>Bytes behind their length in two bytes.</summary>
    public ReadOnlySpan<byte> Counted() => Take(BinaryPrimitives.ReadUInt16BigEndian(Take(sizeof(ushort))));
}

using System.Buffers;
using System.Buffers.Binary;

namespace ChatPay.Core.Receipts;

/// <summary>Writes an encoding from left to right: integers big-endian, ids in network order.</summary>
internal sealed class EncodingWriter
{
    public const int IdBytes = 16;

    private const int UsualBytes = 512;

    private readonly ArrayBufferWriter<byte> _bytes = new(UsualBytes);

    public EncodingWriter Bytes(ReadOnlySpan<byte> bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public EncodingWriter Byte(byte value) => Bytes([value]);

    public EncodingWriter Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(_bytes.GetSpan(sizeof(long)), value);
        _bytes.Advance(sizeof(long));
        return this;
    }

    /// <summary>Zeros for null: no id is that.</summary>
    public EncodingWriter Id(Guid? id)
    {
        (id ?? Guid.Empty).TryWriteBytes(_bytes.GetSpan(IdBytes), bigEndian: true, out _);
        _bytes.Advance(IdBytes);
        return this;
    }

    /// <summary>Bytes behind their length in two bytes.</summary>
    /// <exception cref="OverflowException">More than 65,535 bytes.</exception>
    public EncodingWriter Counted(ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.GetSpan(sizeof(ushort)), checked((ushort)bytes.Length));
        _bytes.Advance(sizeof(ushort));
        return Bytes(bytes);
    }

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
}

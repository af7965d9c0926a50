using System.Buffers.Binary;

namespace ChatPay.Core.Vault;

/// <summary>
/// Puts byte strings one after the other into room that the caller has set aside: what is hashed, signed or sent.
/// Numbers are in network order.
/// </summary>
internal ref struct ByteScript(Span<byte> room)
{
    private readonly Span<byte> _room = room;
    private int _length;

    public readonly ReadOnlySpan<byte> Written => _room[.._length];

    public void Add(byte value) => _room[_length++] = value;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_room[_length..]);
        _length += bytes.Length;
    }

    /// <summary>The length in two bytes, then the bytes.</summary>
    public void AddFramed(ReadOnlySpan<byte> bytes)
    {
        AddUInt16(checked((ushort)bytes.Length));
        Add(bytes);
    }

    public void AddUInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_room[_length..], value);
        _length += sizeof(ushort);
    }

    public void AddUInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_room[_length..], value);
        _length += sizeof(uint);
    }

    public void AddUInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_room[_length..], value);
        _length += sizeof(ulong);
    }

    public void Add(Guid id)
    {
        const int IdBytes = 16;
        id.TryWriteBytes(_room[_length..], bigEndian: true, out _);
        _length += IdBytes;
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>Writes TLS presentation language as RFC 9420 section 2.1 uses it, into one growing buffer.</summary>
public sealed class TlsWriter
{
    private byte[] _buffer;
    private int _length;

    public TlsWriter(int capacityBytes = 256) => _buffer = new byte[capacityBytes];

    /// <summary>Size of the buffer, which only grows.</summary>
    internal int CapacityBytes => _buffer.Length;

    public ReadOnlySpan<byte> WrittenSpan => _buffer.AsSpan(0, _length);

    public byte[] ToArray() => WrittenSpan.ToArray();

    /// <summary>
    /// Zeroes what was written and begins anew in the same buffer. Whoever wrote secrets calls it when the bytes have
    /// gone where they were meant to.
    /// </summary>
    public void Clear()
    {
        CryptographicOperations.ZeroMemory(_buffer.AsSpan(0, _length));
        _length = 0;
    }

    /// <summary>Room for bytes that the caller fills in; good until the next write.</summary>
    internal Span<byte> Append(int count) => Reserve(count);

    public void WriteByte(byte value) => Reserve(sizeof(byte))[0] = value;

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(sizeof(ushort)), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(sizeof(uint)), value);

    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Reserve(sizeof(ulong)), value);

    /// <summary>Bytes without a length before them.</summary>
    public void WriteFixed(ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    /// <summary><c>opaque value&lt;V&gt;</c>.</summary>
    public void WriteOpaque(ReadOnlySpan<byte> value)
    {
        WriteLength(value.Length);
        WriteFixed(value);
    }

    public void WriteOptional<T>(T? value)
        where T : class, ITlsStructure<T>
    {
        WriteByte(value is null ? (byte)0 : (byte)1);
        value?.Write(this);
    }

    public void WriteVector<T>(IReadOnlyList<T> items)
        where T : ITlsStructure<T>
    {
        ArgumentNullException.ThrowIfNull(items);
        var mark = BeginVector();
        foreach (var item in items)
        {
            item.Write(this);
        }

        EndVector(mark);
    }

    public void WriteOptionalVector<T>(IReadOnlyList<T?> items)
        where T : class, ITlsStructure<T>
    {
        ArgumentNullException.ThrowIfNull(items);
        var mark = BeginVector();
        foreach (var item in items)
        {
            WriteOptional(item);
        }

        EndVector(mark);
    }

    public void WriteUInt16Vector(ReadOnlySpan<ushort> values)
    {
        WriteLength(values.Length * sizeof(ushort));
        foreach (var value in values)
        {
            WriteUInt16(value);
        }
    }

    public void WriteUInt32Vector(ReadOnlySpan<uint> values)
    {
        WriteLength(values.Length * sizeof(uint));
        foreach (var value in values)
        {
            WriteUInt32(value);
        }
    }

    /// <summary>Begins a vector whose length is known only at <see cref="EndVector"/>.</summary>
    /// <returns>What <see cref="EndVector"/> takes.</returns>
    public int BeginVector()
    {
        // Most vectors are short: one octet is set aside, and a longer length moves the content up.
        Reserve(1);
        return _length;
    }

    /// <summary>Ends the vector and writes its length before it.</summary>
    public void EndVector(int mark)
    {
        var contentLength = _length - mark;
        var extra = LengthSize(contentLength) - 1;
        if (extra > 0)
        {
            Reserve(extra);
            _buffer.AsSpan(mark, contentLength).CopyTo(_buffer.AsSpan(mark + extra));
        }

        PutLength(_buffer.AsSpan(mark - 1), contentLength);
    }

    /// <summary>A vector's length in the fewest octets, section 2.1.2.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or 2^30 and more.</exception>
    public void WriteLength(int length) => PutLength(Reserve(LengthSize(length)), length);

    /// <summary>In how many octets a vector's length is written.</summary>
    internal static int LengthSize(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(length, 1 << 30);
        return length < 1 << 6 ? 1 : length < 1 << 14 ? 2 : 4;
    }

    /// <summary>Puts a vector's length in the fewest octets.</summary>
    /// <returns>What of the target comes after it.</returns>
    internal static Span<byte> PutLength(Span<byte> target, int length)
    {
        var size = LengthSize(length);
        switch (size)
        {
            case 1:
                target[0] = (byte)length;
                break;
            case 2:
                BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)(length | (1 << 14)));
                break;
            default:
                BinaryPrimitives.WriteUInt32BigEndian(target, (uint)length | (1u << 31));
                break;
        }

        return target[size..];
    }

    private Span<byte> Reserve(int count)
    {
        var start = _length;
        if (count > _buffer.Length - start)
        {
            // What is left behind might hold secrets, and nobody could zero it later.
            var outgrown = _buffer;
            _buffer = new byte[Math.Max(start + count, outgrown.Length * 2)];
            outgrown.AsSpan(0, start).CopyTo(_buffer);
            CryptographicOperations.ZeroMemory(outgrown.AsSpan(0, start));
        }

        _length = start + count;
        return _buffer.AsSpan(start, count);
    }
}

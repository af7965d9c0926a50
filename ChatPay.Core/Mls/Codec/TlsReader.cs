using System.Buffers.Binary;

namespace ChatPay.Core.Mls;

/// <summary>
/// Reads TLS presentation language as RFC 9420 section 2.1 uses it. A reader that meets something wrong stays failed:
/// from then on it reads zeros, empties and ends of vectors, so a structure is read straight through and asked once.
/// </summary>
/// <remarks>
/// Nothing is allocated for a length that the input does not really have, so allocations stay within a small multiple
/// of the input.
/// </remarks>
public ref struct TlsReader
{
    private readonly ReadOnlySpan<byte> _input;
    private int _position;
    private int _end;
    private int _depth;

    public TlsReader(ReadOnlySpan<byte> input)
        : this(input, MlsLimits.MessageBytes)
    {
    }

    private TlsReader(ReadOnlySpan<byte> input, int mostBytes)
    {
        _input = input;
        _end = input.Length;
        if (input.Length > mostBytes)
        {
            Fail(MlsRejection.TooLarge);
        }
    }

    /// <summary>
    /// Reads what this client wrote and sealed itself. A state is a sum of many messages' parts, so it may be larger than any
    /// of them.
    /// </summary>
    internal static TlsReader OfState(ReadOnlySpan<byte> state) => new(state, int.MaxValue);

    /// <summary>The first thing that was wrong, or <see cref="MlsRejection.None"/>.</summary>
    public MlsRejection Rejection { get; private set; }

    /// <summary>Whether the innermost vector entered (or the whole input) has unread bytes.</summary>
    public readonly bool HasMore => _position < _end;

    /// <summary>How many bytes of the input are read; nothing sensible once the reader has failed.</summary>
    internal readonly int Position => _position;

    /// <summary>Refuses the input; the first reason stays.</summary>
    public void Fail(MlsRejection reason)
    {
        if (Rejection == MlsRejection.None)
        {
            Rejection = reason;
        }

        _position = _end = 0;
    }

    /// <summary>As <see cref="Fail(MlsRejection)"/>, in the place of a value, which nobody will see.</summary>
    public T Fail<T>(MlsRejection reason)
    {
        Fail(reason);
        return default!;
    }

    /// <summary>Refuses the input if anything is left of it.</summary>
    public void End()
    {
        if (HasMore)
        {
            Fail(MlsRejection.TrailingBytes);
        }
    }

    public byte ReadByte() => Take(sizeof(byte)) is [var value] ? value : (byte)0;

    public ushort ReadUInt16() =>
        Take(sizeof(ushort)) is { Length: > 0 } bytes ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;

    public uint ReadUInt32() =>
        Take(sizeof(uint)) is { Length: > 0 } bytes ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;

    public ulong ReadUInt64() =>
        Take(sizeof(ulong)) is { Length: > 0 } bytes ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : 0;

    /// <summary><c>opaque value&lt;V&gt;</c>, as a slice of the input.</summary>
    public ReadOnlySpan<byte> ReadOpaqueSpan() => Take(ReadLength());

    /// <summary>As many bytes without a length before them, as a slice of the input.</summary>
    internal ReadOnlySpan<byte> ReadFixedSpan(int length) => Take(length);

    /// <summary>Whatever is left of the innermost vector entered or of the whole input.</summary>
    internal ReadOnlySpan<byte> ReadRest() => Take(_end - _position);

    /// <summary><c>opaque value&lt;V&gt;</c>, copied.</summary>
    public byte[] ReadOpaque()
    {
        var bytes = ReadOpaqueSpan();
        return bytes.IsEmpty ? [] : bytes.ToArray();
    }

    /// <summary><c>optional&lt;T&gt;</c>'s presence octet, section 2.1.1.</summary>
    public bool ReadPresence()
    {
        var presence = ReadByte();
        if (presence > 1)
        {
            Fail(MlsRejection.PresenceInvalid);
        }

        return presence == 1;
    }

    public T? ReadOptional<T>()
        where T : class, ITlsStructure<T> => ReadPresence() ? T.Read(ref this) : null;

    /// <summary><c>T values&lt;V&gt;</c>.</summary>
    public IReadOnlyList<T> ReadVector<T>()
        where T : ITlsStructure<T>
    {
        var scope = EnterVector();
        List<T>? items = null;
        while (HasMore)
        {
            items ??= [];
            items.Add(T.Read(ref this));
            CheckCount(items.Count);
        }

        LeaveVector(scope);
        return items is null ? [] : items;
    }

    /// <summary><c>optional&lt;T&gt; values&lt;V&gt;</c>; blanks are null.</summary>
    public IReadOnlyList<T?> ReadOptionalVector<T>()
        where T : class, ITlsStructure<T>
    {
        var scope = EnterVector();
        List<T?>? items = null;
        while (HasMore)
        {
            items ??= [];
            items.Add(ReadOptional<T>());
            CheckCount(items.Count);
        }

        LeaveVector(scope);
        return items is null ? [] : items;
    }

    /// <summary><c>uint16 values&lt;V&gt;</c>.</summary>
    public ushort[] ReadUInt16Vector()
    {
        var bytes = ReadOpaqueSpan();
        if (bytes.Length % sizeof(ushort) != 0)
        {
            return Fail<ushort[]>(MlsRejection.Truncated);
        }

        CheckCount(bytes.Length / sizeof(ushort));
        var values = bytes.IsEmpty ? [] : new ushort[bytes.Length / sizeof(ushort)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = BinaryPrimitives.ReadUInt16BigEndian(bytes[(i * sizeof(ushort))..]);
        }

        return values;
    }

    /// <summary><c>uint32 values&lt;V&gt;</c>.</summary>
    public uint[] ReadUInt32Vector()
    {
        var bytes = ReadOpaqueSpan();
        if (bytes.Length % sizeof(uint) != 0)
        {
            return Fail<uint[]>(MlsRejection.Truncated);
        }

        CheckCount(bytes.Length / sizeof(uint));
        var values = bytes.IsEmpty ? [] : new uint[bytes.Length / sizeof(uint)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = BinaryPrimitives.ReadUInt32BigEndian(bytes[(i * sizeof(uint))..]);
        }

        return values;
    }

    /// <summary>
    /// Reads a vector's length and confines the reader to its bytes until <see cref="LeaveVector"/>; read items while
    /// <see cref="HasMore"/>.
    /// </summary>
    /// <returns>What <see cref="LeaveVector"/> takes to go back to the outer bounds.</returns>
    public int EnterVector()
    {
        var length = ReadLength();
        if (length > _end - _position)
        {
            Fail(MlsRejection.Truncated);
        }
        else if (++_depth > MlsLimits.VectorDepth)
        {
            Fail(MlsRejection.TooLarge);
        }

        var outerEnd = _end;
        _end = Rejection == MlsRejection.None ? _position + length : _position;
        return outerEnd;
    }

    /// <summary>Ends what <see cref="EnterVector"/> began; the vector must have been read to its last byte.</summary>
    public void LeaveVector(int scope)
    {
        if (HasMore)
        {
            Fail(MlsRejection.TrailingBytes);
        }

        if (Rejection == MlsRejection.None)
        {
            _end = scope;
            _depth--;
        }
    }

    /// <summary>
    /// A length as section 2.1.2 encodes it: two bits say how many octets (1, 2 or 4), and the fewest must be used.
    /// </summary>
    public int ReadLength()
    {
        var first = ReadByte();
        switch (first >> 6)
        {
            case 0:
                return first;
            case 1:
                var medium = ((first & 0x3f) << 8) | ReadByte();
                return medium >= 1 << 6 || Rejection != MlsRejection.None
                    ? medium : Fail<int>(MlsRejection.LengthNotMinimal);
            case 2:
                var large = ((first & 0x3f) << 24) | (ReadByte() << 16) | ReadUInt16();
                return large >= 1 << 14 || Rejection != MlsRejection.None
                    ? large : Fail<int>(MlsRejection.LengthNotMinimal);
            default:
                return Fail<int>(MlsRejection.LengthReserved);
        }
    }

    private void CheckCount(int count)
    {
        if (count > MlsLimits.VectorItems)
        {
            Fail(MlsRejection.TooLarge);
        }
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _end - _position)
        {
            Fail(MlsRejection.Truncated);
            return [];
        }

        var bytes = _input.Slice(_position, length);
        _position += length;
        return bytes;
    }
}

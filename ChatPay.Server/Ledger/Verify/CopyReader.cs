using System.Buffers.Binary;
using ChatPay.Core.Ledger;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>
/// Rows of a binary <c>copy … to stdout</c>, one at a time from one buffer. Verifying reads tens of millions of rows, and
/// this costs no allocation per row or field.
/// </summary>
/// <param name="stream">What PostgreSQL sends, from the header on.</param>
internal sealed class CopyReader(Stream stream)
{
    /// <summary>The signature, flags and no extension: what PostgreSQL writes before the first row.</summary>
    private const int HeaderBytes = 11 + 4 + 4;

    /// <summary>No row of the ledger comes near; a longer one is no row of the ledger.</summary>
    private const int RowMaxBytes = 1 << 20;

    private byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _headerRead;

    /// <summary>The row that <see cref="NextAsync"/> has found, until it is called again.</summary>
    public CopyRow Row => new(_buffer.AsSpan(_start + sizeof(short), _rowBytes - sizeof(short)));

    private int _rowBytes;

    /// <summary>Goes to the next row; false after the last.</summary>
    public ValueTask<bool> NextAsync(CancellationToken cancellationToken)
    {
        _start += _rowBytes;
        _rowBytes = 0;
        return _headerRead && TryFrame(out var isRow)
            ? ValueTask.FromResult(isRow)
            : ReadAsync(cancellationToken);
    }

    private async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        while (!_headerRead)
        {
            if (_end - _start >= HeaderBytes)
            {
                _start += HeaderBytes;
                _headerRead = true;
            }
            else
            {
                await FillAsync(cancellationToken);
            }
        }

        bool isRow;
        while (!TryFrame(out isRow))
        {
            await FillAsync(cancellationToken);
        }

        return isRow;
    }

    /// <summary>Whether the buffer holds a whole row, or the mark after the last one.</summary>
    private bool TryFrame(out bool isRow)
    {
        isRow = false;
        var bytes = _buffer.AsSpan(_start, _end - _start);
        if (bytes.Length < sizeof(short))
        {
            return false;
        }

        var fields = BinaryPrimitives.ReadInt16BigEndian(bytes);
        if (fields < 0)
        {
            return true;
        }

        var length = sizeof(short);
        for (var field = 0; field < fields; field++)
        {
            if (bytes.Length < length + sizeof(int))
            {
                return false;
            }

            length += sizeof(int) + Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(bytes[length..]));
            if (length > RowMaxBytes)
            {
                throw new InvalidDataException("A row of the ledger is too long to be one.");
            }
        }

        if (bytes.Length < length)
        {
            return false;
        }

        _rowBytes = length;
        isRow = true;
        return true;
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read > 0 ? read : throw new EndOfStreamException("PostgreSQL stopped in the middle of its rows.");
    }
}

/// <summary>The fields of one row, from left to right.</summary>
internal ref struct CopyRow(ReadOnlySpan<byte> fields)
{
    private ReadOnlySpan<byte> _rest = fields;

    public UInt128 Id() => BinaryPrimitives.ReadUInt128BigEndian(Next());

    public UInt128? OptionalId() => IsNull() ? null : Id();

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Next());

    public long? OptionalInt64() => IsNull() ? null : Int64();

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Next());

    public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Next());

    public short? OptionalInt16() => IsNull() ? null : Int16();

    public bool Boolean() => Next()[0] != 0;

    public string Text() => System.Text.Encoding.UTF8.GetString(Next());

    public string? OptionalText() => IsNull() ? null : Text();

    /// <summary>An asset's code as a number, so that millions of them cost no strings.</summary>
    public AssetKey Asset() => AssetKey.Of(Next());

    public ReadOnlySpan<byte> Bytes() => Next();

    public byte[]? OptionalBytes() => IsNull() ? null : Next().ToArray();

    /// <summary>Null where the bytes are too few or too many to be one.</summary>
    public PayloadHash? Hash() => Next() is { Length: PayloadHash.Bytes } digest ? PayloadHash.From(digest) : null;

    /// <summary>Whether the next field is null; if so it is behind.</summary>
    private bool IsNull()
    {
        if (BinaryPrimitives.ReadInt32BigEndian(_rest) >= 0)
        {
            return false;
        }

        _rest = _rest[sizeof(int)..];
        return true;
    }

    private ReadOnlySpan<byte> Next()
    {
        var length = BinaryPrimitives.ReadInt32BigEndian(_rest);
        if (length < 0)
        {
            throw new InvalidDataException("A row of the ledger lacks a value that each has; its table was altered.");
        }

        var value = _rest.Slice(sizeof(int), length);
        _rest = _rest[(sizeof(int) + length)..];
        return value;
    }
}

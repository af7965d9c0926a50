using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// The keys of a ratchet's skipped generations, in ascending order. The memory they take follows their number, which
/// <see cref="MlsLimits.SkippedKeys"/> bounds; what is removed is zeroed.
/// </summary>
internal sealed class SkippedMessageKeys(int keySize, int nonceSize) : IDisposable
{
    private const int FirstCapacity = 4;

    private readonly int _size = keySize + nonceSize;
    private uint[] _generations = [];
    private Secret? _keys;
    private int _count;

    /// <summary>Adds a generation later than all that are here.</summary>
    /// <returns>Where its key and nonce go.</returns>
    public Entry Add(uint generation)
    {
        if (_count == _generations.Length)
        {
            Grow();
        }

        _generations[_count] = generation;
        return At(_count++);
    }

    /// <summary>Copies out a key that is here.</summary>
    public bool TryGet(uint generation, Span<byte> key, Span<byte> nonce)
    {
        var place = Array.BinarySearch(_generations, 0, _count, generation);
        if (place < 0)
        {
            return false;
        }

        var entry = At(place);
        entry.Key.CopyTo(key);
        entry.Nonce.CopyTo(nonce);
        return true;
    }

    /// <returns>False where it is not here.</returns>
    public bool Remove(uint generation)
    {
        var place = Array.BinarySearch(_generations, 0, _count, generation);
        if (place >= 0)
        {
            RemoveAt(place);
        }

        return place >= 0;
    }

    /// <summary>Drops the keys that the window has left behind.</summary>
    /// <param name="next">The ratchet's next generation.</param>
    public void Drop(ulong next)
    {
        while (_count > 0 && next - _generations[0] > MlsLimits.SkippedKeys)
        {
            RemoveAt(0);
        }
    }

    /// <summary>
    /// Reads what <see cref="Write"/> wrote into an empty store; what it could not have written fails the reader.
    /// </summary>
    public void Read(ref TlsReader reader, ulong next)
    {
        var scope = reader.EnterVector();
        var least = 0UL;
        while (reader.HasMore)
        {
            var generation = reader.ReadUInt32();
            var bytes = reader.ReadFixedSpan(_size);
            if (bytes.IsEmpty || generation < least || generation >= next || next - generation > MlsLimits.SkippedKeys)
            {
                reader.Fail(MlsRejection.StateInvalid);
                break;
            }

            least = generation + 1UL;
            var entry = Add(generation);
            bytes[..keySize].CopyTo(entry.Key);
            bytes[keySize..].CopyTo(entry.Nonce);
        }

        reader.LeaveVector(scope);
    }

    public void Write(TlsWriter writer)
    {
        var mark = writer.BeginVector();
        for (var place = 0; place < _count; place++)
        {
            var entry = At(place);
            writer.WriteUInt32(_generations[place]);
            writer.WriteFixed(entry.Key);
            writer.WriteFixed(entry.Nonce);
        }

        writer.EndVector(mark);
    }

    public void Dispose() => _keys?.Dispose();

    private Entry At(int place)
    {
        var bytes = _keys!.Span.Slice(place * _size, _size);
        return new Entry(bytes[..keySize], bytes[keySize..]);
    }

    private void RemoveAt(int place)
    {
        var keys = _keys!.Span;
        keys[((place + 1) * _size)..(_count * _size)].CopyTo(keys[(place * _size)..]);
        Array.Copy(_generations, place + 1, _generations, place, _count - place - 1);
        _count--;
        CryptographicOperations.ZeroMemory(keys.Slice(_count * _size, _size));
    }

    private void Grow()
    {
        var capacity = Math.Max(FirstCapacity, 2 * _count);
        var keys = new Secret(capacity * _size);
        _keys?.Span.CopyTo(keys.Span);
        _keys?.Dispose();
        _keys = keys;
        Array.Resize(ref _generations, capacity);
    }

    /// <summary>A key and its nonce where they lie.</summary>
    public readonly ref struct Entry(Span<byte> key, Span<byte> nonce)
    {
        public Span<byte> Key { get; } = key;

        public Span<byte> Nonce { get; } = nonce;
    }
}

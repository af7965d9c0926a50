using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ChatPay.LoadTest.Driving;

/// <summary>
/// The generator SplitMix64 (Steele, Lea and Flood, 2014): a few cycles per number, one per caller, so that making the
/// load costs little beside carrying it. Nothing here needs to be unguessable.
/// </summary>
internal struct SplitMix64(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15;
            return Mix(_state);
        }
    }

    /// <summary>0 to <paramref name="end"/> - 1, evenly but for a bias below 2^-32.</summary>
    public int Below(int end) => (int)((Next() >> 32) * (ulong)end >> 32);

    /// <summary>A UUID of version 8 of random bits, as unordered as the ids that follow from idempotency keys.</summary>
    public Guid NextUuid()
    {
        Span<ulong> words = [Next(), Next()];
        var bytes = MemoryMarshal.AsBytes(words);
        bytes[6] = (byte)(0x80 | (bytes[6] & 0x0f));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3f));
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>
    /// A UUID of version 7: the milliseconds come first, so that ids of one time lie together in an index.
    /// </summary>
    public Guid NextOrderedUuid(DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, now.ToUnixTimeMilliseconds() << 16);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], (ushort)(0x7000 | (Next() & 0x0fff)));
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], (Next() >> 2) | (1UL << 63));
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>The generator's finaliser: spreads every bit of the input over the output.</summary>
    public static ulong Mix(ulong value)
    {
        unchecked
        {
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ChatPay.Client.Internal;

/// <summary>Ids that this side chooses.</summary>
internal static class ClientIds
{
    private const int UuidBytes = 16;

    /// <summary>
    /// UUID version 7, RFC 9562 section 5.7: those of one time lie together, and nobody guesses the next.
    /// </summary>
    public static Guid New(TimeProvider time)
    {
        Span<byte> bytes = stackalloc byte[UuidBytes];
        RandomNumberGenerator.Fill(bytes);
        Span<byte> clock = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(clock, time.GetUtcNow().ToUnixTimeMilliseconds());
        clock[2..].CopyTo(bytes);
        return Versioned(bytes, 0x70);
    }

    /// <summary>UUID version 8, RFC 9562 section 5.8: the same whenever it is made of the same.</summary>
    public static Guid Derived(Guid from, long number, string purpose)
    {
        var text = Encoding.UTF8.GetBytes(purpose);
        var input = new byte[UuidBytes + sizeof(long) + text.Length];
        from.TryWriteBytes(input, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(input.AsSpan(UuidBytes), number);
        text.CopyTo(input, UuidBytes + sizeof(long));
        return Versioned(SHA256.HashData(input).AsSpan(0, UuidBytes), 0x80);
    }

    private static Guid Versioned(Span<byte> bytes, byte version)
    {
        bytes[6] = (byte)(version | (bytes[6] & 0x0f));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3f));
        return new Guid(bytes, bigEndian: true);
    }
}

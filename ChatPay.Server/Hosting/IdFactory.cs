using System.Buffers.Binary;
using System.Security.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Hosting;

/// <summary>
/// Makes the server's ids: UUID version 7 (RFC 9562 section 5.7), so that ids of one time lie together in an index, with 74
/// bits from the system's cryptographic generator, so that nobody guesses the next one.
/// </summary>
internal sealed class IdFactory(TimeProvider time)
{
    private const int UuidBytes = 16;

    public TId New<TId>()
        where TId : struct, IId<TId> => TId.From(NewUuid());

    public Guid NewUuid()
    {
        Span<byte> bytes = stackalloc byte[UuidBytes];
        RandomNumberGenerator.Fill(bytes);
        Span<byte> clock = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(clock, time.GetUtcNow().ToUnixTimeMilliseconds());
        clock[2..].CopyTo(bytes);
        bytes[6] = (byte)(0x70 | (bytes[6] & 0x0f));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3f));
        return new Guid(bytes, bigEndian: true);
    }
}

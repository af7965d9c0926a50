using System.Buffers.Binary;
using System.Buffers.Text;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Chatting;

/// <summary>
/// Which of its messages whose: what every client message id carries in its last 48 bits, so that a receiver can tell a
/// missing message from a doubled one without remembering any.
/// </summary>
/// <param name="Number">From 1, without a gap.</param>
internal readonly record struct MessageKey(ushort Sender, uint Number)
{
    public const int IdBytes = 16;

    private const int KeyBytes = 6;
    private const int HexChars = 2 * KeyBytes;

    /// <summary>A UUID of version 7 of this instant, as clients make them.</summary>
    public void Write(ref SplitMix64 random, TimeProvider time, Span<byte> id)
    {
        random.NextOrderedUuid(time.GetUtcNow()).TryWriteBytes(id, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt16BigEndian(id[^KeyBytes..], Sender);
        BinaryPrimitives.WriteUInt32BigEndian(id[^4..], Number);
    }

    public static MessageKey Read(ReadOnlySpan<byte> id) => new(
        BinaryPrimitives.ReadUInt16BigEndian(id[^KeyBytes..]), BinaryPrimitives.ReadUInt32BigEndian(id[^4..]));

    /// <param name="id">A UUID as text.</param>
    public static MessageKey ReadText(ReadOnlySpan<byte> id)
    {
        var hex = id[^HexChars..];
        return Utf8Parser.TryParse(hex, out ulong value, out var used, 'x') && used == HexChars
            ? new((ushort)(value >> 32), (uint)(value & uint.MaxValue))
            : throw new InvalidDataException("A message came back under an id that nobody sent.");
    }
}

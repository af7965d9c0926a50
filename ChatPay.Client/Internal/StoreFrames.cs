using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ChatPay.Client.Internal;

/// <summary>
/// Seals the writes of one file. A frame is <c>length(4) ‖ nonce(12) ‖ sealed changes ‖ tag(16)</c>, AES-256-GCM with
/// the frame's number and length as associated data, so that frames cannot be moved, repeated or left out between
/// others.
/// </summary>
internal sealed class StoreFrames : IDisposable
{
    public const int LengthBytes = 4;

    /// <summary>One write: far above a group of a thousand members, far below what memory allows.</summary>
    public const int PlainMaxBytes = 64 * 1024 * 1024;

    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int Overhead = LengthBytes + NonceBytes + TagBytes;
    private const int Removed = -1;

    private readonly AesGcm _aead;

    public StoreFrames(ReadOnlySpan<byte> fileKey) => _aead = new AesGcm(fileKey, TagBytes);

    public static int PlainBytes(int frameBytes) => frameBytes - Overhead;

    /// <summary>The whole frame's size from its first bytes, or 0 where they are not those of a frame.</summary>
    public static int FrameBytes(ReadOnlySpan<byte> length)
    {
        var plain = BinaryPrimitives.ReadInt32BigEndian(length);
        return plain is > 0 and <= PlainMaxBytes ? plain + Overhead : 0;
    }

    public byte[] Seal(long number, ReadOnlySpan<byte> plain)
    {
        var frame = new byte[plain.Length + Overhead];
        BinaryPrimitives.WriteInt32BigEndian(frame, plain.Length);
        var nonce = frame.AsSpan(LengthBytes, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        _aead.Encrypt(
            nonce, plain, frame.AsSpan(LengthBytes + NonceBytes, plain.Length), frame.AsSpan(^TagBytes..),
            Place(number, plain.Length));
        return frame;
    }

    /// <summary>Whether this is the frame of that number, as it was written.</summary>
    public bool TryOpen(long number, ReadOnlySpan<byte> frame, out byte[] plain)
    {
        plain = [];
        if (frame.Length < Overhead || FrameBytes(frame) != frame.Length)
        {
            return false;
        }

        plain = new byte[PlainBytes(frame.Length)];
        try
        {
            _aead.Decrypt(
                frame.Slice(LengthBytes, NonceBytes), frame[(LengthBytes + NonceBytes)..^TagBytes],
                frame[^TagBytes..], plain,
                Place(number, plain.Length));
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    /// <summary>
    /// Changes as they stand in a frame: count(4), then key length(2), key, value length(4) or −1, value.
    /// </summary>
    /// <exception cref="ArgumentException">They are more than one frame holds.</exception>
    public static byte[] Encode(IReadOnlyList<StoreChange> changes)
    {
        var size = 4L + changes.Sum(static change => 6L + change.Key.Length + (change.Value?.Length ?? 0));
        if (size > PlainMaxBytes)
        {
            throw new ArgumentException($"One write holds at most {PlainMaxBytes} bytes.", nameof(changes));
        }

        var plain = new byte[size];
        BinaryPrimitives.WriteInt32BigEndian(plain, changes.Count);
        var at = 4;
        foreach (var (key, value) in changes)
        {
            BinaryPrimitives.WriteUInt16BigEndian(plain.AsSpan(at), (ushort)key.Length);
            at += 2 + Encoding.ASCII.GetBytes(key, plain.AsSpan(at + 2));
            BinaryPrimitives.WriteInt32BigEndian(plain.AsSpan(at), value?.Length ?? Removed);
            at += 4;
            value?.CopyTo(plain, at);
            at += value?.Length ?? 0;
        }

        return plain;
    }

    /// <summary>
    /// The changes of an opened frame: where their values stand in it, or a negative size for a removal.
    /// </summary>
    public static IEnumerable<(string Key, int ValueAt, int ValueBytes)> Decode(byte[] plain)
    {
        var count = BinaryPrimitives.ReadInt32BigEndian(plain);
        var at = 4;
        for (var i = 0; i < count; i++)
        {
            var keyBytes = BinaryPrimitives.ReadUInt16BigEndian(plain.AsSpan(at));
            var key = Encoding.ASCII.GetString(plain, at + 2, keyBytes);
            at += 2 + keyBytes;
            var valueBytes = BinaryPrimitives.ReadInt32BigEndian(plain.AsSpan(at));
            at += 4;
            yield return (key, at, valueBytes);
            at += Math.Max(0, valueBytes);
        }
    }

    public void Dispose() => _aead.Dispose();

    private static byte[] Place(long number, int plainBytes)
    {
        var place = new byte[12];
        BinaryPrimitives.WriteInt64BigEndian(place, number);
        BinaryPrimitives.WriteInt32BigEndian(place.AsSpan(8), plainBytes);
        return place;
    }
}

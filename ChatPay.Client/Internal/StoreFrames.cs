using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ChatPay.Client.Internal;

/// <summary>
/// Seals the writes of one file. A frame is <c>length(4) ‖ check(8) ‖ nonce(12) ‖ sealed changes ‖ tag(16)</c>,
/// AES-256-GCM with the frame's number and length as associated data, so that frames cannot be moved, repeated or left
/// out between others. The check is an HMAC of the length and of where the frame stands: a length that was changed is
/// told from one whose frame was torn, and a frame can be found behind one that is of no use any more.
/// </summary>
internal sealed class StoreFrames : IDisposable
{
    public const int HeadBytes = LengthBytes + CheckBytes;

    /// <summary>One write: far above a group of a thousand members, far below what memory allows.</summary>
    public const int PlainMaxBytes = 64 * 1024 * 1024;

    /// <summary>The longest frame.</summary>
    public const int MaxBytes = PlainMaxBytes + Overhead;

    /// <summary>A frame that changes nothing.</summary>
    public const int EmptyBytes = Overhead + 4;

    private const int LengthBytes = 4;
    private const int CheckBytes = 8;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int SealedAt = HeadBytes + NonceBytes;
    private const int Overhead = SealedAt + TagBytes;
    private const int Removed = -1;

    private readonly AesGcm _aead;
    private readonly byte[] _checkKey;

    public StoreFrames(ReadOnlySpan<byte> fileKey)
    {
        _aead = new AesGcm(fileKey, TagBytes);
        _checkKey = new byte[HMACSHA256.HashSizeInBytes];
        HKDF.Expand(HashAlgorithmName.SHA256, fileKey, _checkKey, "chatpay store length v1"u8);
    }

    /// <summary>
    /// The whole frame's size from its first bytes, or 0 where they are not those of a frame that was written there.
    /// </summary>
    public int FrameBytes(long at, ReadOnlySpan<byte> head)
    {
        var plainBytes = BinaryPrimitives.ReadInt32BigEndian(head);
        if (plainBytes is <= 0 or > PlainMaxBytes)
        {
            return 0;
        }

        Span<byte> check = stackalloc byte[CheckBytes];
        Check(at, plainBytes, check);
        return CryptographicOperations.FixedTimeEquals(check, head[LengthBytes..HeadBytes])
            ? plainBytes + Overhead : 0;
    }

    public byte[] Seal(long number, long at, ReadOnlySpan<byte> plain)
    {
        var frame = new byte[plain.Length + Overhead];
        BinaryPrimitives.WriteInt32BigEndian(frame, plain.Length);
        Check(at, plain.Length, frame.AsSpan(LengthBytes, CheckBytes));
        var nonce = frame.AsSpan(HeadBytes, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        _aead.Encrypt(
            nonce, plain, frame.AsSpan(SealedAt, plain.Length), frame.AsSpan(^TagBytes..),
            Place(number, plain.Length));
        return frame;
    }

    /// <summary>Whether this is the frame of that number, as it was written there.</summary>
    public bool TryOpen(long number, long at, ReadOnlySpan<byte> frame, out byte[] plain)
    {
        plain = [];
        if (frame.Length < Overhead || FrameBytes(at, frame) != frame.Length)
        {
            return false;
        }

        plain = new byte[frame.Length - Overhead];
        try
        {
            _aead.Decrypt(
                frame.Slice(HeadBytes, NonceBytes), frame[SealedAt..^TagBytes], frame[^TagBytes..], plain,
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

    public void Dispose()
    {
        _aead.Dispose();
        CryptographicOperations.ZeroMemory(_checkKey);
    }

    private void Check(long at, int plainBytes, Span<byte> check)
    {
        Span<byte> place = stackalloc byte[12];
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Fill(place, at, plainBytes);
        HMACSHA256.HashData(_checkKey, place, mac);
        mac[..CheckBytes].CopyTo(check);
    }

    private static byte[] Place(long number, int plainBytes)
    {
        var place = new byte[12];
        Fill(place, number, plainBytes);
        return place;
    }

    private static void Fill(Span<byte> place, long number, int plainBytes)
    {
        BinaryPrimitives.WriteInt64BigEndian(place, number);
        BinaryPrimitives.WriteInt32BigEndian(place[8..], plainBytes);
    }
}

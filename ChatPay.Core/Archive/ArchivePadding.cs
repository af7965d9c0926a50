using System.Numerics;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Archive;

/// <summary>
/// How a chunk's size is made to tell little: JSON ‖ 0x80 ‖ zeros, up to the next of 1, 2, 4, … 64 KiB. There is one way to pad,
/// so a chunk that is longer than it needs to be is none.
/// </summary>
internal static class ArchivePadding
{
    private const int SmallestBytes = 1024;
    private const int LargestBytes = Limits.ArchiveJsonBytes + 1;
    private const byte Mark = 0x80;

    /// <summary>Bytes of a padded JSON.</summary>
    /// <exception cref="ArgumentException">It is empty or too long.</exception>
    public static int SizeOf(int jsonBytes) => jsonBytes is > 0 and <= Limits.ArchiveJsonBytes
        ? Math.Max(SmallestBytes, (int)BitOperations.RoundUpToPowerOf2((uint)jsonBytes + 1))
        : throw new ArgumentException($"A chunk's JSON has 1 to {Limits.ArchiveJsonBytes} bytes.", nameof(jsonBytes));

    public static bool IsSize(int paddedBytes) =>
        paddedBytes is >= SmallestBytes and <= LargestBytes && BitOperations.IsPow2(paddedBytes);

    /// <param name="padded">Of the size that <see cref="SizeOf"/> says, all zeros.</param>
    public static void Pad(ReadOnlySpan<byte> json, Span<byte> padded)
    {
        json.CopyTo(padded);
        padded[json.Length] = Mark;
    }

    /// <param name="jsonBytes">How much of it is JSON.</param>
    public static bool TryStrip(ReadOnlySpan<byte> padded, out int jsonBytes)
    {
        jsonBytes = padded.LastIndexOfAnyExcept((byte)0);
        return jsonBytes > 0 && padded[jsonBytes] == Mark && SizeOf(jsonBytes) == padded.Length;
    }
}

using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Transparency;

/// <summary>
/// Up to 256 entries of a log in one file: each with its length before it in two bytes. C2SP tlog-tiles.
/// </summary>
public static class EntryBundle
{
    /// <exception cref="ArgumentException">No entry, more than 256, or one of 65,536 bytes and more.</exception>
    public static byte[] Write(IReadOnlyList<byte[]> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        if (entries.Count is 0 or > TilePath.FullWidth || entries.Any(entry => entry.Length > LogLimits.EntryBytes))
        {
            throw new ArgumentException("A bundle has 1 to 256 entries of at most 65,535 bytes.", nameof(entries));
        }

        var bundle = new byte[entries.Sum(entry => sizeof(ushort) + entry.Length)];
        var at = 0;
        foreach (var entry in entries)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bundle.AsSpan(at), (ushort)entry.Length);
            entry.CopyTo(bundle, at + sizeof(ushort));
            at += sizeof(ushort) + entry.Length;
        }

        return bundle;
    }

    /// <summary>Reads exactly so many entries.</summary>
    /// <param name="width">1 to 256: the path's.</param>
    /// <returns>False for fewer or more, or an entry that goes beyond the end.</returns>
    public static bool TryRead(
        ReadOnlySpan<byte> bundle, int width, [NotNullWhen(true)] out IReadOnlyList<byte[]>? entries)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, TilePath.FullWidth);
        entries = null;
        var read = new List<byte[]>();
        while (read.Count < width)
        {
            if (bundle.Length < sizeof(ushort)
                || bundle.Length - sizeof(ushort) < BinaryPrimitives.ReadUInt16BigEndian(bundle))
            {
                return false;
            }

            var end = sizeof(ushort) + BinaryPrimitives.ReadUInt16BigEndian(bundle);
            read.Add(bundle[sizeof(ushort)..end].ToArray());
            bundle = bundle[end..];
        }

        entries = bundle.IsEmpty ? read : null;
        return entries is not null;
    }
}

namespace ChatPay.Core.Transparency;

/// <summary>
/// Reads the hashes of a tree of one size from its tiles. A tile stores one level in eight; the seven above it are
/// hashed from it.
/// </summary>
public sealed class Tiles
{
    private readonly long _treeSize;
    private readonly FetchTile _fetch;

    /// <param name="treeSize">The size of the checkpoint that the hashes are for.</param>
    /// <param name="fetch">Where tiles come from; a caller that asks for many hashes keeps some.</param>
    public Tiles(long treeSize, FetchTile fetch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(treeSize);
        ArgumentNullException.ThrowIfNull(fetch);
        _treeSize = treeSize;
        _fetch = fetch;
    }

    /// <summary>The bytes of a tile: its hashes one after the other, or empty where it is not there.</summary>
    public delegate ReadOnlyMemory<byte> FetchTile(TilePath path);

    /// <summary>
    /// As <see cref="Transparency.ReadHash"/>: false for tiles that are missing or have another length.
    /// </summary>
    public bool ReadHash(int level, long index, Span<byte> hash)
    {
        if (level is < 0 or >= LogLimits.TreeLevels || index < 0 || index >= _treeSize >> level)
        {
            return false;
        }

        var (tileLevel, above) = Math.DivRem(level, TilePath.Height);
        var first = index << above;
        if (TilePath.In(_treeSize, tileLevel, first / TilePath.FullWidth) is not { } path)
        {
            return false;
        }

        var tile = _fetch(path).Span;
        if (tile.Length != path.Width * MerkleHash.SizeBytes)
        {
            return false;
        }

        var at = (int)(first % TilePath.FullWidth);
        Root(tile.Slice(at * MerkleHash.SizeBytes, (1 << above) * MerkleHash.SizeBytes), hash);
        return true;
    }

    /// <summary>The root over 2^n hashes.</summary>
    private static void Root(ReadOnlySpan<byte> hashes, Span<byte> root)
    {
        Span<byte> level = stackalloc byte[TilePath.FullWidth * MerkleHash.SizeBytes];
        hashes.CopyTo(level);
        for (var count = hashes.Length / MerkleHash.SizeBytes; count > 1; count /= 2)
        {
            for (var i = 0; i < count / 2; i++)
            {
                var pair = level.Slice(2 * i * MerkleHash.SizeBytes, 2 * MerkleHash.SizeBytes);
                MerkleHash.Node(
                    pair[..MerkleHash.SizeBytes], pair[MerkleHash.SizeBytes..], level[(i * MerkleHash.SizeBytes)..]);
            }
        }

        level[..MerkleHash.SizeBytes].CopyTo(root);
    }
}

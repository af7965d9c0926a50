using ChatPay.Core.Transparency;

namespace ChatPay.Server.Transparency;

/// <summary>Which stored tile.</summary>
internal readonly record struct TileId(int Level, long Index);

/// <summary>
/// Lets Core's proofs, which ask for one hash after another, read tiles that come from a database many at a time: what turns
/// out to be missing is loaded, and the reading begins anew. A proof takes one or two loads.
/// </summary>
/// <param name="load">The stored bytes of tiles; those that are not there are left out.</param>
internal sealed class TileSource(
    Func<IReadOnlyCollection<TileId>, CancellationToken, Task<IReadOnlyDictionary<TileId, byte[]>>> load)
{
    private readonly Dictionary<TileId, byte[]> _known = [];

    /// <param name="size">The tree's; stored tiles may have grown beyond it.</param>
    /// <param name="read">Made of the tree's hashes; called again until none is missing.</param>
    /// <returns>Null where a hash is not stored.</returns>
    public async Task<T?> ReadAsync<T>(long size, Func<ReadHash, T?> read, CancellationToken cancellationToken)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(read);
        while (true)
        {
            var missing = new HashSet<TileId>();
            var tiles = new Tiles(size, path => Find(path, missing));
            var value = read(tiles.ReadHash);
            if (missing.Count == 0)
            {
                return value;
            }

            var loaded = await load(missing, cancellationToken);
            foreach (var id in missing)
            {
                if (!loaded.TryGetValue(id, out var bytes))
                {
                    return null;
                }

                _known[id] = bytes;
            }
        }
    }

    private ReadOnlyMemory<byte> Find(TilePath path, HashSet<TileId> missing)
    {
        var id = new TileId(path.Level, path.Index);
        if (!_known.TryGetValue(id, out var bytes))
        {
            missing.Add(id);
            return default;
        }

        var width = path.Width * MerkleHash.SizeBytes;
        return bytes.Length < width ? default : bytes.AsMemory(0, width);
    }
}

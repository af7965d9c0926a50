using System.Globalization;
using ChatPay.Core.Transparency;

namespace ChatPay.Verify;

/// <summary>
/// Reads a whole log, entry by entry, and builds its tree anew: every stored hash has to be the one that comes out, and so has
/// the root that was signed. It holds one tile of each level in memory, however long the log is.
/// </summary>
internal sealed class LogChecker(LogFiles files, NoteVerifier verifier, Verdict verdict)
{
    /// <summary>What our logs have of an entry: its salted hash.</summary>
    private const int LeafBytes = 32;

    private readonly Dictionary<int, TileInProgress> _tiles = [];
    private readonly MerkleFrontier _tree = new();

    /// <param name="earlier">A checkpoint from before, which the log has to go on from; null for none.</param>
    public async Task CheckAsync(byte[]? earlier, CancellationToken cancellationToken)
    {
        if (await files.ReadAsync(LogFiles.CheckpointName, cancellationToken) is not { } note)
        {
            verdict.Fail("There is no checkpoint: without one nobody has signed anything.");
            return;
        }

        var checkpoint = Notes.Open(note, verifier, "The checkpoint", verdict);
        var before = earlier is null ? null : Notes.Open(earlier, verifier, "The earlier checkpoint", verdict);
        if (checkpoint is null || (earlier is not null && before is null))
        {
            return;
        }

        if (before is not null && before.Size > checkpoint.Size)
        {
            verdict.Fail(string.Create(
                CultureInfo.InvariantCulture,
                $"The log has {checkpoint.Size:N0} entries and had {before.Size:N0} when the earlier checkpoint was signed: "
                + $"a log never shrinks."));
            return;
        }

        var failuresBefore = verdict.Failures;
        var isWhole = await ReplayAsync(checkpoint, before, cancellationToken);
        if (!isWhole)
        {
            return;
        }

        if (verdict.Failures == failuresBefore)
        {
            verdict.Say("Every stored hash of the tree is the one that its entries give.");
        }

        verdict.Judge(
            _tree.Root().AsSpan().SequenceEqual(checkpoint.Root),
            string.Create(
                CultureInfo.InvariantCulture, $"The {checkpoint.Size:N0} entries give the root that was signed."),
            "The entries give another root than the one in the checkpoint: an entry is not what was signed.");
    }

    /// <returns>Whether every entry could be read.</returns>
    private async Task<bool> ReplayAsync(Checkpoint checkpoint, Checkpoint? before, CancellationToken cancellationToken)
    {
        Compare(before);
        for (var index = 0L; index * TilePath.FullWidth < checkpoint.Size; index++)
        {
            var path = TilePath.In(checkpoint.Size, TilePath.EntriesLevel, index)!.Value;
            if (await files.ReadAsync(path, cancellationToken) is not { } found)
            {
                verdict.Fail($"The file {path} is missing.");
                return false;
            }

            // A wider bundle has the entries of the narrower one at its beginning.
            if (!EntryBundle.TryRead(found.Bytes, found.Path.Width, out var entries))
            {
                verdict.Fail($"The file {found.Path} does not have the {found.Path.Width} entries that its name says.");
                return false;
            }

            foreach (var entry in entries.Take(path.Width))
            {
                if (entry.Length != LeafBytes)
                {
                    verdict.Fail(string.Create(
                        CultureInfo.InvariantCulture,
                        $"Entry {_tree.Size} in {found.Path} has {entry.Length} bytes, and one of our logs has {LeafBytes}."));
                }

                _tree.Append(MerkleHash.Leaf(entry), Collect);
                Compare(before);
            }

            await CompareTilesAsync(checkpoint.Size, cancellationToken);
        }

        return true;
    }

    /// <summary>The earlier checkpoint, at the moment when the tree has its size.</summary>
    private void Compare(Checkpoint? before)
    {
        if (before is not null && before.Size == _tree.Size)
        {
            verdict.Judge(
                _tree.Root().AsSpan().SequenceEqual(before.Root),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The log goes on from the earlier checkpoint: its first {before.Size:N0} entries are the same."),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The log's first {before.Size:N0} entries are not those of the earlier checkpoint: its history was changed. "
                    + $"Keep both checkpoints, which prove it to anybody."));
        }
    }

    private void Collect(int level, long index, ReadOnlySpan<byte> hash)
    {
        if (level % TilePath.Height != 0)
        {
            return;
        }

        if (!_tiles.TryGetValue(level / TilePath.Height, out var tile))
        {
            _tiles.Add(level / TilePath.Height, tile = new TileInProgress());
        }

        tile.Hashes.AddRange(hash);
    }

    /// <summary>Compares the tiles that are full now, and at the log's end the ones that never will be.</summary>
    private async Task CompareTilesAsync(long size, CancellationToken cancellationToken)
    {
        foreach (var (level, tile) in _tiles)
        {
            var width = tile.Hashes.Count / MerkleHash.SizeBytes;
            if (width == 0 || TilePath.In(size, level, tile.Index) is not { } path || path.Width != width)
            {
                continue;
            }

            if (await files.ReadAsync(path, cancellationToken) is not { } found)
            {
                verdict.Fail($"The file {path} is missing.");
            }
            else if (found.Bytes.Length != found.Path.Width * MerkleHash.SizeBytes)
            {
                verdict.Fail($"The file {found.Path} does not have the {found.Path.Width} hashes that its name says.");
            }
            else if (Difference(found.Bytes, tile.Hashes) is >= 0 and var at)
            {
                verdict.Fail(SentenceOf(size, found.Path, at));
            }

            if (width == TilePath.FullWidth)
            {
                tile.Index++;
                tile.Hashes.Clear();
            }
        }
    }

    /// <summary>That a stored hash is another one than what is below it gives.</summary>
    /// <param name="at">Which hash of the tile.</param>
    private static string SentenceOf(long size, TilePath tile, int at)
    {
        var (below, what) = tile.Level == 0
            ? (TilePath.In(size, TilePath.EntriesLevel, tile.Index), "Entry")
            : (TilePath.In(size, tile.Level - 1, (tile.Index * TilePath.FullWidth) + at), "The tree below hash");
        var number = tile.Level == 0 ? (tile.Index * TilePath.FullWidth) + at : at;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{what} {number} in {below} does not give hash {at} of {tile}: one of the two files was changed.");
    }

    private static int Difference(byte[] stored, List<byte> made)
    {
        for (var at = 0; at < made.Count; at++)
        {
            if (stored[at] != made[at])
            {
                return at / MerkleHash.SizeBytes;
            }
        }

        return -1;
    }

    /// <summary>The tile of a level that grows at the moment.</summary>
    private sealed class TileInProgress
    {
        public long Index { get; set; }

        public List<byte> Hashes { get; } = new(TilePath.FullWidth * MerkleHash.SizeBytes);
    }
}

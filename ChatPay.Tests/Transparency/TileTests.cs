using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Transparency;

/// <summary>Tiles are named, cut and read as C2SP tlog-tiles says.</summary>
public sealed class TileTests
{
    [Theory]
    [InlineData(0, 0, 256, "tile/0/000")]
    [InlineData(0, 999, 256, "tile/0/999")]
    [InlineData(0, 1_234_067, 256, "tile/0/x001/x234/067")]
    [InlineData(3, 1000, 8, "tile/3/x001/000.p/8")]
    [InlineData(TilePath.EntriesLevel, 5, 255, "tile/entries/005.p/255")]
    [InlineData(TilePath.EntriesLevel, 1_234_067, 256, "tile/entries/x001/x234/067")]
    public void A_path_is_written_in_one_way_and_read_back(int level, long index, int width, string path)
    {
        var tile = new TilePath(level, index, width);
        Assert.Equal(path, tile.ToString());
        Assert.True(TilePath.TryParse(path, out var read));
        Assert.Equal(tile, read);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("tile")]
    [InlineData("tile/0")]
    [InlineData("tile/00/000")]
    [InlineData("tile/64/000")]
    [InlineData("tile/-1/000")]
    [InlineData("tile/0/00")]
    [InlineData("tile/0/0000")]
    [InlineData("tile/0/x000/000")]
    [InlineData("tile/0/x001/x067")]
    [InlineData("tile/0/001/067")]
    [InlineData("tile/0/000.p/0")]
    [InlineData("tile/0/000.p/08")]
    [InlineData("tile/0/000.p/256")]
    [InlineData("tile/0/000.p")]
    [InlineData("tile/0/000/")]
    [InlineData("/tile/0/000")]
    [InlineData("tile/0/+01")]
    [InlineData("tile/entries/x999/x999/x999/x999/x999/x999/x999/999")]
    [InlineData("tile/Entries/000")]
    public void Nothing_else_is_a_path(string? path) => Assert.False(TilePath.TryParse(path, out _));

    /// <summary>The specification's own example: a tree of 70,000.</summary>
    [Fact]
    public void A_tree_of_70000_has_the_tiles_of_the_specification()
    {
        var tiles = TilePath.NewSince(0, 70_000).ToList();
        Assert.Equal(273, tiles.Count(tile => tile is { Level: 0, IsPartial: false }));
        Assert.Contains(new TilePath(0, 273, 112), tiles);
        Assert.Equal(1, tiles.Count(tile => tile is { Level: 1, IsPartial: false }));
        Assert.Contains(new TilePath(1, 1, 17), tiles);
        Assert.Contains(new TilePath(2, 0, 1), tiles);
        Assert.Equal(274 + 274 + 2 + 1, tiles.Count);
        Assert.Equal(
            ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"],
            TilePath.NewSince(0, 256).Select(tile => tile.ToString()));
    }

    [Fact]
    public void Tiles_new_since_a_size_are_those_that_the_earlier_tree_did_not_have()
    {
        foreach (var (before, now) in new[] { (0, 1), (255, 256), (256, 257), (100, 1000), (65_535, 65_537), (9, 9) })
        {
            var had = TilePath.NewSince(0, before).ToHashSet();
            Assert.Equal(
                TilePath.NewSince(0, now).Where(tile => !had.Contains(tile)).Order(Comparer<TilePath>.Create(
                    (one, other) => (one.Level, one.Index).CompareTo((other.Level, other.Index)))),
                TilePath.NewSince(before, now));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1000)]
    [InlineData(66_000)]
    public void Proofs_made_from_tiles_are_those_made_from_hashes(int size)
    {
        var log = new TestLog(size);
        var files = log.TilesOf(size);
        var tiles = new Tiles(size, path => files.GetValueOrDefault(path.ToString()));
        foreach (var index in new[] { 0, size / 3, size / 2, size - 1 })
        {
            var proof = InclusionProof.Generate(index, size, tiles.ReadHash)!;
            Assert.Equal(InclusionProof.Generate(index, size, log.Read)!, proof);
            Assert.Equal(LogRejection.None, InclusionProof.Verify(index, size, log.Leaves[index], proof, log.Roots[size]));
            Assert.Equal(
                ConsistencyProof.Generate(index + 1, size, log.Read)!,
                ConsistencyProof.Generate(index + 1, size, tiles.ReadHash)!);
        }

        Assert.Equal(log.Roots[size], MerkleFrontier.Load(size, tiles.ReadHash).Root());
    }

    [Fact]
    public void A_tile_that_is_missing_or_cut_short_gives_no_hash()
    {
        var log = new TestLog(300);
        var files = log.TilesOf(300);
        var hash = new byte[32];
        Assert.False(new Tiles(300, _ => default).ReadHash(0, 0, hash));
        Assert.False(new Tiles(300, path => files[path.ToString()].AsMemory(1)).ReadHash(0, 0, hash));
        var tiles = new Tiles(300, path => files[path.ToString()]);
        Assert.True(tiles.ReadHash(0, 299, hash));
        Assert.Equal(log.Leaves[299], hash);
        Assert.False(tiles.ReadHash(0, 300, hash));
        Assert.False(tiles.ReadHash(8, 1, hash));
        Assert.False(tiles.ReadHash(-1, 0, hash));
        Assert.False(tiles.ReadHash(0, -1, hash));
        Assert.False(tiles.ReadHash(63, 0, hash));
    }

    [Fact]
    public void A_bundle_has_exactly_its_entries()
    {
        byte[][] entries = [[], [1], [.. Enumerable.Repeat((byte)7, 65_535)]];
        var bundle = EntryBundle.Write(entries);
        Assert.True(EntryBundle.TryRead(bundle, 3, out var read));
        Assert.Equal(entries, read);
        Assert.False(EntryBundle.TryRead(bundle, 2, out _));
        Assert.False(EntryBundle.TryRead(bundle, 4, out _));
        Assert.False(EntryBundle.TryRead(bundle.AsSpan(0, bundle.Length - 1), 3, out _));
        Assert.False(EntryBundle.TryRead([], 1, out _));
        Assert.False(EntryBundle.TryRead([0], 1, out _));
        Assert.Throws<ArgumentException>(() => EntryBundle.Write([]));
        Assert.Throws<ArgumentException>(() => EntryBundle.Write([new byte[65_536]]));
        Assert.Throws<ArgumentException>(() => EntryBundle.Write([.. Enumerable.Repeat(Array.Empty<byte>(), 257)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => EntryBundle.TryRead(bundle, 0, out _));
    }
}

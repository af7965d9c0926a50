using System.Buffers.Binary;
using ChatPay.Core.Transparency;

namespace ChatPay.Tests.Support;

/// <summary>A log in memory, with its hashes and its tiles, and a root by the definition to compare with.</summary>
internal sealed class TestLog
{
    private readonly Dictionary<(int Level, long Index), byte[]> _hashes = [];
    private readonly List<byte[]> _leaves = [];

    public TestLog(int size, string name = "entry")
    {
        for (var i = 0; i < size; i++)
        {
            Append(EntryOf(name, i));
        }
    }

    public MerkleFrontier Frontier { get; } = new();

    /// <summary>The root of each size that the log has had.</summary>
    public List<byte[]> Roots { get; } = [MerkleHash.Empty()];

    public IReadOnlyList<byte[]> Leaves => _leaves;

    /// <summary>How many hashes were read.</summary>
    public int Reads { get; set; }

    public static byte[] EntryOf(string name, int number)
    {
        var entry = new byte[name.Length + sizeof(int)];
        System.Text.Encoding.ASCII.GetBytes(name, entry);
        BinaryPrimitives.WriteInt32BigEndian(entry.AsSpan(name.Length), number);
        return entry;
    }

    public void Append(byte[] entry)
    {
        var leaf = MerkleHash.Leaf(entry);
        _leaves.Add(leaf);
        Frontier.Append(leaf, (level, index, hash) => _hashes.Add((level, index), hash.ToArray()));
        Roots.Add(Frontier.Root());
    }

    public bool Read(int level, long index, Span<byte> hash)
    {
        Reads++;
        var isThere = _hashes.TryGetValue((level, index), out var stored);
        stored?.CopyTo(hash);
        return isThere;
    }

    /// <summary>The tiles of one size, from the stored hashes of every eighth level.</summary>
    public Dictionary<string, byte[]> TilesOf(long size) => TilePath.NewSince(0, size)
        .Where(path => path.Level != TilePath.EntriesLevel)
        .ToDictionary(
            path => path.ToString(),
            path => Enumerable.Range(0, path.Width)
                .SelectMany(i => _hashes[(path.Level * TilePath.Height, (path.Index * TilePath.FullWidth) + i)])
                .ToArray());

    /// <summary>RFC 9162, section 2.1.1, word by word.</summary>
    public static byte[] RootOf(ReadOnlySpan<byte[]> leaves)
    {
        if (leaves.Length <= 1)
        {
            return leaves.Length == 0 ? MerkleHash.Empty() : leaves[0];
        }

        var split = 1;
        while (split * 2 < leaves.Length)
        {
            split *= 2;
        }

        var root = new byte[MerkleHash.SizeBytes];
        MerkleHash.Node(RootOf(leaves[..split]), RootOf(leaves[split..]), root);
        return root;
    }
}

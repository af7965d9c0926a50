namespace ChatPay.Core.Transparency;

/// <summary>
/// The right edge of a growing tree: the roots of the perfect trees that it is made of, largest first. That is all it
/// takes to append and to know the root, so both cost a logarithm of the size.
/// </summary>
public sealed class MerkleFrontier
{
    private readonly List<byte[]> _roots;

    public MerkleFrontier() => _roots = [];

    private MerkleFrontier(long size, List<byte[]> roots)
    {
        Size = size;
        _roots = roots;
    }

    /// <summary>
    /// A new hash of the tree: the root of a perfect tree of 2^level entries, and its place among those.
    /// </summary>
    public delegate void NewHash(int level, long index, ReadOnlySpan<byte> hash);

    /// <summary>How many entries the tree has.</summary>
    public long Size { get; private set; }

    /// <summary>Takes up a tree from its stored hashes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A negative size.</exception>
    /// <exception cref="InvalidOperationException">A hash is not there.</exception>
    public static MerkleFrontier Load(long size, ReadHash read)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentNullException.ThrowIfNull(read);
        var roots = new List<byte[]>();
        for (var level = LogLimits.TreeLevels - 1; level >= 0; level--)
        {
            if ((size & (1L << level)) != 0)
            {
                var hash = new byte[MerkleHash.SizeBytes];
                if (!read(level, (size >> level) - 1, hash))
                {
                    throw new InvalidOperationException($"The hash {(size >> level) - 1} of level {level} is missing.");
                }

                roots.Add(hash);
            }
        }

        return new MerkleFrontier(size, roots);
    }

    /// <summary>Appends an entry.</summary>
    /// <param name="leafHash">Its hash: <see cref="MerkleHash.Leaf"/>.</param>
    /// <param name="onHash">Told of each hash that is final with this entry, beginning with its own.</param>
    /// <exception cref="ArgumentException">A hash of another size.</exception>
    public void Append(ReadOnlySpan<byte> leafHash, NewHash? onHash = null)
    {
        if (leafHash.Length != MerkleHash.SizeBytes)
        {
            throw new ArgumentException($"A hash has {MerkleHash.SizeBytes} bytes.", nameof(leafHash));
        }

        var hash = leafHash.ToArray();
        onHash?.Invoke(0, Size, hash);
        var level = 0;
        for (; (Size & (1L << level)) != 0; level++)
        {
            MerkleHash.Node(_roots[^1], hash, hash);
            _roots.RemoveAt(_roots.Count - 1);
            onHash?.Invoke(level + 1, Size >> (level + 1), hash);
        }

        _roots.Add(hash);
        Size++;
    }

    /// <summary>The tree's root, 32 bytes.</summary>
    public byte[] Root()
    {
        if (_roots.Count == 0)
        {
            return MerkleHash.Empty();
        }

        var root = _roots[^1].AsSpan().ToArray();
        for (var i = _roots.Count - 2; i >= 0; i--)
        {
            MerkleHash.Node(_roots[i], root, root);
        }

        return root;
    }
}

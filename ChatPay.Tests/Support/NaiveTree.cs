using ChatPay.Core.Mls;

namespace ChatPay.Tests.Support;

/// <summary>
/// The ratchet tree as an array, which is changed in place and whose hashes are computed anew each time: a literal reading
/// of RFC 9420 sections 4.1, 7.7 to 7.9 and appendix C, to compare the real one with.
/// </summary>
internal sealed class NaiveTree(MlsCipherSuite suite, LeafNode first)
{
    private object?[] _nodes = [first];

    public int Width => (_nodes.Length + 1) / 2;

    public int NodeCount => _nodes.Length;

    public object? this[int node] => _nodes[node];

    public int Add(LeafNode leaf)
    {
        var place = 0;
        while (place < _nodes.Length && _nodes[place] is not null)
        {
            place += 2;
        }

        if (place >= _nodes.Length)
        {
            place = _nodes.Length + 1;
            Array.Resize(ref _nodes, (_nodes.Length * 2) + 1);
        }

        _nodes[place] = leaf;
        foreach (var (node, _) in Path(place))
        {
            if (_nodes[node] is ParentNode parent)
            {
                _nodes[node] = new ParentNode
                {
                    EncryptionKey = parent.EncryptionKey,
                    ParentHash = parent.ParentHash,
                    UnmergedLeaves = [.. parent.UnmergedLeaves.Append((uint)place / 2).Order()],
                };
            }
        }

        return place / 2;
    }

    public void Update(int leaf, LeafNode node)
    {
        BlankPath(2 * leaf);
        _nodes[2 * leaf] = node;
    }

    public void Remove(int leaf)
    {
        BlankPath(2 * leaf);
        _nodes[2 * leaf] = null;
        while (_nodes.Length > 1 && _nodes.Skip((_nodes.Length + 1) / 2).All(static node => node is null))
        {
            _nodes = _nodes[..(_nodes.Length / 2)];
        }
    }

    /// <summary>Sets new parents above a leaf; their keys come from the leaf up.</summary>
    /// <returns>The parent hash that the leaf must have.</returns>
    public byte[] ApplyPath(int leaf, LeafNode node, IReadOnlyList<byte[]> keys)
    {
        BlankPath(2 * leaf);
        _nodes[2 * leaf] = node;
        var path = Path(2 * leaf).Where(step => Resolution(step.Copath).Count > 0).ToList();
        byte[] parentHash = [];
        foreach (var ((parent, copath), key) in path.Zip(keys).Reverse())
        {
            _nodes[parent] = new ParentNode { EncryptionKey = key, ParentHash = parentHash, UnmergedLeaves = [] };
            var writer = new TlsWriter();
            writer.WriteOpaque(key);
            writer.WriteOpaque(parentHash);
            writer.WriteOpaque(Hash(copath));
            parentHash = suite.Hash(writer.WrittenSpan);
        }

        return parentHash;
    }

    public int FilteredPathLength(int leaf) => Path(2 * leaf).Count(step => Resolution(step.Copath).Count > 0);

    public byte[] Hash(int node)
    {
        var writer = new TlsWriter();
        if (node % 2 == 0)
        {
            writer.WriteByte(1);
            writer.WriteUInt32((uint)node / 2);
            writer.WriteOptional((LeafNode?)_nodes[node]);
        }
        else
        {
            writer.WriteByte(2);
            writer.WriteOptional((ParentNode?)_nodes[node]);
            writer.WriteOpaque(Hash(Left(node)));
            writer.WriteOpaque(Hash(Right(node)));
        }

        return suite.Hash(writer.WrittenSpan);
    }

    public IReadOnlyList<uint> Resolution(int node) => (_nodes[node], node % 2) switch
    {
        (ParentNode parent, _) => [(uint)node, .. parent.UnmergedLeaves.Select(static leaf => 2 * leaf)],
        (not null, _) => [(uint)node],
        (null, 0) => [],
        _ => [.. Resolution(Left(node)), .. Resolution(Right(node))],
    };

    public RatchetTree ToWire() => new()
    {
        Nodes = [.. _nodes[..(Array.FindLastIndex(_nodes, static node => node is not null) + 1)]
            .Select(static node => node switch
            {
                LeafNode leaf => new TreeNode(leaf),
                ParentNode parent => new TreeNode(parent),
                _ => null,
            })],
    };

    /// <summary>Parents from a leaf to the root, each with its child that is not on the way.</summary>
    private List<(int Parent, int Copath)> Path(int leafNode)
    {
        var path = new List<(int Parent, int Copath)>();
        for (var node = _nodes.Length / 2; node % 2 == 1;)
        {
            var (toward, away) = leafNode < node ? (Left(node), Right(node)) : (Right(node), Left(node));
            path.Insert(0, (node, away));
            node = toward;
        }

        return path;
    }

    private void BlankPath(int leafNode) => Path(leafNode).ForEach(step => _nodes[step.Parent] = null);

    private static int Left(int node) => node - Reach(node);

    private static int Right(int node) => node + Reach(node);

    /// <summary>How far a parent's children are from it: the first zero bit of its index, halved.</summary>
    private static int Reach(int node)
    {
        var bit = 1;
        while ((node & bit) != 0)
        {
            bit *= 2;
        }

        return bit / 2;
    }
}

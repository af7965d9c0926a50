using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;

/// <summary>The tree out of a ratchet_tree extension and back, RFC 9420 section 12.4.3.3.</summary>
internal sealed partial class PublicTree
{
    /// <summary>
    /// Takes a tree from the wire when it is one: leaves and parents in their places, nothing blank at the right end,
    /// unmerged leaves in order, below their parent and occupied. <see cref="Validate"/> checks the rest.
    /// </summary>
    /// <param name="rejection">Why not; <see cref="MlsRejection.None"/> on success.</param>
    public static bool TryCreate(
        MlsCipherSuite suite, RatchetTree wire, [NotNullWhen(true)] out PublicTree? tree, out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(suite);
        ArgumentNullException.ThrowIfNull(wire);
        tree = null;
        rejection = CheckShape(wire.Nodes);
        if (rejection != MlsRejection.None)
        {
            return false;
        }

        var level = 0;
        while (TreeMath.NodeCount(1u << level) < wire.Nodes.Count)
        {
            level++;
        }

        var root = Build(wire.Nodes, 0, level) ?? Subtree.Blank(0, level);
        if (root.Left is not null && root.Right!.Members == 0)
        {
            rejection = MlsRejection.TreeMalformed;
            return false;
        }

        rejection = CheckUnmergedLeaves(root);
        if (rejection != MlsRejection.None)
        {
            return false;
        }

        var occupied = root.Occupied().ToList();
        tree = new PublicTree(
            suite, root,
            TreeKeys.None.Change([], occupied.Select(static node => node.EncryptionKey!)),
            TreeKeys.None.Change(
                [], occupied.Where(static node => node.Leaf is not null).Select(static node => node.Leaf!.SignatureKey)));
        return true;
    }

    public RatchetTree ToWire()
    {
        var nodes = new TreeNode?[TreeMath.NodeCount(Width)];
        var count = 0;
        foreach (var node in _root.Occupied())
        {
            nodes[node.Index] = node.Leaf is not null ? new TreeNode(node.Leaf) : new TreeNode(node.Parent!);
            count = Math.Max(count, (int)node.Index + 1);
        }

        return new RatchetTree { Nodes = new ArraySegment<TreeNode?>(nodes, 0, count) };
    }

    private static MlsRejection CheckShape(IReadOnlyList<TreeNode?> nodes)
    {
        if (nodes.Count > TreeMath.NodeCount(MlsLimits.TreeLeaves))
        {
            return MlsRejection.TooLarge;
        }

        if (nodes.Count == 0 || nodes[^1] is null)
        {
            return MlsRejection.TreeMalformed;
        }

        for (var i = 0; i < nodes.Count; i++)
        {
            if (nodes[i] is { } node && (node.Leaf is not null) != (TreeMath.Level((uint)i) == 0))
            {
                return MlsRejection.TreeMalformed;
            }
        }

        return MlsRejection.None;
    }

    /// <summary>Null where all is blank, as what is beyond the end of the list.</summary>
    private static Subtree? Build(IReadOnlyList<TreeNode?> nodes, uint firstLeaf, int level)
    {
        var index = TreeMath.Ancestor(firstLeaf, level);
        var node = index < nodes.Count ? nodes[(int)index] : null;
        if (level == 0)
        {
            return node is null ? null : new Subtree(firstLeaf, node.Leaf);
        }

        var middle = firstLeaf + (1u << (level - 1));
        var left = Build(nodes, firstLeaf, level - 1);
        var right = Build(nodes, middle, level - 1);
        return node is null && left is null && right is null
            ? null
            : new Subtree(
                node?.Parent, left ?? Subtree.Blank(firstLeaf, level - 1), right ?? Subtree.Blank(middle, level - 1));
    }

    private static MlsRejection CheckUnmergedLeaves(Subtree root)
    {
        foreach (var node in root.Occupied())
        {
            var leaves = node.Parent?.UnmergedLeaves ?? [];
            if (!SortedLeaves.IsSorted(leaves)
                || node.Within(leaves).Length != leaves.Length
                || leaves.Any(leaf => node.Find(leaf, 0).Leaf is null))
            {
                return MlsRejection.UnmergedLeavesInvalid;
            }
        }

        return MlsRejection.None;
    }
}

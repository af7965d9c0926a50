using System.Numerics;

namespace ChatPay.Core.Mls;

/// <summary>
/// Where the nodes of a perfect binary tree stand when it is written from left to right, RFC 9420 appendix C. A leaf's
/// node index is twice its leaf index; a node's level is how many ones its index ends with.
/// </summary>
/// <remarks>A width is the number of leaves, blank ones too: a power of two.</remarks>
internal static class TreeMath
{
    public static uint NodeCount(uint width) => (2 * width) - 1;

    public static uint Root(uint width) => width - 1;

    /// <summary>0 for a leaf.</summary>
    public static int Level(uint node) => BitOperations.TrailingZeroCount(~node);

    /// <summary>Null for a leaf.</summary>
    public static uint? Left(uint node) => Level(node) is > 0 and var level ? node ^ (1u << (level - 1)) : null;

    /// <summary>Null for a leaf.</summary>
    public static uint? Right(uint node) => Level(node) is > 0 and var level ? node ^ (3u << (level - 1)) : null;

    /// <summary>Null for the root.</summary>
    public static uint? Parent(uint node, uint width) =>
        node == Root(width) ? null : Ancestor(FirstLeaf(node), Level(node) + 1);

    /// <summary>Null for the root.</summary>
    public static uint? Sibling(uint node, uint width) =>
        Parent(node, width) is { } parent ? node < parent ? Right(parent) : Left(parent) : null;

    /// <summary>The leftmost leaf index below a node.</summary>
    public static uint FirstLeaf(uint node) => (node >> 1) & ~((1u << Level(node)) - 1);

    /// <summary>The node so many levels above a leaf; at level 0 the leaf itself.</summary>
    public static uint Ancestor(uint leaf, int level) => (2 * (leaf >> level << level)) + (1u << level) - 1;

    /// <summary>How high above two leaves their lowest common ancestor is.</summary>
    public static int CommonLevel(uint leaf, uint otherLeaf) => 32 - BitOperations.LeadingZeroCount(leaf ^ otherLeaf);

    /// <summary>The lowest node that has both leaves below it.</summary>
    public static uint CommonAncestor(uint leaf, uint otherLeaf) => Ancestor(leaf, CommonLevel(leaf, otherLeaf));
}

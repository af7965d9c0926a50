namespace ChatPay.Core.Mls;

/// <summary>Bounds of the MLS codec; whatever is beyond them is refused before anything is allocated for it.</summary>
public static class MlsLimits
{
    /// <summary>Largest encoding that is looked at.</summary>
    public const int MessageBytes = 16 * 1024 * 1024;

    /// <summary>Most items of one vector; a ratchet tree of 65,536 leaves has 131,071 nodes.</summary>
    public const int VectorItems = 1 << 17;

    /// <summary>Deepest nesting of vectors; RFC 9420's own structures need seven.</summary>
    public const int VectorDepth = 16;

    /// <summary>First leaf index that is refused; keeps indices far from integer overflow.</summary>
    public const int Leaves = 1 << 24;

    /// <summary>
    /// Widest ratchet tree that is held: the widest whose nodes fit <see cref="VectorItems"/>, so that every group can
    /// give its tree to those who join. Sixteen levels of parents bound every recursion over a tree.
    /// </summary>
    public const int TreeLeaves = VectorItems / 2;
}

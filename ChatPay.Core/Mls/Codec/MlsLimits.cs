namespace ChatPay.Core.Mls;

/// <summary>Bounds of the MLS codec; whatever is beyond them is refused before anything is allocated for it.</summary>
public static class MlsLimits
{
    /// <summary>Largest encoding that is looked at.</summary>
    public const int MessageBytes = 16 * 1024 * 1024;

    /// <summary>Most items of one vector.</summary>
    public const int VectorItems = 1 << 17;

    /// <summary>Deepest nesting of vectors; RFC 9420's own structures need seven.</summary>
    public const int VectorDepth = 16;

    /// <summary>First leaf index that is refused; keeps indices far from integer overflow.</summary>
    public const int Leaves = 1 << 24;

    /// <summary>
    /// Widest ratchet tree that is held: the widest that fits <see cref="MessageBytes"/> with some 500 bytes for each member,
    /// its leaf and its share of the parents, so that a group can give its tree to those who join; a member with a basic
    /// credential takes less than 300. Fifteen levels of parents bound every recursion over a tree.
    /// </summary>
    public const int TreeLeaves = 1 << 15;

    /// <summary>
    /// Most generations that one message may be ahead of its sender's ratchet. It bounds the work that one message can
    /// cause, which is about three key derivations for each generation skipped.
    /// </summary>
    public const int GenerationJump = 1_000;

    /// <summary>
    /// How many generations a sender's ratchet looks back: the keys of messages not yet seen are kept for so many, and a
    /// message that comes later still is refused. It bounds what a member keeps for each ratchet, and how long the key of a
    /// lost message lives on.
    /// </summary>
    public const int SkippedKeys = 256;

    /// <summary>Largest multiple that plaintexts are padded to.</summary>
    public const int PaddingBytes = 64 * 1024;

    /// <summary>Most pre-shared keys that go into one epoch.</summary>
    public const int PreSharedKeys = 256;

    /// <summary>Most proposals kept for an epoch; further ones are refused.</summary>
    public const int PendingProposals = 4096;

    /// <summary>Most bytes of all proposals kept for an epoch together; further ones are refused.</summary>
    public const int PendingProposalBytes = 4 * 1024 * 1024;

    /// <summary>Most past epochs whose resumption keys are kept.</summary>
    public const int ResumptionEpochs = 1000;
}

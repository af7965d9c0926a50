namespace ChatPay.Core.Mls;

/// <summary>What a delivery service learns from a commit that is sent as a PublicMessage.</summary>
public sealed class InspectedCommit
{
    public required byte[] GroupId { get; init; }

    /// <summary>The epoch that the commit ends.</summary>
    public required ulong Epoch { get; init; }

    /// <summary>The committer's leaf, or null for an external commit, whose sender joins by it.</summary>
    public required int? SenderLeaf { get; init; }

    /// <summary>Whether the sender joins by this commit (sender type new_member_commit).</summary>
    public bool IsExternal => SenderLeaf is null;

    public required byte[] AuthenticatedData { get; init; }

    /// <summary>Key packages of the Add proposals, in the commit's order.</summary>
    public required IReadOnlyList<KeyPackage> Adds { get; init; }

    /// <summary>Leaf indices of the Remove proposals, in the commit's order, none twice.</summary>
    public required IReadOnlyList<int> Removes { get; init; }

    /// <summary>Proposals other than Add, Remove and an external commit's ExternalInit, to be named in a refusal.</summary>
    public required IReadOnlyList<ProposalType> Others { get; init; }

    /// <summary>Proposals named by reference: what they propose cannot be seen here.</summary>
    public required int ReferenceCount { get; init; }

    /// <summary>The committer's new leaf; null where the commit has no path. An external commit has one.</summary>
    public required LeafNode? PathLeaf { get; init; }
}

namespace ChatPay.Core.Mls;

/// <summary>What a message from the group was, once it was accepted.</summary>
public abstract class Processed
{
    private protected Processed()
    {
    }

    /// <summary>The authenticated data of the message; integrity is checked, it was never secret.</summary>
    public required byte[] AuthenticatedData { get; init; }
}

/// <summary>Application data of a member.</summary>
public sealed class ProcessedApplication : Processed
{
    /// <summary>The sender's leaf in the current epoch.</summary>
    public required uint SenderLeaf { get; init; }

    public required byte[] Data { get; init; }
}

/// <summary>A proposal that is kept until a commit takes it up or the epoch ends.</summary>
public sealed class ProcessedProposal : Processed
{
    /// <summary>ProposalRef, RFC 9420 section 5.2: what a commit names the proposal by.</summary>
    public required byte[] Ref { get; init; }

    public required Proposal Proposal { get; init; }

    /// <summary>A member, an external sender, or somebody who asks to be added.</summary>
    public required Sender Sender { get; init; }
}

/// <summary>A commit: the group is in its next epoch now, unless this member was removed by it.</summary>
public sealed class ProcessedCommit : Processed
{
    /// <summary>The committer's leaf; for an external commit the leaf that the joiner took.</summary>
    public required uint SenderLeaf { get; init; }

    /// <summary>The epoch that the commit began.</summary>
    public required ulong Epoch { get; init; }

    /// <summary>Members that came, the joiner of an external commit too.</summary>
    public required IReadOnlyList<GroupMember> Added { get; init; }

    /// <summary>Members that went, as they were.</summary>
    public required IReadOnlyList<GroupMember> Removed { get; init; }

    /// <summary>Members whose leaf an Update replaced, as they are now.</summary>
    public required IReadOnlyList<GroupMember> Updated { get; init; }

    /// <summary>Whether this member is no longer in the group; the group keeps no keys then.</summary>
    public bool SelfRemoved { get; init; }

    /// <summary>Whether the committer joined by this commit.</summary>
    public bool IsExternal { get; init; }

    /// <summary>The group's new extensions, where the commit replaced them.</summary>
    public IReadOnlyList<Extension>? Extensions { get; init; }

    /// <summary>The parameters of the group that shall take this one's place, where the commit gave it up.</summary>
    public ReInitProposal? ReInit { get; init; }
}

using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;

/// <summary>
/// Reads a commit as a delivery service can: everything but the secrets. It refuses what RFC 9420 forbids whatever the
/// group's state is (sections 12.2 and 12.4); what the state or the service's policy forbids is the caller's to judge.
/// </summary>
public static class CommitInspector
{
    /// <summary>Reads an MLSMessage that holds a PublicMessage with a Commit.</summary>
    /// <param name="rejection"><see cref="MlsRejection.WrongKind"/> for any other message.</param>
    public static bool TryInspect(
        ReadOnlySpan<byte> message, [NotNullWhen(true)] out InspectedCommit? commit, out MlsRejection rejection)
    {
        commit = null;
        if (!TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out rejection))
        {
            return false;
        }

        if (decoded.PublicMessage?.Content is not { Commit: { } body } content
            || content.Sender.Type is not (SenderType.Member or SenderType.NewMemberCommit))
        {
            rejection = MlsRejection.WrongKind;
            return false;
        }

        var sorted = new SortedProposals(body.Proposals);
        rejection = Check(content.Sender, body, sorted);
        if (rejection != MlsRejection.None)
        {
            return false;
        }

        commit = new InspectedCommit
        {
            GroupId = content.GroupId,
            Epoch = content.Epoch,
            SenderLeaf = content.Sender.Type == SenderType.Member ? (int)content.Sender.Index : null,
            AuthenticatedData = content.AuthenticatedData,
            Adds = sorted.Adds,
            Removes = sorted.Removes,
            Others = sorted.Others,
            ReferenceCount = sorted.ReferenceCount,
            PathLeaf = body.Path?.LeafNode,
        };
        return true;
    }

    private static MlsRejection Check(Sender sender, Commit body, SortedProposals sorted)
    {
        if (sender.Index >= MlsLimits.Leaves || sorted.LeafTooLarge)
        {
            return MlsRejection.LeafUnknown;
        }

        if (body.Path is { LeafNode.Source: not LeafNodeSource.Commit })
        {
            return MlsRejection.LeafNodeSourceWrong;
        }

        if (sorted.RemovedTwice)
        {
            return MlsRejection.ProposalsInvalid;
        }

        return sender.Type == SenderType.Member
            ? CheckMember((int)sender.Index, body, sorted)
            : CheckExternal(body, sorted);
    }

    /// <summary>
    /// Section 12.2: a committer neither removes itself nor joins. Section 12.4: the path may be left out only where every
    /// proposal is of a kind that needs none, and a commit without proposals needs one.
    /// </summary>
    private static MlsRejection CheckMember(int leaf, Commit body, SortedProposals sorted)
    {
        if (sorted.Removes.Contains(leaf) || sorted.ExternalInits > 0)
        {
            return MlsRejection.ProposalsInvalid;
        }

        var needsPath = body.Proposals.Count == 0 || sorted.Removes.Count > 0
            || sorted.Others.Any(static type => type is ProposalType.Update or ProposalType.GroupContextExtensions);
        return needsPath && body.Path is null ? MlsRejection.PathMissing : MlsRejection.None;
    }

    /// <summary>
    /// Section 12.4.3.2: exactly one ExternalInit, at most one Remove (of the joiner's own former leaf), else only
    /// pre-shared keys, all by value, and a path.
    /// </summary>
    private static MlsRejection CheckExternal(Commit body, SortedProposals sorted)
    {
        if (sorted.ExternalInits != 1 || sorted.Removes.Count > 1 || sorted.Adds.Count > 0 || sorted.ReferenceCount > 0
            || sorted.Others.Any(static type => type != ProposalType.PreSharedKey))
        {
            return MlsRejection.ProposalsInvalid;
        }

        return body.Path is null ? MlsRejection.PathMissing : MlsRejection.None;
    }

    /// <summary>A commit's proposals by kind.</summary>
    private sealed class SortedProposals
    {
        private readonly HashSet<int> _removed = [];

        public SortedProposals(IReadOnlyList<ProposalOrRef> proposals)
        {
            foreach (var item in proposals)
            {
                Sort(item.Proposal);
            }
        }

        public List<KeyPackage> Adds { get; } = [];

        public List<int> Removes { get; } = [];

        public List<ProposalType> Others { get; } = [];

        public int ExternalInits { get; private set; }

        public int ReferenceCount { get; private set; }

        public bool LeafTooLarge { get; private set; }

        public bool RemovedTwice { get; private set; }

        private void Sort(Proposal? proposal)
        {
            switch (proposal)
            {
                case null:
                    ReferenceCount++;
                    break;
                case AddProposal add:
                    Adds.Add(add.KeyPackage);
                    break;
                case RemoveProposal { Removed: >= MlsLimits.Leaves }:
                    LeafTooLarge = true;
                    break;
                case RemoveProposal remove:
                    var leaf = (int)remove.Removed;
                    Removes.Add(leaf);
                    RemovedTwice |= !_removed.Add(leaf);
                    break;
                case ExternalInitProposal:
                    ExternalInits++;
                    break;
                default:
                    Others.Add(proposal.Type);
                    break;
            }
        }
    }
}

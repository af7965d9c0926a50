namespace ChatPay.Core.Mls;

/// <summary>
/// A commit's proposals by kind, and the rules of RFC 9420 section 12.2 on which go together that can be told from the
/// list alone. A member and a delivery service judge by the same code; what depends on the group's state is
/// <see cref="ProposalApplication"/>'s.
/// </summary>
internal sealed class ProposalList
{
    private readonly HashSet<uint> _changedLeaves = [];
    private readonly HashSet<string> _addedKeys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _psks = new(StringComparer.Ordinal);
    private bool _leafTooLarge;
    private bool _contradicts;

    public List<AddProposal> Adds { get; } = [];

    /// <summary>Updates with the leaf of the member that proposed each.</summary>
    public List<(uint Leaf, LeafNode Node)> Updates { get; } = [];

    public List<uint> Removes { get; } = [];

    public List<PreSharedKeyId> Psks { get; } = [];

    public List<ExternalInitProposal> ExternalInits { get; } = [];

    public List<GroupContextExtensionsProposal> Extensions { get; } = [];

    public List<ReInitProposal> ReInits { get; } = [];

    /// <summary>The kinds other than Add, Remove and ExternalInit, in the list's order.</summary>
    public List<ProposalType> OtherTypes { get; } = [];

    /// <summary>Proposals that the commit names by reference, whether or not they are known.</summary>
    public int ReferenceCount { get; private set; }

    public int Count { get; private set; }

    /// <summary>Section 12.4: whether the commit's path may not be left out.</summary>
    public bool NeedsPath => Count == 0 || Updates.Count > 0 || Removes.Count > 0 || ExternalInits.Count > 0
        || Extensions.Count > 0;

    /// <summary>A commit's list as who only sees the commit reads it: references stay unknown.</summary>
    public static ProposalList OfCommit(Commit commit, Sender committer)
    {
        var list = new ProposalList();
        foreach (var item in commit.Proposals)
        {
            if (item.Proposal is { } proposal)
            {
                list.Add(new SentProposal(proposal, committer), byReference: false);
            }
            else
            {
                list.AddUnknown();
            }
        }

        return list;
    }

    /// <summary>Counts a reference to a proposal that is not known.</summary>
    public void AddUnknown()
    {
        Count++;
        ReferenceCount++;
    }

    public void Add(SentProposal sent, bool byReference)
    {
        Count++;
        ReferenceCount += byReference ? 1 : 0;
        if (sent.Proposal is not (AddProposal or RemoveProposal or ExternalInitProposal))
        {
            OtherTypes.Add(sent.Proposal.Type);
        }

        switch (sent.Proposal)
        {
            case AddProposal add:
                Adds.Add(add);
                _contradicts |= !_addedKeys.Add(Convert.ToHexString(add.KeyPackage.LeafNode.SignatureKey));
                break;
            case UpdateProposal update:
                Updates.Add((sent.Sender.Index, update.LeafNode));
                ChangeLeaf(sent.Sender.Index);
                break;
            case RemoveProposal { Removed: >= MlsLimits.Leaves }:
                _leafTooLarge = true;
                break;
            case RemoveProposal remove:
                Removes.Add(remove.Removed);
                ChangeLeaf(remove.Removed);
                break;
            case PreSharedKeyProposal psk:
                Psks.Add(psk.Psk);
                _contradicts |= !_psks.Add(Convert.ToHexString(TlsCodec.Encode(psk.Psk)));
                break;
            case ReInitProposal reInit:
                ReInits.Add(reInit);
                break;
            case ExternalInitProposal externalInit:
                ExternalInits.Add(externalInit);
                break;
            case GroupContextExtensionsProposal extensions:
                Extensions.Add(extensions);
                break;
        }
    }

    /// <summary>What of section 12.2 the list breaks, or the path that section 12.4 misses.</summary>
    /// <param name="committer">A member, or a joiner by an external commit.</param>
    public MlsRejection Check(Sender committer, bool hasPath)
    {
        if (committer.Index >= MlsLimits.Leaves || _leafTooLarge)
        {
            return MlsRejection.LeafUnknown;
        }

        var isValid = !_contradicts
            && (committer.Type == SenderType.Member ? SuitsMember(committer.Index) : SuitsJoiner());
        if (!isValid)
        {
            return MlsRejection.ProposalsInvalid;
        }

        return NeedsPath && !hasPath ? MlsRejection.PathMissing : MlsRejection.None;
    }

    /// <summary>
    /// A committer neither updates nor removes itself nor joins; new extensions come once; nothing goes with a ReInit.
    /// </summary>
    private bool SuitsMember(uint leaf) =>
        !_changedLeaves.Contains(leaf) && ExternalInits.Count == 0 && Extensions.Count <= 1
        && (ReInits.Count == 0 || Count == 1);

    /// <summary>
    /// Section 12.4.3.2: one ExternalInit, at most one Remove (of the joiner's former leaf), else only pre-shared keys,
    /// and all by value.
    /// </summary>
    private bool SuitsJoiner() =>
        ExternalInits.Count == 1 && Removes.Count <= 1 && ReferenceCount == 0
        && Count == 1 + Removes.Count + Psks.Count;

    private void ChangeLeaf(uint leaf) => _contradicts |= !_changedLeaves.Add(leaf);
}

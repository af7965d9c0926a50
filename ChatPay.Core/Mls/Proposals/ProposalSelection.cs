namespace ChatPay.Core.Mls;

/// <summary>
/// Which pending proposals a commit takes up, RFC 9420 sections 12.2 and 12.4: all that go together, Removes before
/// Updates, the newest Update of a member, anything before a ReInit, and the first of others that contradict each
/// other.
/// </summary>
internal sealed class ProposalSelection
{
    private readonly PublicState _state;
    private readonly ProposalChecks _checks;
    private readonly Func<PreSharedKeyId, bool> _isKnown;
    private readonly HashSet<uint> _leaves = [];
    private readonly HashSet<string> _newKeys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _freedKeys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _psks = new(StringComparer.Ordinal);
    private readonly HashSet<PendingProposal> _chosen = [];
    private ContextExtensions _extensions;

    private ProposalSelection(
        ProposalList given, uint committer, ProposalChecks checks, PublicState state,
        Func<PreSharedKeyId, bool> isKnown)
    {
        _state = state;
        _checks = checks;
        _isKnown = isKnown;
        _extensions = state.Extensions;
        _leaves.Add(committer);
        foreach (var leaf in given.Removes)
        {
            Free(leaf);
        }

        foreach (var add in given.Adds)
        {
            _newKeys.Add(Key(add.KeyPackage.LeafNode.SignatureKey));
            _newKeys.Add(Key(add.KeyPackage.LeafNode.EncryptionKey));
        }

        foreach (var psk in given.Psks)
        {
            _psks.Add(Key(TlsCodec.Encode(psk)));
        }
    }

    /// <param name="given">What the commit holds by value.</param>
    /// <param name="checks">The committer's, who sends them on and so judges lifetimes.</param>
    /// <param name="isKnown">Whether the committer has a pre-shared key.</param>
    /// <returns>In the order in which they were seen.</returns>
    public static IEnumerable<PendingProposal> Choose(
        IReadOnlyList<PendingProposal> pending, ProposalList given, uint committer, ProposalChecks checks,
        PublicState state, Func<PreSharedKeyId, bool> isKnown)
    {
        if (pending.Count == 0 || given.ReInits.Count > 0)
        {
            return [];
        }

        var selection = new ProposalSelection(given, committer, checks, state, isKnown);
        selection.ChooseExtensions(pending, given);
        foreach (var proposal in pending)
        {
            selection.ChooseRemove(proposal);
        }

        foreach (var proposal in pending.Reverse())
        {
            selection.ChooseUpdate(proposal);
        }

        foreach (var proposal in pending)
        {
            selection.ChooseOther(proposal);
        }

        if (selection._chosen.Count == 0 && given.Count == 0)
        {
            return pending.Where(static proposal => proposal.Sent.Proposal is ReInitProposal).Take(1);
        }

        return pending.Where(selection._chosen.Contains);
    }

    private static string Key(byte[] bytes) => Convert.ToHexString(bytes);

    private void ChooseExtensions(IReadOnlyList<PendingProposal> pending, ProposalList given)
    {
        if (given.Extensions.Count > 0)
        {
            // They were checked already, so they can be read.
            _ = ContextExtensions.TryRead(given.Extensions[0].Extensions, out var read, out _);
            _extensions = read ?? _extensions;
            return;
        }

        foreach (var proposal in pending)
        {
            if (proposal.Sent.Proposal is GroupContextExtensionsProposal { Extensions: var extensions }
                && ContextExtensions.TryRead(extensions, out var read, out _)
                && _state.Tally.Check(read) == MlsRejection.None)
            {
                _extensions = read;
                _chosen.Add(proposal);
                return;
            }
        }
    }

    private void ChooseRemove(PendingProposal proposal)
    {
        if (proposal.Sent.Proposal is RemoveProposal { Removed: var leaf } && !_leaves.Contains(leaf))
        {
            Free(leaf);
            _chosen.Add(proposal);
        }
    }

    private void ChooseUpdate(PendingProposal proposal)
    {
        if (proposal.Sent is { Proposal: UpdateProposal { LeafNode: var node }, Sender.Index: var leaf }
            && !_leaves.Contains(leaf) && _state.Tree.Leaf(leaf) is { } current
            && _state.Tally.Change([current], [node]).Check(_extensions) == MlsRejection.None
            && AreNew(node, current))
        {
            Free(leaf);
            TakeKeys(node);
            _chosen.Add(proposal);
        }
    }

    private void ChooseOther(PendingProposal proposal)
    {
        var fits = proposal.Sent.Proposal switch
        {
            AddProposal { KeyPackage.LeafNode: var leaf } => _checks.CheckLifetime(leaf) == MlsRejection.None
                && _state.Tally.Change([], [leaf]).Check(_extensions) == MlsRejection.None && AreNew(leaf, null),
            PreSharedKeyProposal { Psk: var psk } => _isKnown(psk) && _psks.Add(Key(TlsCodec.Encode(psk))),
            _ => false,
        };
        if (fits)
        {
            if (proposal.Sent.Proposal is AddProposal add)
            {
                TakeKeys(add.KeyPackage.LeafNode);
            }

            _chosen.Add(proposal);
        }
    }

    private bool AreNew(LeafNode leaf, LeafNode? replaced) =>
        IsNew(leaf.EncryptionKey, _state.Tree.HasEncryptionKey(leaf.EncryptionKey))
        && (leaf.SignatureKey.AsSpan().SequenceEqual(replaced?.SignatureKey)
            || IsNew(leaf.SignatureKey, _state.Tree.HasSignatureKey(leaf.SignatureKey)));

    private bool IsNew(byte[] key, bool isInTree) =>
        !_newKeys.Contains(Key(key)) && (!isInTree || _freedKeys.Contains(Key(key)));

    private void TakeKeys(LeafNode leaf)
    {
        _newKeys.Add(Key(leaf.EncryptionKey));
        _newKeys.Add(Key(leaf.SignatureKey));
    }

    /// <summary>Takes a leaf whose member goes or whose node is replaced.</summary>
    private void Free(uint leaf)
    {
        _leaves.Add(leaf);
        if (_state.Tree.Leaf(leaf) is { } node)
        {
            _freedKeys.Add(Key(node.EncryptionKey));
            _freedKeys.Add(Key(node.SignatureKey));
        }
    }
}

using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <content>Commits of others, RFC 9420 section 12.4.2.</content>
public sealed partial class Group
{
    private ProcessedCommit? Follow(AuthenticatedContent message, out MlsRejection rejection)
    {
        var commit = message.Content.Commit!;
        var sender = message.Content.Sender;
        if (!TryList(commit, sender, out var list, out var own, out rejection)
            || !ProposalApplication.TryApply(_state.Public, list, out var application, out rejection))
        {
            return null;
        }

        if (!TryApplyPath(commit, sender, application, out var path, out rejection))
        {
            return null;
        }

        rejection = application.Check(path.After);
        if (rejection != MlsRejection.None)
        {
            return null;
        }

        if (application.Removed.Any(removed => removed.Leaf == OwnLeaf))
        {
            var farewell = Describe(message, application, path, selfRemoved: true);
            Leave();
            return farewell;
        }

        if (!TryBegin(message, application, path, own, out var next, out rejection))
        {
            return null;
        }

        var processed = Describe(message, application, path, selfRemoved: false);
        Enter(next, own?.NextIdentity ?? _self);
        return processed;
    }

    /// <summary>Looks up the commit's proposals and checks them, each and together; section 12.2.</summary>
    /// <param name="own">This member's own Update, where the commit takes it up.</param>
    private bool TryList(
        Commit commit, Sender committer, [NotNullWhen(true)] out ProposalList? list, out PendingProposal? own,
        out MlsRejection rejection)
    {
        own = null;
        var isKnown = true;
        list = new ProposalList();
        foreach (var item in commit.Proposals)
        {
            if (item.Proposal is { } proposal)
            {
                list.Add(new SentProposal(proposal, committer), byReference: false);
            }
            else if (_proposals.TryGet(item.Reference!, out var pending))
            {
                list.Add(pending.Sent, byReference: true);
                own = pending.LeafKey is null ? own : pending;
            }
            else
            {
                list.AddUnknown();
                isKnown = false;
            }
        }

        // What is wrong with the list as such is told without looking at a key or a signature.
        rejection = list.Check(committer, commit.Path is not null);
        if (rejection == MlsRejection.None)
        {
            rejection = isKnown ? CheckByValue(commit, committer) : MlsRejection.ProposalUnknown;
        }

        list = rejection == MlsRejection.None ? list : null;
        return list is not null;
    }

    /// <summary>
    /// Each proposal that the commit holds in full; the others were checked when they came, in this same epoch.
    /// </summary>
    private MlsRejection CheckByValue(Commit commit, Sender committer)
    {
        var checks = new ProposalChecks(_state.Public, _services);
        foreach (var item in commit.Proposals)
        {
            if (item.Proposal is { } proposal
                && checks.Check(new SentProposal(proposal, committer)) is var rejection and not MlsRejection.None)
            {
                return rejection;
            }
        }

        return MlsRejection.None;
    }

    /// <summary>Applies the commit's path to the tree that its proposals made, as far as that is public.</summary>
    private bool TryApplyPath(
        Commit commit, Sender sender, ProposalApplication application, [NotNullWhen(true)] out AppliedPath? applied,
        out MlsRejection rejection)
    {
        applied = null;
        rejection = MlsRejection.None;
        var checks = new ProposalChecks(_state.Public, _services);
        if (sender.Type == SenderType.NewMemberCommit)
        {
            var path = commit.Path!;
            var replaced = application.Removed.Count > 0 ? application.Removed[0].Node : null;
            if (!application.Tree.TryApplyExternalPath(
                path, GroupId, out var joiner, out var before, out var after, out rejection))
            {
                return false;
            }

            rejection = checks.CheckJoiner(replaced, path.LeafNode);
            application.CountPathLeaf(null, path.LeafNode);
            applied = new AppliedPath(joiner, before, after, path);
        }
        else if (commit.Path is { } path)
        {
            if (application.Tree.Leaf(sender.Index) is not { } current)
            {
                rejection = MlsRejection.LeafUnknown;
                return false;
            }

            if (!application.Tree.TryApplyPath(sender.Index, path, GroupId, out var after, out rejection))
            {
                return false;
            }

            rejection = checks.CheckSuccession(current, path.LeafNode);
            application.CountPathLeaf(current, path.LeafNode);
            applied = new AppliedPath(sender.Index, application.Tree, after, path);
        }
        else
        {
            applied = new AppliedPath(sender.Index, application.Tree, application.Tree, null);
        }

        return rejection == MlsRejection.None;
    }

    /// <summary>Derives the epoch that the commit begins, and checks the confirmation tag.</summary>
    private bool TryBegin(
        AuthenticatedContent message, ProposalApplication application, AppliedPath path, PendingProposal? own,
        [NotNullWhen(true)] out GroupState? next, out MlsRejection rejection)
    {
        next = null;
        var list = application.List;
        if (!PskLookup.TryDerive(
            Suite, list.Psks, _services, FindOwnResumptionKey, out var pskSecret, out rejection))
        {
            return false;
        }

        using (pskSecret)
        {
            if (!TryInitSecret(list, out var initSecret, out rejection))
            {
                return false;
            }

            using (initSecret)
            {
                var provisional = TlsCodec.Encode(_state.Public.NextContext(
                    path.After, application.Extensions, _state.Context.ConfirmedTranscriptHash));
                if (!TryOpenPath(
                    application, path, own, provisional, out var keys, out var commitSecret, out rejection))
                {
                    return false;
                }

                using (commitSecret)
                {
                    var confirmed = TranscriptHashes.Confirmed(Suite, _state.Public.InterimTranscriptHash, message);
                    var context = _state.Public.NextContext(path.After, application.Extensions, confirmed);
                    var secrets = EpochSecrets.Derive(
                        Suite, initSecret.Span, commitSecret.Span, TlsCodec.Encode(context), pskSecret.Span);
                    if (secrets.VerifyConfirmationTag(confirmed, message.ConfirmationTag))
                    {
                        next = GroupState.Begin(
                            PublicState.Of(
                                context, application.Extensions, path.After, application.Tally,
                                message.ConfirmationTag!),
                            keys, secrets, list.ReInits.FirstOrDefault());
                        return true;
                    }

                    rejection = MlsRejection.ConfirmationTagInvalid;
                    secrets.Dispose();
                    keys.Dispose();
                    return false;
                }
            }
        }
    }

    /// <summary>
    /// Opens the path's secret for this member, or goes on with the keys there are where there is no path.
    /// </summary>
    private bool TryOpenPath(
        ProposalApplication application, AppliedPath path, PendingProposal? own, ReadOnlySpan<byte> provisionalContext,
        [NotNullWhen(true)] out PrivateTree? keys, [NotNullWhen(true)] out Secret? commitSecret,
        out MlsRejection rejection)
    {
        if (path.Path is null)
        {
            rejection = MlsRejection.None;
            keys = _state.Keys.Pruned(path.After);
            commitSecret = new Secret(Suite.HashSize);
            return true;
        }

        var newLeaves = application.Added.Select(static added => added.Leaf).ToHashSet();
        var updated = own?.LeafKey is { } leafKey ? _state.Keys.WithLeafKey(leafKey.Span) : null;
        using (updated)
        {
            return (updated ?? _state.Keys).TryOpenPath(
                Suite, path.Before, path.Committer, path.Path, provisionalContext, newLeaves, out keys,
                out commitSecret, out rejection);
        }
    }

    /// <summary>
    /// The init secret of the epoch that ends, or the one that an external commit brings; section 8.3.
    /// </summary>
    private bool TryInitSecret(
        ProposalList list, [NotNullWhen(true)] out Secret? initSecret, out MlsRejection rejection)
    {
        rejection = MlsRejection.None;
        if (list.ExternalInits.Count == 0)
        {
            initSecret = Secret.Copy(_state.Secrets.InitSecret);
            return true;
        }

        var (privateKey, publicKey) = _state.Secrets.DeriveExternalKeyPair();
        using (privateKey)
        {
            if (Suite.TryImportFrom(
                privateKey.Span, publicKey, list.ExternalInits[0].KemOutput, ExternalInitLabel, out initSecret))
            {
                return true;
            }
        }

        rejection = MlsRejection.ProposalInvalid;
        return false;
    }

    private static ProcessedCommit Describe(
        AuthenticatedContent message, ProposalApplication application, AppliedPath path, bool selfRemoved)
    {
        var isExternal = message.Content.Sender.Type == SenderType.NewMemberCommit;
        var list = application.List;
        return new ProcessedCommit
        {
            AuthenticatedData = message.Content.AuthenticatedData,
            SenderLeaf = path.Committer,
            Epoch = message.Content.Epoch + 1,
            Added = isExternal
                ? [new GroupMember(path.Committer, path.Path!.LeafNode)]
                : [.. application.Added.Select(static added => new GroupMember(added.Leaf, added.Package.LeafNode))],
            Removed = [.. application.Removed.Select(static removed => new GroupMember(removed.Leaf, removed.Node))],
            Updated = [.. list.Updates.Select(static update => new GroupMember(update.Leaf, update.Node))],
            SelfRemoved = selfRemoved,
            IsExternal = isExternal,
            Extensions = list.Extensions.Count > 0 ? list.Extensions[0].Extensions : null,
            ReInit = list.ReInits.FirstOrDefault(),
        };
    }

    /// <summary>A commit's path on the tree, or its absence.</summary>
    /// <param name="Committer">The committer's leaf.</param>
    /// <param name="Before">The tree with the proposals applied and a joiner's leaf in its place.</param>
    /// <param name="After">The tree as the commit leaves it.</param>
    private sealed record AppliedPath(uint Committer, PublicTree Before, PublicTree After, UpdatePath? Path);
}

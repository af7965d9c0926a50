using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <content>This member's commits, RFC 9420 section 12.4.1.</content>
public sealed partial class Group
{
    internal const string ExternalInitLabel = "MLS 1.0 external init secret";

    /// <summary>Makes a commit. The group stays in its epoch until <see cref="Apply"/>.</summary>
    /// <param name="request">Null to commit what is pending and to refresh this member's keys if nothing is.</param>
    /// <exception cref="InvalidOperationException">The group is not active.</exception>
    /// <exception cref="ArgumentException">The proposals cannot be committed; the message says why.</exception>
    public PendingCommit Commit(MlsCommitRequest? request = null) =>
        TryCommit(request ?? new MlsCommitRequest(), out var pending, out var rejection)
            ? pending
            : throw new ArgumentException($"The group would refuse the commit: {rejection}.", nameof(request));

    /// <summary>
    /// As <see cref="Commit"/>, where what is proposed comes from others, such as key packages, and may be wrong.
    /// </summary>
    /// <param name="rejection">Why the group would refuse the commit.</param>
    /// <exception cref="InvalidOperationException">The group is not active.</exception>
    public bool TryCommit(
        MlsCommitRequest request, [NotNullWhen(true)] out PendingCommit? pending, out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequireActive();
        return TryCommit(request, ResumptionPskUsage.Application, FindOwnResumptionKey, out pending, out rejection);
    }

    /// <summary>
    /// Enters the epoch that this member's commit begins, once the delivery service has accepted the commit.
    /// </summary>
    /// <exception cref="InvalidOperationException">The commit was not made in this epoch of this group.</exception>
    /// <exception cref="ObjectDisposedException">The commit was applied or dropped before.</exception>
    public void Apply(PendingCommit pending)
    {
        ArgumentNullException.ThrowIfNull(pending);
        var state = RequireActive();
        pending.EnsureThere();
        if (pending.Before is not { } before || !state.Secrets.EpochAuthenticator.SequenceEqual(before))
        {
            throw new InvalidOperationException("The commit was not made in this epoch of this group.");
        }

        Enter(pending.Take(), pending.Identity);
    }

    private bool TryCommit(
        MlsCommitRequest request, ResumptionPskUsage founding, FindResumptionKey findKey,
        [NotNullWhen(true)] out PendingCommit? pending, out MlsRejection rejection)
    {
        pending = null;
        var sender = new Sender { Type = SenderType.Member, Index = OwnLeaf };
        var identity = request.NextIdentity ?? _self;
        var (list, proposals) = Choose(request, sender, founding, findKey, out rejection);
        var hasPath = list.NeedsPath || request.ForcePath || request.NextIdentity is not null;
        var flaw = list.Check(sender, hasPath);
        rejection = flaw == MlsRejection.None ? rejection : flaw;
        if (rejection != MlsRejection.None
            || !ProposalApplication.TryApply(_state.Public, list, out var application, out rejection)
            || !PskLookup.TryDerive(Suite, list.Psks, _services, findKey, out var pskSecret, out rejection))
        {
            return false;
        }

        using (pskSecret)
        {
            using var initSecret = Secret.Copy(_state.Secrets.InitSecret);
            var draft = new CommitDraft
            {
                Before = _state.Public,
                Application = application,
                Proposals = proposals,
                Sender = sender,
                Leaf = OwnLeaf,
                HasPath = hasPath,
                Signer = _self,
                Identity = identity,
                Services = _services,
                AuthenticatedData = request.AuthenticatedData,
                WireFormat = WireFormatOf(request.Format),
            };
            if (!draft.TryBuild(
                initSecret, pskSecret, _state.Keys, request.TreeInWelcome, out var built, out rejection))
            {
                return false;
            }

            pending = new PendingCommit(
                built.Next, identity, _services, _state.Secrets.EpochAuthenticator.ToArray(), Send(built.Content),
                built.Welcome is null ? null : TlsCodec.Encode(new MlsMessage(built.Welcome)));
            return true;
        }
    }

    /// <summary>
    /// What the commit holds: the request's proposals by value, then what is pending and goes with them.
    /// </summary>
    /// <param name="rejection">What is wrong with one of the request's proposals.</param>
    private (ProposalList List, List<ProposalOrRef> Proposals) Choose(
        MlsCommitRequest request, Sender sender, ResumptionPskUsage founding, FindResumptionKey findKey,
        out MlsRejection rejection)
    {
        var list = new ProposalList();
        var proposals = new List<ProposalOrRef>();
        var checks = new ProposalChecks(_state.Public, _services) { JudgesLifetimes = true, Founding = founding };
        rejection = request.NextIdentity is { } next
            ? checks.CheckSuccession(_state.Tree.Leaf(OwnLeaf)!, next.Template()) : MlsRejection.None;
        foreach (var proposal in request.Proposals)
        {
            var sent = new SentProposal(proposal, sender);
            list.Add(sent, byReference: false);
            proposals.Add(new ProposalOrRef(proposal));
            rejection = rejection == MlsRejection.None ? checks.Check(sent) : rejection;
        }

        if (!request.IncludePending || rejection != MlsRejection.None)
        {
            return (list, proposals);
        }

        foreach (var pending in ProposalSelection.Choose(
            _proposals.InOrder, list, OwnLeaf, checks, _state.Public, id => PskLookup.IsKnown(id, _services, findKey)))
        {
            list.Add(pending.Sent, byReference: true);
            proposals.Add(new ProposalOrRef(pending.Ref));
        }

        return (list, proposals);
    }

    /// <summary>
    /// A handshake of this member as an MLSMessage; in private it uses up a key of the handshake ratchet.
    /// </summary>
    private byte[] Send(AuthenticatedContent content) => content.WireFormat == WireFormat.PublicMessage
        ? TlsCodec.Encode(new MlsMessage(_protection.ToPublic(content)))
        : _protection.ToPrivate(content, _services.Random);

    private static WireFormat WireFormatOf(HandshakeFormat format) =>
        format == HandshakeFormat.Public ? WireFormat.PublicMessage : WireFormat.PrivateMessage;

    /// <summary>Resumption keys of this group's epochs, section 8.6.</summary>
    private bool FindOwnResumptionKey(ResumptionPskId id, out ReadOnlySpan<byte> key)
    {
        key = default;
        if (Status == GroupStatus.Removed || !id.GroupId.AsSpan().SequenceEqual(GroupId))
        {
            return false;
        }

        if (id.Epoch == Epoch)
        {
            key = _state.Secrets.ResumptionPsk;
            return true;
        }

        return _pastKeys.TryGet(id.Epoch, out key);
    }
}

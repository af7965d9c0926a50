using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <content>Proposals, RFC 9420 section 12.1.</content>
public sealed partial class Group
{
    /// <summary>Proposes a change, which waits for a commit to take it up; anybody's commit may.</summary>
    /// <param name="proposal">Any but an Update, for which <see cref="ProposeUpdate"/> is.</param>
    /// <param name="authenticatedData">Sent along, signed and not encrypted.</param>
    /// <returns>
    /// The MLSMessage to send. The proposal counts as seen from now on; <see cref="DropProposals"/> takes that back
    /// where it was not sent.
    /// </returns>
    /// <exception cref="InvalidOperationException">The group is not active, or too many proposals wait.</exception>
    /// <exception cref="ArgumentException">The group would refuse the proposal; the message says why.</exception>
    public byte[] Propose(
        Proposal proposal, HandshakeFormat format = HandshakeFormat.Public,
        ReadOnlySpan<byte> authenticatedData = default)
    {
        ArgumentNullException.ThrowIfNull(proposal);
        return proposal is not UpdateProposal
            ? Propose(proposal, format, authenticatedData, leafKey: null, nextIdentity: null)
            : throw new ArgumentException("An Update has keys that the group makes itself.", nameof(proposal));
    }

    /// <summary>
    /// Proposes fresh keys for this member's leaf, section 12.1.2. They count once somebody else's commit takes them
    /// up: a member's own commit refreshes its keys by itself.
    /// </summary>
    /// <param name="nextIdentity">
    /// Another signature key or credential from then on; null to keep them. It must live until the Update is committed
    /// or dropped.
    /// </param>
    /// <inheritdoc cref="Propose(Proposal, HandshakeFormat, ReadOnlySpan{byte})"/>
    public byte[] ProposeUpdate(
        MlsMember? nextIdentity = null, HandshakeFormat format = HandshakeFormat.Public,
        ReadOnlySpan<byte> authenticatedData = default)
    {
        RequireActive();
        var (leafKey, publicKey) = KeyPackageBundle.NewKeyPair(Suite, _services.Random);
        using (leafKey)
        {
            var leaf = (nextIdentity ?? _self).SignLeaf(Suite, LeafNodeSource.Update, publicKey, GroupId, OwnLeaf);
            return Propose(
                new UpdateProposal { LeafNode = leaf }, format, authenticatedData, leafKey, nextIdentity);
        }
    }

    /// <summary>
    /// Forgets all proposals that wait, such as ones that nobody may commit: they cannot be committed here by reference
    /// any more, and the member's own commits and messages go ahead without them.
    /// </summary>
    /// <remarks>A commit of somebody else who takes one up can then not be followed.</remarks>
    public void DropProposals() => _proposals.Clear();

    /// <summary>
    /// A proposal from somebody whom the group's external_senders extension lists, section 12.1.8: Add, Remove,
    /// PreSharedKey, ReInit or GroupContextExtensions.
    /// </summary>
    /// <param name="epoch">The group's current epoch.</param>
    /// <param name="senderIndex">The sender's place in the extension.</param>
    /// <param name="signatureKey">The sender's.</param>
    /// <returns>The MLSMessage to send.</returns>
    /// <exception cref="ArgumentException">The proposal is none that comes from outside.</exception>
    public static byte[] ProposeExternally(
        MlsCipherSuite suite, byte[] groupId, ulong epoch, Proposal proposal, uint senderIndex, Key signatureKey)
    {
        ArgumentNullException.ThrowIfNull(suite);
        ArgumentNullException.ThrowIfNull(proposal);
        ArgumentNullException.ThrowIfNull(signatureKey);
        return ProposeFromOutside(
            suite, groupId, epoch, proposal, new Sender { Type = SenderType.External, Index = senderIndex },
            signatureKey);
    }

    /// <summary>A proposal of a client to add itself, section 12.1.8.</summary>
    /// <param name="epoch">The group's current epoch.</param>
    /// <param name="bundle">The key package that the Welcome will be for.</param>
    /// <param name="self">Whose key package it is.</param>
    /// <returns>The MLSMessage to send.</returns>
    public static byte[] ProposeJoin(byte[] groupId, ulong epoch, KeyPackageBundle bundle, MlsMember self)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        ArgumentNullException.ThrowIfNull(self);
        return ProposeFromOutside(
            bundle.Suite, groupId, epoch, new AddProposal { KeyPackage = bundle.KeyPackage },
            new Sender { Type = SenderType.NewMemberProposal }, self.SignatureKey);
    }

    private static byte[] ProposeFromOutside(
        MlsCipherSuite suite, byte[] groupId, ulong epoch, Proposal proposal, Sender sender, Key signatureKey)
    {
        ArgumentNullException.ThrowIfNull(groupId);
        if (!ProposalChecks.MaySend(sender.Type, proposal))
        {
            throw new ArgumentException("This proposal is none that comes from outside.", nameof(proposal));
        }

        var content = new FramedContent
        {
            GroupId = groupId,
            Epoch = epoch,
            Sender = sender,
            AuthenticatedData = [],
            ContentType = ContentType.Proposal,
            Proposal = proposal,
        };
        return TlsCodec.Encode(new MlsMessage(
            AuthenticatedContent.Sign(suite, WireFormat.PublicMessage, content, [], signatureKey).ToPublicMessage()));
    }

    private byte[] Propose(
        Proposal proposal, HandshakeFormat format, ReadOnlySpan<byte> authenticatedData, Secret? leafKey,
        MlsMember? nextIdentity)
    {
        var state = RequireActive();
        var sent = new SentProposal(proposal, new Sender { Type = SenderType.Member, Index = OwnLeaf });
        var checks = new ProposalChecks(state.Public, _services) { JudgesLifetimes = true };
        if (checks.Check(sent) is var flaw and not MlsRejection.None)
        {
            throw new ArgumentException($"The group would refuse the proposal: {flaw}.", nameof(proposal));
        }

        var content = _protection.Sign(
            WireFormatOf(format),
            new FramedContent
            {
                GroupId = GroupId,
                Epoch = Epoch,
                Sender = sent.Sender,
                AuthenticatedData = authenticatedData.ToArray(),
                ContentType = ContentType.Proposal,
                Proposal = proposal,
            },
            _self.SignatureKey);
        var encoded = TlsCodec.Encode(content);
        if (!_proposals.HasRoomFor(encoded.Length))
        {
            throw new InvalidOperationException("Too many proposals wait already.");
        }

        var message = Send(content);
        _proposals.Add(new PendingProposal
        {
            Ref = Suite.ProposalRef(encoded),
            Sent = sent,
            SizeBytes = encoded.Length,
            LeafKey = leafKey is null ? null : Secret.Copy(leafKey.Span),
            NextIdentity = nextIdentity,
        });
        return message;
    }

    /// <summary>Keeps a proposal that came from the group or from outside.</summary>
    private ProcessedProposal? Take(AuthenticatedContent content, out MlsRejection rejection)
    {
        var sent = new SentProposal(content.Content.Proposal!, content.Content.Sender);
        var encoded = TlsCodec.Encode(content);
        rejection = _proposals.HasRoomFor(encoded.Length)
            ? new ProposalChecks(_state.Public, _services).Check(sent) : MlsRejection.TooLarge;
        if (rejection != MlsRejection.None)
        {
            return null;
        }

        var pending = new PendingProposal { Ref = Suite.ProposalRef(encoded), Sent = sent, SizeBytes = encoded.Length };
        _proposals.Add(pending);
        return new ProcessedProposal
        {
            AuthenticatedData = content.Content.AuthenticatedData,
            Ref = pending.Ref,
            Proposal = sent.Proposal,
            Sender = sent.Sender,
        };
    }
}

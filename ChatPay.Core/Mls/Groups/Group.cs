using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// An MLS group as one of its members holds it, RFC 9420: it creates, joins, proposes, commits, encrypts, decrypts,
/// exports.
/// </summary>
/// <remarks>
/// <para>
/// Misuse throws. Whatever is wrong with something from the wire is an <see cref="MlsRejection"/> and leaves the group
/// exactly as it was.
/// </para>
/// <para>
/// This member's own commits change nothing until the delivery service has accepted them: <see cref="Commit"/> gives a
/// <see cref="PendingCommit"/>, which <see cref="Apply"/> takes up or its disposal drops. Keys of past epochs are not
/// kept, so the messages of an epoch are processed before the commit that ends it.
/// </para>
/// <para>
/// State at rest is two sealed blobs, written together: <see cref="SaveEpoch"/> after each change of epoch and
/// <see cref="SaveRatchets"/> after every message sent or processed, before its outcome is shown to anybody. Not safe
/// for concurrent use.
/// </para>
/// </remarks>
public sealed partial class Group : IDisposable
{
    private readonly MlsServices _services;
    private readonly PendingProposals _proposals;
    private readonly ResumptionKeys _pastKeys;
    private MlsMember _self;
    private GroupState _state;
    private MessageProtection _protection;
    private IReadOnlyList<GroupMember>? _members;
    private bool _isDisposed;

    /// <summary>A member's view of a state, which it owns from now on, with what else it keeps.</summary>
    private Group(
        GroupState state, MlsMember self, MlsServices services, PendingProposals? proposals = null,
        ResumptionKeys? pastKeys = null)
    {
        _self = self;
        _services = services;
        _proposals = proposals ?? new PendingProposals();
        _pastKeys = pastKeys ?? new ResumptionKeys();
        _state = state;
        _protection = Protect(state, services);
        Status = state.ReInit is null ? GroupStatus.Active : GroupStatus.Reinitialised;
    }

    public MlsCipherSuite Suite => _state.Suite;

    public byte[] GroupId => _state.Context.GroupId;

    public ulong Epoch => _state.Context.Epoch;

    public GroupStatus Status { get; private set; }

    /// <summary>This member's leaf index.</summary>
    public uint OwnLeaf => _state.OwnLeaf;

    /// <summary>
    /// The members, by ascending leaf index; those of the last epoch that this member saw, once it is removed.
    /// </summary>
    public IReadOnlyList<GroupMember> Members =>
        _members ??= [.. _state.Tree.Members().Select(static member => new GroupMember(member.Index, member.Leaf))];

    public int MemberCount => _state.Tree.MemberCount;

    /// <summary>The extensions of the group's context.</summary>
    public IReadOnlyList<Extension> Extensions => _state.Context.Extensions;

    /// <summary>What the group was given up for, once it was.</summary>
    public ReInitProposal? ReInit => _state.ReInit;

    /// <summary>
    /// Proposals of this epoch that no commit has taken up yet, in the order in which they were seen.
    /// </summary>
    public IReadOnlyList<SentProposal> PendingProposals =>
        [.. _proposals.InOrder.Select(static proposal => proposal.Sent)];

    /// <summary>
    /// RFC 9420 section 8.7: members who see the same group have the same value; nobody else can compute it. 32 bytes.
    /// </summary>
    /// <exception cref="InvalidOperationException">This member was removed.</exception>
    public byte[] EpochAuthenticator => Require().Secrets.EpochAuthenticator.ToArray();

    /// <summary>The member at a leaf, or null.</summary>
    public GroupMember? MemberAt(uint leafIndex) =>
        _state.Tree.Leaf(leafIndex) is { } leaf ? new GroupMember(leafIndex, leaf) : null;

    /// <summary>
    /// Creates a group with this client as its one member, RFC 9420 section 11. To check that no other client has used
    /// the id is the delivery service's business.
    /// </summary>
    /// <param name="contextExtensions">For the group's context; null for none.</param>
    /// <exception cref="ArgumentException">
    /// The extensions contradict each other, or the member's capabilities lack the suite or what the extensions ask
    /// for.
    /// </exception>
    public static Group Create(
        MlsCipherSuite suite, byte[] groupId, MlsMember self, MlsServices services,
        IReadOnlyList<Extension>? contextExtensions = null)
    {
        ArgumentNullException.ThrowIfNull(suite);
        ArgumentNullException.ThrowIfNull(groupId);
        ArgumentNullException.ThrowIfNull(self);
        MlsServices.Validate(services);
        return new Group(CreateState(suite, groupId, self, services, contextExtensions ?? []), self, services);
    }

    /// <summary>
    /// A secret for use outside MLS, RFC 9420 section 8.5: all members of the epoch derive the same for the same label
    /// and context.
    /// </summary>
    /// <param name="lengthBytes">0 to 8,160.</param>
    /// <exception cref="InvalidOperationException">This member was removed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length is out of its range.</exception>
    /// <exception cref="ArgumentException">The label is not ASCII.</exception>
    public byte[] Export(string label, ReadOnlySpan<byte> context, int lengthBytes) =>
        Require().Secrets.Export(label, context, lengthBytes);

    /// <summary>A signed GroupInfo of this epoch as an MLSMessage, RFC 9420 section 12.4.3.</summary>
    /// <param name="withTree">Whether it carries the ratchet tree, whose size grows with the group.</param>
    /// <param name="withExternalPub">Whether who has it can join by an external commit.</param>
    /// <exception cref="InvalidOperationException">The group is not active.</exception>
    public byte[] GroupInfoMessage(bool withTree, bool withExternalPub) => TlsCodec.Encode(new MlsMessage(
        RequireActive().SignInfo(_self.SignatureKey, withTree, withExternalPub)));

    /// <summary>The ratchet tree as others take it who were not sent it with a GroupInfo.</summary>
    public RatchetTree ExportTree() => _state.Tree.ToWire();

    public void Dispose()
    {
        _isDisposed = true;
        _state.Dispose();
        _proposals.Dispose();
        _pastKeys.Dispose();
    }

    private static GroupState CreateState(
        MlsCipherSuite suite, byte[] groupId, MlsMember self, MlsServices services, IReadOnlyList<Extension> extensions)
    {
        if (!ContextExtensions.TryRead(extensions, out var read, out var flaw))
        {
            throw new ArgumentException($"The extensions cannot be a group's: {flaw}.", nameof(extensions));
        }

        var (leafKey, leafPublicKey) = KeyPackageBundle.NewKeyPair(suite, services.Random);
        using (leafKey)
        {
            // A leaf of the kind that Updates bring: it is bound to this group and place, and needs no lifetime.
            var leaf = self.SignLeaf(suite, LeafNodeSource.Update, leafPublicKey, groupId, 0);
            var tree = PublicTree.Of(suite, leaf);
            var tally = CapabilityTally.Of([leaf]);
            flaw = LeafNodeValidation.Check(leaf, suite, groupId, 0);
            flaw = flaw == MlsRejection.None ? tally.Check(read) : flaw;
            if (flaw != MlsRejection.None)
            {
                throw new ArgumentException($"The member does not fit its group: {flaw}.", nameof(self));
            }

            var context = new GroupContext
            {
                Version = ProtocolVersion.Mls10,
                CipherSuite = suite.Id,
                GroupId = groupId,
                Epoch = 0,
                TreeHash = tree.TreeHash.ToArray(),
                ConfirmedTranscriptHash = [],
                Extensions = extensions,
            };
            using var epochSecret = new Secret(suite.HashSize);
            services.Random(epochSecret.Span);
            var secrets = EpochSecrets.FromEpochSecret(suite, epochSecret.Span);
            return GroupState.Begin(
                PublicState.Of(context, read, tree, tally, secrets.ConfirmationTag([])),
                PrivateTree.OfLeaf(0, leafKey.Span), secrets);
        }
    }

    private static MessageProtection Protect(GroupState state, MlsServices services) => new(
        state.Suite, state.Context, state.Secrets, state.Ratchets, state.OwnLeaf, services.PaddingBytes);

    /// <summary>Leaves the epoch for another; whatever was kept for the old one is zeroed.</summary>
    private void Enter(GroupState next, MlsMember self)
    {
        var previous = _state;
        _pastKeys.Add(previous.Context.Epoch, previous.Secrets.ResumptionPsk, _services.ResumptionEpochs);
        _state = next;
        _self = self;
        _protection = Protect(next, _services);
        _members = null;
        Status = next.ReInit is null ? GroupStatus.Active : GroupStatus.Reinitialised;
        _proposals.Clear();
        previous.Dispose();
    }

    /// <summary>Section 12.4.2: a member who was removed deletes its keys.</summary>
    private void Leave()
    {
        Status = GroupStatus.Removed;
        _state.Dispose();
        _proposals.Clear();
        _pastKeys.Dispose();
    }

    /// <summary>The state of a group that this member has keys of.</summary>
    private GroupState Require()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return Status != GroupStatus.Removed
            ? _state : throw new InvalidOperationException("This member was removed from the group.");
    }

    private GroupState RequireActive() => Require() is var state && Status == GroupStatus.Active
        ? state : throw new InvalidOperationException("The group was given up for another.");

    /// <summary>The current epoch, or the last that this member was in, without its secrets.</summary>
    internal GroupState State => _state;

    /// <summary>The key that a sender's messages verify with; null for a sender that the group does not have.</summary>
    private byte[]? FindSignatureKey(SenderType type, uint index) => type switch
    {
        SenderType.Member => _state.Tree.Leaf(index)?.SignatureKey,
        SenderType.External when index < _state.Public.Extensions.ExternalSenders.Count =>
            _state.Public.Extensions.ExternalSenders[(int)index].SignatureKey,
        _ => null,
    };
}

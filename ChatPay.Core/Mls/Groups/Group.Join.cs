using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <content>How a client gets into a group, RFC 9420 sections 12.4.3.1 and 12.4.3.2.</content>
public sealed partial class Group
{
    /// <summary>Joins a group by a Welcome.</summary>
    /// <param name="bundle">
    /// The key package that the Welcome is for; it is used up unless it is one of last resort.
    /// </param>
    /// <param name="self">Whose key package it is.</param>
    /// <param name="rejection">Why not; nothing has happened.</param>
    /// <exception cref="ArgumentException">The key package is of another member.</exception>
    public static bool TryJoin(
        Welcome welcome, KeyPackageBundle bundle, MlsMember self, MlsServices services,
        [NotNullWhen(true)] out Group? group, out MlsRejection rejection, JoinOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(welcome);
        ArgumentNullException.ThrowIfNull(bundle);
        ArgumentNullException.ThrowIfNull(self);
        MlsServices.Validate(services);
        if (!bundle.KeyPackage.LeafNode.SignatureKey.AsSpan().SequenceEqual(self.PublicSignatureKey))
        {
            throw new ArgumentException("The key package is of another member.", nameof(bundle));
        }

        group = null;
        var suite = bundle.Suite;
        if (welcome.CipherSuite != suite.Id)
        {
            rejection = MlsRejection.UnsupportedCipherSuite;
            return false;
        }

        if (!WelcomeSecrets.TryOpenGroupSecrets(
            suite, welcome, bundle.Ref, bundle.InitPrivateKey, bundle.KeyPackage.InitKey, out var secrets,
            out rejection))
        {
            return false;
        }

        using (secrets)
        {
            if (!TryOpenWelcome(
                welcome, secrets, bundle, services, options ?? new JoinOptions(), out var state, out rejection))
            {
                return false;
            }

            group = new Group(state, self, services);
            return true;
        }
    }

    /// <summary>
    /// Makes the external commit by which this client joins a group, or replaces its own leaf in it (a resync); the
    /// group's members accept or refuse it like any commit, and <see cref="PendingCommit.Activate"/> enters it then.
    /// </summary>
    /// <param name="info">
    /// The current epoch's, with external_pub; the tree too, unless <paramref name="options"/> has it.
    /// </param>
    /// <param name="rejection">What is wrong with the GroupInfo, or why the group would refuse this client.</param>
    public static bool TryJoinExternally(
        GroupInfo info, MlsMember self, MlsServices services, ExternalJoin? options,
        [NotNullWhen(true)] out PendingCommit? pending, out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(info);
        ArgumentNullException.ThrowIfNull(self);
        MlsServices.Validate(services);
        pending = null;
        options ??= new ExternalJoin();
        if (!MlsCipherSuite.TryGet(info.Context.CipherSuite, out var suite))
        {
            rejection = MlsRejection.UnsupportedCipherSuite;
            return false;
        }

        if (!ExternalPub.TryRead(info, suite, out var externalPub, out rejection)
            || !PublicState.TryOpen(info, options.Tree, suite, services, out var state, out rejection))
        {
            return false;
        }

        if (!suite.TryExportTo(
            externalPub.Span, services.Random, ExternalInitLabel, out var kemOutput, out var initSecret))
        {
            rejection = MlsRejection.PublicKeyInvalid;
            return false;
        }

        using (initSecret)
        {
            return TryCommitExternally(
                state, kemOutput, initSecret, self, services, options, out pending, out rejection);
        }
    }

    internal static Group Of(GroupState state, MlsMember self, MlsServices services) => new(state, self, services);

    private static bool TryOpenWelcome(
        Welcome welcome, GroupSecrets secrets, KeyPackageBundle bundle, MlsServices services, JoinOptions options,
        [NotNullWhen(true)] out GroupState? state, out MlsRejection rejection)
    {
        state = null;
        var suite = bundle.Suite;
        var origin = GroupOrigin.Of(secrets.PreSharedKeys, options.Origin, out rejection);
        if (rejection != MlsRejection.None
            || !PskLookup.TryDerive(
                suite, secrets.PreSharedKeys, services, options.Origin is { } group ? group.FindOwnResumptionKey : null,
                out var pskSecret, out rejection))
        {
            return false;
        }

        using (pskSecret)
        {
            if (!WelcomeSecrets.TryOpenGroupInfo(
                    suite, secrets.JoinerSecret, pskSecret.Span, welcome.EncryptedGroupInfo, out var info,
                    out rejection)
                || !PublicState.TryOpen(info, options.Tree, suite, services, out var known, out rejection)
                || !TryFindKeys(info, known.Tree, secrets, bundle, out var keys, out rejection))
            {
                return false;
            }

            rejection = options.IsJoined?.Invoke(info.Context.GroupId) == true
                ? MlsRejection.GroupKnown : origin?.Check(known, services.Credentials) ?? MlsRejection.None;
            var epoch = EpochSecrets.FromJoiner(suite, secrets.JoinerSecret, pskSecret.Span, known.ContextBytes);
            if (rejection == MlsRejection.None
                && !epoch.VerifyConfirmationTag(info.Context.ConfirmedTranscriptHash, info.ConfirmationTag))
            {
                rejection = MlsRejection.ConfirmationTagInvalid;
            }

            if (rejection == MlsRejection.None)
            {
                state = GroupState.Begin(known, keys, epoch);
                return true;
            }

            epoch.Dispose();
            keys.Dispose();
            return false;
        }
    }

    /// <summary>
    /// The joiner's private keys: its leaf's, and those above it that the Welcome's path secret gives.
    /// </summary>
    private static bool TryFindKeys(
        GroupInfo info, PublicTree tree, GroupSecrets secrets, KeyPackageBundle bundle,
        [NotNullWhen(true)] out PrivateTree? keys, out MlsRejection rejection)
    {
        keys = null;
        rejection = MlsRejection.OwnLeafMissing;
        var own = TlsCodec.Encode(bundle.KeyPackage.LeafNode);
        foreach (var (index, leaf) in tree.Members())
        {
            if (leaf.EncryptionKey.AsSpan().SequenceEqual(bundle.KeyPackage.LeafNode.EncryptionKey)
                && TlsCodec.Encode(leaf).AsSpan().SequenceEqual(own))
            {
                return secrets.PathSecret is { } pathSecret
                    ? PrivateTree.TryJoin(
                        bundle.Suite, tree, index, bundle.LeafPrivateKey, info.Signer, pathSecret, out keys,
                        out rejection)
                    : PrivateTree.TryJoin(tree, index, bundle.LeafPrivateKey, out keys, out rejection);
            }
        }

        return false;
    }

    private static bool TryCommitExternally(
        PublicState state, byte[] kemOutput, Secret initSecret, MlsMember self, MlsServices services,
        ExternalJoin options, [NotNullWhen(true)] out PendingCommit? pending, out MlsRejection rejection)
    {
        pending = null;
        var sender = new Sender { Type = SenderType.NewMemberCommit };
        var checks = new ProposalChecks(state, services);
        var list = new ProposalList();
        var template = self.Template();
        rejection = MlsRejection.None;
        var proposals = ExternalProposals(state, kemOutput, self, options).ToList();
        foreach (var proposal in proposals)
        {
            var sent = new SentProposal(proposal, sender);
            list.Add(sent, byReference: false);
            rejection = rejection == MlsRejection.None ? checks.Check(sent) : rejection;
        }

        rejection = rejection == MlsRejection.None ? list.Check(sender, hasPath: true) : rejection;
        if (rejection != MlsRejection.None
            || !ProposalApplication.TryApply(state, list, out var application, out rejection)
            || !PskLookup.TryDerive(state.Suite, list.Psks, services, null, out var pskSecret, out rejection))
        {
            return false;
        }

        using (pskSecret)
        {
            var replaced = application.Removed.Count > 0 ? application.Removed[0].Node : null;
            rejection = application.Tree.IsFull ? MlsRejection.TreeFull
                : replaced is null ? checks.CheckCredential(template) : checks.CheckSuccession(replaced, template);
            if (rejection != MlsRejection.None)
            {
                return false;
            }

            var draft = new CommitDraft
            {
                Before = state,
                Application = application,
                Proposals = [.. proposals.Select(static proposal => new ProposalOrRef(proposal))],
                Sender = sender,
                Leaf = application.Seat(template),
                HasPath = true,
                Signer = self,
                Identity = self,
                Services = services,
                AuthenticatedData = options.AuthenticatedData,
                WireFormat = WireFormat.PublicMessage,
            };
            if (!draft.TryBuild(initSecret, pskSecret, null, treeInWelcome: false, out var built, out rejection))
            {
                return false;
            }

            pending = new PendingCommit(
                built.Next, self, services, before: null,
                TlsCodec.Encode(new MlsMessage(built.Content.ToPublicMessage())), welcome: null);
            return true;
        }
    }

    /// <summary>
    /// ExternalInit first; then the former leaf to remove, which a signature key tells unless it is named.
    /// </summary>
    private static IEnumerable<Proposal> ExternalProposals(
        PublicState state, byte[] kemOutput, MlsMember self, ExternalJoin options)
    {
        yield return new ExternalInitProposal { KemOutput = kemOutput };
        var replaced = options.Replaces;
        if (replaced is null && options.Resync && state.Tree.HasSignatureKey(self.PublicSignatureKey))
        {
            replaced = state.Tree.Members()
                .First(member => member.Leaf.SignatureKey.AsSpan().SequenceEqual(self.PublicSignatureKey)).Index;
        }

        if (replaced is { } leaf)
        {
            yield return new RemoveProposal { Removed = leaf };
        }

        foreach (var psk in options.Psks)
        {
            yield return new PreSharedKeyProposal { Psk = psk };
        }
    }
}

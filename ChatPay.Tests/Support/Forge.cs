using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>
/// What a member could send that does not keep to the rules: signed and tagged as it should be, wrong in what it says.
/// </summary>
internal static class Forge
{
    /// <summary>A member's commit of any proposals; its confirmation tag is noise, and so is its path.</summary>
    public static byte[] Commit(TestClient member, IReadOnlyList<ProposalOrRef> proposals, bool withPath = true) =>
        Send(member, new Commit { Proposals = proposals, Path = withPath ? Path(member) : null });

    public static byte[] Commit(TestClient member, params IReadOnlyList<Proposal> proposals) =>
        Commit(member, [.. proposals.Select(static proposal => new ProposalOrRef(proposal))]);

    /// <summary>An external commit of any proposals, with a path that is noise.</summary>
    public static byte[] ExternalCommit(
        TestClient joiner, GroupContext context, IReadOnlyList<ProposalOrRef> proposals, bool withPath = true)
    {
        var content = Frame(
            context, new Sender { Type = SenderType.NewMemberCommit },
            new Commit { Proposals = proposals, Path = withPath ? Path(joiner) : null });
        return Encode(AuthenticatedContent
            .Sign(joiner.Suite, WireFormat.PublicMessage, content, TlsCodec.Encode(context), joiner.Identity.SignatureKey)
            .WithConfirmationTag(Noise()).ToPublicMessage());
    }

    public static byte[] Proposal(TestClient member, Proposal proposal, byte[]? authenticatedData = null)
    {
        var content = new FramedContent
        {
            GroupId = member.Group.GroupId,
            Epoch = member.Group.Epoch,
            Sender = new Sender { Type = SenderType.Member, Index = member.Group.OwnLeaf },
            AuthenticatedData = authenticatedData ?? [],
            ContentType = ContentType.Proposal,
            Proposal = proposal,
        };
        var protection = Protection(member);
        return Encode(protection.ToPublic(protection.Sign(
            WireFormat.PublicMessage, content, member.Identity.SignatureKey)));
    }

    /// <summary>A member's public commit with another confirmation tag, and a membership tag that fits it.</summary>
    public static byte[] WithConfirmationTag(TestClient member, byte[] commit, byte[] tag)
    {
        TlsCodec.TryDecode<MlsMessage>(commit, out var message, out _);
        var genuine = message!.PublicMessage!;
        return Encode(Protection(member).ToPublic(new AuthenticatedContent
        {
            WireFormat = WireFormat.PublicMessage,
            Content = genuine.Content,
            Signature = genuine.Signature,
            ConfirmationTag = tag,
        }));
    }

    /// <summary>
    /// A commit whose path is as it should be, of a member or of a joiner, by whom no rule of the group was asked; its
    /// confirmation tag is noise.
    /// </summary>
    /// <param name="known">A member of the group.</param>
    /// <param name="identity">What the leaf in the path says.</param>
    /// <param name="leafKey">In the place of the leaf's new encryption key.</param>
    public static byte[] PathCommit(
        TestClient known, Sender sender, MlsMember identity, IReadOnlyList<(ProposalOrRef Item, SentProposal Sent)> proposals,
        byte[]? leafKey = null)
    {
        var state = known.Group.State;
        var list = new ProposalList();
        foreach (var (item, sent) in proposals)
        {
            list.Add(sent, item.Reference is not null);
        }

        Assert.True(ProposalApplication.TryApply(state.Public, list, out var application, out var rejection), $"{rejection}");
        var leaf = sender.Type == SenderType.Member ? sender.Index : application.Seat(identity.Template());
        using var builder = PathBuilder.Create(
            application.Tree, leaf, identity.Template(), identity.SignatureKey, state.Context.GroupId, known.Services.Random,
            out var keys, out var commitSecret);
        keys.Dispose();
        commitSecret.Dispose();
        var provisional = TlsCodec.Encode(state.Public.NextContext(
            builder.Tree, application.Extensions, state.Context.ConfirmedTranscriptHash));
        var path = builder.Encrypt(
            provisional, application.Added.Select(static added => added.Leaf).ToHashSet(), known.Services.Random);
        var commit = new Commit
        {
            Proposals = [.. proposals.Select(static proposal => proposal.Item)],
            Path = leafKey is null ? path : new UpdatePath { LeafNode = WithKey(path.LeafNode), Nodes = path.Nodes },
        };
        var signed = AuthenticatedContent.Sign(
            state.Suite, WireFormat.PublicMessage, Frame(state.Context, sender, commit), TlsCodec.Encode(state.Context),
            sender.Type == SenderType.Member ? known.Identity.SignatureKey : identity.SignatureKey);
        return Retagged(known, signed.WithConfirmationTag(Noise()).ToPublicMessage());

        LeafNode WithKey(LeafNode from)
        {
            return Build(LeafNodeValidation.Sign(
                Build([]), state.Suite, identity.SignatureKey, state.Context.GroupId, leaf));

            LeafNode Build(byte[] signature) => new()
            {
                EncryptionKey = leafKey,
                SignatureKey = from.SignatureKey,
                Credential = from.Credential,
                Capabilities = from.Capabilities,
                Source = from.Source,
                ParentHash = from.ParentHash,
                Extensions = from.Extensions,
                Signature = signature,
            };
        }
    }

    /// <summary>Anybody's public message with the membership tag that every member can make for it.</summary>
    public static byte[] Retagged(TestClient member, PublicMessage message)
    {
        var state = member.Group.State;
        var writer = new TlsWriter();
        AuthenticatedContent.WriteToBeSigned(
            writer, WireFormat.PublicMessage, message.Content, TlsCodec.Encode(state.Context));
        AuthenticatedContent.WriteAuth(writer, message.Signature, message.ConfirmationTag);
        return Encode(new PublicMessage
        {
            Content = message.Content,
            Signature = message.Signature,
            ConfirmationTag = message.ConfirmationTag,
            MembershipTag = message.Content.Sender.Type == SenderType.Member
                ? state.Suite.Mac(state.Secrets.MembershipKey, writer.WrittenSpan) : null,
        });
    }

    public static MessageProtection Protection(TestClient member, GroupContext? context = null)
    {
        var state = member.Group.State;
        return new MessageProtection(
            state.Suite, context ?? state.Context, state.Secrets, state.Ratchets, state.OwnLeaf, paddingBytes: 1);
    }

    /// <summary>A Welcome to a new group, whose first commit names any pre-shared keys.</summary>
    public static byte[] Founding(
        Group founded, MlsMember founder, MlsServices services, IReadOnlyList<KeyPackage> added,
        IReadOnlyList<PreSharedKeyId> psks)
    {
        var state = founded.State;
        Proposal[] proposals =
        [
            .. added.Select(static keyPackage => new AddProposal { KeyPackage = keyPackage }),
            .. psks.Select(static psk => new PreSharedKeyProposal { Psk = psk }),
        ];
        var sender = new Sender { Type = SenderType.Member };
        var list = new ProposalList();
        Array.ForEach(proposals, proposal => list.Add(new SentProposal(proposal, sender), byReference: false));
        Assert.True(ProposalApplication.TryApply(state.Public, list, out var application, out _));
        Assert.True(PskLookup.TryDerive(state.Suite, psks, services, null, out var pskSecret, out _));
        using var initSecret = Secret.Copy(state.Secrets.InitSecret);
        var draft = new CommitDraft
        {
            Before = state.Public,
            Application = application,
            Proposals = [.. proposals.Select(static proposal => new ProposalOrRef(proposal))],
            Sender = sender,
            Leaf = 0,
            HasPath = true,
            Signer = founder,
            Identity = founder,
            Services = services,
            AuthenticatedData = default,
            WireFormat = WireFormat.PublicMessage,
        };
        Assert.True(draft.TryBuild(initSecret, pskSecret, state.Keys, treeInWelcome: true, out var built, out _));
        built.Next.Dispose();
        pskSecret.Dispose();
        return TlsCodec.Encode(new MlsMessage(built.Welcome!));
    }

    public static byte[] Noise() => RandomNumberGenerator.GetBytes(32);

    private static byte[] Send(TestClient member, Commit commit)
    {
        var protection = Protection(member);
        var content = Frame(
            member.Group.State.Context, new Sender { Type = SenderType.Member, Index = member.Group.OwnLeaf }, commit);
        return Encode(protection.ToPublic(protection
            .Sign(WireFormat.PublicMessage, content, member.Identity.SignatureKey).WithConfirmationTag(Noise())));
    }

    private static FramedContent Frame(GroupContext context, Sender sender, Commit commit) => new()
    {
        GroupId = context.GroupId,
        Epoch = context.Epoch,
        Sender = sender,
        AuthenticatedData = [],
        ContentType = ContentType.Commit,
        Commit = commit,
    };

    private static UpdatePath Path(TestClient member) =>
        new() { LeafNode = member.Identity.Template(), Nodes = [] };

    private static byte[] Encode(PublicMessage message) => TlsCodec.Encode(new MlsMessage(message));
}

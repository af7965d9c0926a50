using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

public sealed class CommitInspectorTests
{
    private static readonly ConversationId s_conversation = new(new Guid("01890000-0000-7000-8000-000000000001"));
    private static readonly AccountId s_account = new(new Guid("01890000-0000-7000-8000-000000000002"));
    private static readonly DeviceId s_device = new(new Guid("01890000-0000-7000-8000-000000000003"));

    [Fact]
    public void A_members_commit_tells_group_epoch_sender_adds_removes_and_path()
    {
        using var key = TestMls.NewSignatureKey();
        var added = TestMls.KeyPackage(s_account, s_device, key);

        var commit = Inspect(TestMls.Commit(Options(key) with { SenderLeaf = 3, Adds = [added], Removes = [7, 1] }));

        Assert.True(GroupIds.TryRead(commit.GroupId, out var conversation));
        Assert.Equal(s_conversation, conversation);
        Assert.Equal(5UL, commit.Epoch);
        Assert.Equal(3, commit.SenderLeaf);
        Assert.False(commit.IsExternal);
        Assert.Equal([7, 1], commit.Removes);
        Assert.Equal(added, TestMls.Encode(new(Assert.Single(commit.Adds))));
        Assert.Empty(commit.Others);
        Assert.Equal(0, commit.ReferenceCount);
        Assert.NotNull(commit.PathLeaf);
        Assert.True(CredentialIdentity.TryRead(commit.PathLeaf.Credential, out var identity));
        Assert.Equal(new CredentialIdentity(s_account, s_device), identity);
        Assert.Equal(TestMls.PublicKeyOf(key), commit.PathLeaf.SignatureKey);
        Assert.Equal(
            MlsRejection.None, LeafNodeValidation.Check(commit.PathLeaf, TestMls.Suite, commit.GroupId, 3));
        Assert.Equal(
            MlsRejection.SignatureInvalid, LeafNodeValidation.Check(commit.PathLeaf, TestMls.Suite, commit.GroupId, 4));
    }

    [Fact]
    public void An_external_commit_has_no_sender_leaf_and_may_remove_the_joiners_former_one()
    {
        using var key = TestMls.NewSignatureKey();

        var commit = Inspect(TestMls.ExternalCommit(Options(key) with { Removes = [2] }, joinerLeaf: 2));

        Assert.True(commit.IsExternal);
        Assert.Null(commit.SenderLeaf);
        Assert.Equal([2], commit.Removes);
        Assert.Empty(commit.Others);
        Assert.NotNull(commit.PathLeaf);
    }

    [Fact]
    public void Proposals_of_other_kinds_are_named()
    {
        using var key = TestMls.NewSignatureKey();
        Proposal[] others =
        [
            new GroupContextExtensionsProposal { Extensions = [] },
            new PreSharedKeyProposal { Psk = new ExternalPskId { Id = [1], Nonce = [2] } },
        ];

        var commit = Inspect(TestMls.Commit(Options(key) with { Others = others }));

        Assert.Equal([ProposalType.GroupContextExtensions, ProposalType.PreSharedKey], commit.Others);
    }

    [Fact]
    public void Proposals_by_reference_are_counted()
    {
        var message = TestMls.Encode(new(Message(
            new() { Type = SenderType.Member, Index = 1 }, [new ProposalOrRef(new byte[32])], path: null)));

        Assert.Equal(1, Inspect(message).ReferenceCount);
    }

    [Fact]
    public void What_no_group_may_accept_is_refused()
    {
        using var key = TestMls.NewSignatureKey();
        var options = Options(key);
        var externalInit = new ExternalInitProposal { KemOutput = new byte[32] };
        var add = new AddProposal
        {
            KeyPackage = TestMls.BuildKeyPackage(s_account, s_device, key),
        };
        var update = new UpdateProposal { LeafNode = add.KeyPackage.LeafNode };
        var extensions = new GroupContextExtensionsProposal { Extensions = [] };
        (string Why, byte[] Message, MlsRejection Expected)[] rows =
        [
            ("removes itself", TestMls.Commit(options with { Removes = [0] }), MlsRejection.ProposalsInvalid),
            ("removes one twice", TestMls.Commit(options with { Removes = [1, 1] }), MlsRejection.ProposalsInvalid),
            ("updates itself by value", TestMls.Commit(options with { Others = [update] }), MlsRejection.ProposalsInvalid),
            ("adds one twice", TestMls.Commit(options with { Others = [add, add] }), MlsRejection.ProposalsInvalid),
            ("replaces the extensions twice", TestMls.Commit(options with { Others = [extensions, extensions] }),
                MlsRejection.ProposalsInvalid),
            ("a member joins", TestMls.Commit(options with { Others = [externalInit] }), MlsRejection.ProposalsInvalid),
            ("a removal without path", TestMls.Commit(options with { Removes = [1], WithPath = false }),
                MlsRejection.PathMissing),
            ("nothing and no path", TestMls.Commit(options with { WithPath = false }), MlsRejection.PathMissing),
            ("two inits", TestMls.ExternalCommit(options with { Others = [externalInit] }, 0),
                MlsRejection.ProposalsInvalid),
            ("a joiner adds", TestMls.ExternalCommit(options with { Others = [add] }, 0), MlsRejection.ProposalsInvalid),
            ("a joiner removes two", TestMls.ExternalCommit(options with { Removes = [1, 2] }, 0),
                MlsRejection.ProposalsInvalid),
            ("a joiner without path", TestMls.ExternalCommit(options with { WithPath = false }, 0),
                MlsRejection.PathMissing),
            ("a leaf beyond all trees", TestMls.Encode(new(Message(
                new() { Type = SenderType.Member, Index = uint.MaxValue }, [], path: null))), MlsRejection.LeafUnknown),
            ("a removal beyond all trees", TestMls.Encode(new(Message(
                new() { Type = SenderType.Member },
                [new ProposalOrRef(new RemoveProposal { Removed = uint.MaxValue })], path: null))),
                MlsRejection.LeafUnknown),
            ("an external sender", TestMls.Encode(new(Message(new() { Type = SenderType.External }, [], path: null))),
                MlsRejection.WrongKind),
            ("a PrivateMessage", TestMls.PrivateMessage(s_conversation, 5, new ClientMessageId(Guid.Empty)),
                MlsRejection.WrongKind),
            ("nothing", [], MlsRejection.Truncated),
        ];

        Assert.All(rows, static row =>
        {
            Assert.False(CommitInspector.TryInspect(row.Message, out var commit, out var rejection), row.Why);
            Assert.Null(commit);
            Assert.Equal((row.Why, row.Expected), (row.Why, rejection));
        });
    }

    private static InspectedCommit Inspect(byte[] message)
    {
        Assert.True(CommitInspector.TryInspect(message, out var commit, out var rejection), rejection.ToString());
        return commit;
    }

    private static CommitOptions Options(Key key) => new()
    {
        Conversation = s_conversation,
        Epoch = 5,
        Account = s_account,
        Device = s_device,
        SignatureKey = key,
    };

    private static PublicMessage Message(Sender sender, IReadOnlyList<ProposalOrRef> proposals, UpdatePath? path) => new()
    {
        Content = new FramedContent
        {
            GroupId = GroupIds.From(s_conversation),
            Epoch = 5,
            Sender = sender,
            AuthenticatedData = [],
            ContentType = ContentType.Commit,
            Commit = new Commit { Proposals = proposals, Path = path },
        },
        Signature = new byte[64],
        ConfirmationTag = new byte[32],
        MembershipTag = sender.Type == SenderType.Member ? new byte[32] : null,
    };
}

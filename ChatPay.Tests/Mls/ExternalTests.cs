using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Those outside a group: they join it by an external commit, or propose things to it. RFC 9420 12.1.8, 12.4.3.2.
/// </summary>
public sealed class ExternalTests : IDisposable
{
    private readonly TestClient _service = new("service");
    private readonly TestClient _joiner = new("joiner");
    private readonly TestClient[] _members;

    public ExternalTests() => _members = TestGroups.Of(3, extensions:
    [
        ExternalSender.ToExtension(
        [
            new ExternalSender
            {
                SignatureKey = _service.Identity.PublicSignatureKey,
                Credential = _service.Identity.Credential,
            },
        ]),
    ]);

    [Fact]
    public void A_stranger_joins_by_an_external_commit()
    {
        var options = new ExternalJoin { AuthenticatedData = "let me in"u8.ToArray() };
        Assert.True(TryJoin(_joiner, options, out var pending, out var why), $"{why}");

        foreach (var member in _members)
        {
            var joined = member.Process<ProcessedCommit>(pending.Message);
            Assert.True(joined.IsExternal);
            Assert.Equal("let me in"u8.ToArray(), joined.AuthenticatedData);
            Assert.Equal(3U, joined.SenderLeaf);
            Assert.Equal(_joiner.Identity.PublicSignatureKey, Assert.Single(joined.Added).SignatureKey);
        }

        _joiner.Group = pending.Activate();
        TestGroups.AssertAgree([.. _members, _joiner]);
        TestGroups.AssertReads([.. _members, _joiner], _joiner);
        Assert.Throws<ObjectDisposedException>(() => pending.Activate());
    }

    [Fact]
    public void The_tree_may_come_another_way_and_the_key_in_either_form()
    {
        var tree = _members[0].Group.ExportTree();
        var info = TestClient.ParseGroupInfo(_members[0].Group.GroupInfoMessage(withTree: false, withExternalPub: true));

        Assert.False(Group.TryJoinExternally(info, _joiner.Identity, _joiner.Services, null, out _, out var rejection));
        Assert.Equal(MlsRejection.TreeMissing, rejection);
        Assert.True(Group.TryJoinExternally(
            info, _joiner.Identity, _joiner.Services, new() { Tree = tree }, out var pending, out _));
        pending.Dispose();
        Assert.False(Group.TryJoinExternally(
            info, _joiner.Identity, _joiner.Services, new() { Tree = Other() }, out _, out rejection));
        Assert.Equal(MlsRejection.TreeMalformed, rejection);

        var extension = info.Extensions[0];
        Assert.Equal(33, extension.Data.Length);
        Assert.True(Group.TryJoinExternally(
            With(info, [new Extension { Type = ExtensionType.ExternalPub, Data = extension.Data[1..] }]), _joiner.Identity,
            _joiner.Services, new() { Tree = tree }, out pending, out _));
        _members[0].Process<ProcessedCommit>(pending.Message);
        _joiner.Group = pending.Activate();
        TestGroups.AssertAgree([_members[0], _joiner]);

        Assert.False(Group.TryJoinExternally(
            With(info, []), _joiner.Identity, _joiner.Services, new() { Tree = tree }, out _, out rejection));
        Assert.Equal(MlsRejection.ExtensionMissing, rejection);
        Assert.False(Group.TryJoinExternally(
            With(info, [new Extension { Type = ExtensionType.ExternalPub, Data = new byte[32] }]), _joiner.Identity,
            _joiner.Services, new() { Tree = tree }, out _, out rejection));
        Assert.Equal(MlsRejection.PublicKeyInvalid, rejection);
    }

    [Fact]
    public void A_member_that_lost_its_state_takes_its_place_again()
    {
        var lost = _members[2];
        Assert.False(TryJoin(lost, new() { Resync = false }, out _, out var rejection));
        Assert.Equal(MlsRejection.SignatureKeyDuplicate, rejection);
        Assert.True(TryJoin(lost, new(), out var pending, out rejection), rejection.ToString());

        foreach (var member in _members[..2])
        {
            var resync = member.Process<ProcessedCommit>(pending.Message);
            Assert.Equal(2U, Assert.Single(resync.Removed).LeafIndex);
            Assert.Equal(2U, Assert.Single(resync.Added).LeafIndex);
        }

        Assert.True(lost.Process<ProcessedCommit>(pending.Message).SelfRemoved);
        lost.Group = pending.Activate();
        TestGroups.AssertAgree(_members);
        TestGroups.AssertReads(_members, lost);
    }

    [Fact]
    public void Nobody_takes_the_place_of_somebody_else()
    {
        Assert.False(TryJoin(_joiner, new() { Replaces = 1 }, out _, out var rejection));
        Assert.Equal(MlsRejection.SuccessionRefused, rejection);

        // Its own check does not matter: the members make theirs.
        using var rogue = new TestClient("rogue", TestClient.NewServices(new Credulous()));
        Assert.True(TryJoin(rogue, new() { Replaces = 1 }, out var pending, out _));
        _members[0].Refuses(pending.Message, MlsRejection.SuccessionRefused);

        // The same client with a new signature key is who it was.
        using var renewed = new TestClient("member 1");
        Assert.True(TryJoin(renewed, new() { Replaces = 1 }, out pending, out _));
        _members[0].Process<ProcessedCommit>(pending.Message);
    }

    [Fact]
    public void A_joiner_may_bring_pre_shared_keys()
    {
        var psk = new ExternalPskId { Id = [7], Nonce = Forge.Noise() };
        Assert.False(TryJoin(_joiner, new() { Psks = [psk] }, out _, out var rejection));
        Assert.Equal(MlsRejection.PskUnknown, rejection);

        using var knowing = new TestClient("knowing", TestClient.NewServices() with { ExternalPsk = static _ => [1, 2, 3] });
        Assert.True(TryJoin(knowing, new() { Psks = [psk] }, out var pending, out _));
        _members[0].Refuses(pending.Message, MlsRejection.PskUnknown);
    }

    [Fact]
    public void A_listed_sender_proposes_what_it_may()
    {
        using var bundle = _joiner.NewBundle();
        Proposal[] proposals =
        [
            new RemoveProposal { Removed = 2 },
            new AddProposal { KeyPackage = bundle.KeyPackage },
            new GroupContextExtensionsProposal { Extensions = [] },
        ];
        foreach (var proposal in proposals)
        {
            var message = Outside(proposal);
            foreach (var member in _members)
            {
                Assert.Equal(SenderType.External, member.Process<ProcessedProposal>(message).Sender.Type);
            }
        }

        var commit = _members[0].Commit();
        var followed = _members[1].Process<ProcessedCommit>(commit.Message);

        Assert.Equal(2U, Assert.Single(followed.Removed).LeafIndex);
        Assert.Empty(followed.Extensions!);
        _joiner.Join(commit.Welcome, bundle);
        TestGroups.AssertAgree([_members[0], _members[1], _joiner]);
        _members[0].Refuses(Outside(proposals[2]), MlsRejection.LeafUnknown);
    }

    [Fact]
    public void What_comes_from_outside_without_the_right_to_is_refused()
    {
        var remove = new RemoveProposal { Removed = 2 };
        var groupId = _members[0].Group.GroupId;
        var signed = Outside(remove);
        (byte[] Message, MlsRejection Expected)[] rows =
        [
            (Outside(remove, index: 1), MlsRejection.LeafUnknown),
            (Group.ProposeExternally(_service.Suite, groupId, 1, remove, 0, _joiner.Identity.SignatureKey),
                MlsRejection.SignatureInvalid),
            (Group.ProposeExternally(_service.Suite, groupId, 0, remove, 0, _service.Identity.SignatureKey),
                MlsRejection.EpochPast),
            (Outside(new RemoveProposal { Removed = 9 }), MlsRejection.LeafUnknown),
        ];
        Assert.All(rows, row => _members[0].Refuses(row.Message, row.Expected));
        Assert.Throws<ArgumentException>(() => Outside(new ExternalInitProposal { KemOutput = new byte[32] }));
        _members[0].Process<ProcessedProposal>(signed);
    }

    [Fact]
    public void A_client_asks_to_be_added()
    {
        using var bundle = _joiner.NewBundle();
        var request = Group.ProposeJoin(_members[0].Group.GroupId, _members[0].Group.Epoch, bundle, _joiner.Identity);
        foreach (var member in _members)
        {
            Assert.Equal(SenderType.NewMemberProposal, member.Process<ProcessedProposal>(request).Sender.Type);
        }

        var commit = _members[1].Commit();
        TestGroups.Deliver(commit.Message, _members, _members[1]);
        _joiner.Join(commit.Welcome, bundle);

        TestGroups.AssertAgree([.. _members, _joiner]);
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _joiner.Dispose();
        _service.Dispose();
    }

    private bool TryJoin(
        TestClient joiner, ExternalJoin options, [NotNullWhen(true)] out PendingCommit? pending,
        out MlsRejection rejection) => Group.TryJoinExternally(
            TestClient.ParseGroupInfo(_members[0].Group.GroupInfoMessage(withTree: true, withExternalPub: true)),
            joiner.Identity, joiner.Services, options, out pending, out rejection);

    private byte[] Outside(Proposal proposal, uint index = 0) => Group.ProposeExternally(
        _service.Suite, _members[0].Group.GroupId, _members[0].Group.Epoch, proposal, index, _service.Identity.SignatureKey);

    private static RatchetTree Other() => new() { Nodes = [null, null, null, null, null] };

    private GroupInfo With(GroupInfo info, IReadOnlyList<Extension> extensions)
    {
        return Build(GroupInfoValidation.Sign(Build([]), _members[0].Suite, _members[0].Identity.SignatureKey));

        GroupInfo Build(byte[] signature) => new()
        {
            Context = info.Context,
            Extensions = extensions,
            ConfirmationTag = info.ConfirmationTag,
            Signer = info.Signer,
            Signature = signature,
        };
    }

    private sealed class Credulous : ICredentialValidator
    {
        public bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey) => true;

        public bool MayReplace(LeafNode current, LeafNode next) => true;
    }
}

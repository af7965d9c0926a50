using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// RFC 9420 sections 12.1 and 12.2, rule by rule: what a member refuses to commit, others refuse to follow.
/// </summary>
public sealed class ProposalRuleTests : IDisposable
{
    private readonly TestClient[] _members = TestGroups.Of(4);
    private readonly TestClient _stranger = new("stranger");
    private readonly TestClient _other = new("other");

    private TestClient Committer => _members[0];

    private TestClient Receiver => _members[1];

    [Fact]
    public void A_list_that_breaks_a_rule_is_neither_committed_nor_followed()
    {
        var add = Add(_stranger);
        var psk = Psk(new ExternalPskId { Id = [1], Nonce = Forge.Noise() });
        var extensions = new GroupContextExtensionsProposal { Extensions = [] };
        var reInit = ReInit();
        (string Why, Proposal[] Proposals, MlsRejection Expected)[] rows =
        [
            ("an Update by value", [Update(Committer)], MlsRejection.ProposalsInvalid),
            ("the committer removes itself", [Remove(0)], MlsRejection.ProposalsInvalid),
            ("one removed twice", [Remove(2), Remove(2)], MlsRejection.ProposalsInvalid),
            ("one removed who is not there", [Remove(7)], MlsRejection.LeafUnknown),
            ("one removed beyond all trees", [Remove(uint.MaxValue)], MlsRejection.LeafUnknown),
            ("one client added twice", [add, Add(_stranger)], MlsRejection.ProposalsInvalid),
            ("a member added", [Add(_members[2])], MlsRejection.SignatureKeyDuplicate),
            ("one key twice", [psk, psk], MlsRejection.ProposalsInvalid),
            ("two sets of extensions", [extensions, extensions], MlsRejection.ProposalsInvalid),
            ("a ReInit with an Add", [reInit, add], MlsRejection.ProposalsInvalid),
            ("two ReInits", [reInit, ReInit()], MlsRejection.ProposalsInvalid),
            ("an ExternalInit", [new ExternalInitProposal { KemOutput = new byte[32] }], MlsRejection.ProposalsInvalid),
            ("a ReInit to an older version", [ReInit(version: 0)], MlsRejection.ProposalInvalid),
            ("a key to found a group with", [Psk(Resumption(ResumptionPskUsage.Branch))], MlsRejection.PskInvalid),
            ("a key to go on with", [Psk(Resumption(ResumptionPskUsage.Reinit))], MlsRejection.PskInvalid),
            ("a key for no known use", [Psk(Resumption((ResumptionPskUsage)9))], MlsRejection.PskInvalid),
            ("a nonce too short", [Psk(new ExternalPskId { Id = [1], Nonce = [2] })], MlsRejection.PskInvalid),
            ("a key that nobody has", [psk], MlsRejection.PskUnknown),
            ("a key of an epoch to come", [Psk(Resumption(ResumptionPskUsage.Application, 99))], MlsRejection.PskUnknown),
            ("extensions twice", [Extensions(Application(1), Application(2))], MlsRejection.ExtensionDuplicate),
            ("extensions that nobody knows", [Extensions(new Extension { Type = 0xf00d, Data = [] })],
                MlsRejection.CapabilitiesLacking),
            ("capabilities that nobody has", [Extensions(new RequiredCapabilities { Proposals = [0xf00d] }.ToExtension())],
                MlsRejection.CapabilitiesLacking),
            ("credentials that nobody has", [Extensions(new RequiredCapabilities { Credentials = [2] }.ToExtension())],
                MlsRejection.CapabilitiesLacking),
            ("capabilities cut short", [Extensions(new Extension { Type = ExtensionType.RequiredCapabilities, Data = [2] })],
                MlsRejection.Truncated),
        ];
        Assert.All(rows, row =>
        {
            var request = new MlsCommitRequest { Proposals = row.Proposals };
            Assert.False(Committer.Group.TryCommit(request, out var pending, out var rejection), row.Why);
            Assert.Null(pending);
            var thrown = Assert.Throws<ArgumentException>(() => Committer.Group.Commit(request));
            Assert.Contains(row.Expected.ToString(), thrown.Message);
            Assert.Equal((row.Why, row.Expected), (row.Why, rejection));
        });
    }

    [Fact]
    public void What_a_rogue_member_commits_is_refused()
    {
        var add = Add(_stranger);
        var reference = new ProposalOrRef(Forge.Noise());
        var psk = Psk(new ExternalPskId { Id = [1], Nonce = Forge.Noise() });
        (string Why, byte[] Message, MlsRejection Expected)[] rows =
        [
            ("an Update by value", Forge.Commit(Committer, Update(Committer)), MlsRejection.ProposalsInvalid),
            ("the committer removes itself", Forge.Commit(Committer, Remove(0)), MlsRejection.ProposalsInvalid),
            ("one removed twice", Forge.Commit(Committer, Remove(2), Remove(2)), MlsRejection.ProposalsInvalid),
            ("one removed who is not there", Forge.Commit(Committer, Remove(7)), MlsRejection.LeafUnknown),
            ("one client added twice", Forge.Commit(Committer, add, Add(_stranger)), MlsRejection.ProposalsInvalid),
            ("one key twice", Forge.Commit(Committer, psk, psk), MlsRejection.ProposalsInvalid),
            ("a ReInit with an Add", Forge.Commit(Committer, ReInit(), add), MlsRejection.ProposalsInvalid),
            ("an ExternalInit", Forge.Commit(Committer, new ExternalInitProposal { KemOutput = new byte[32] }),
                MlsRejection.ProposalsInvalid),
            ("nothing and no path", Forge.Commit(Committer, [], withPath: false), MlsRejection.PathMissing),
            ("a Remove without a path", Forge.Commit(Committer, [new ProposalOrRef(Remove(2))], withPath: false),
                MlsRejection.PathMissing),
            ("extensions without a path", Forge.Commit(Committer, [new ProposalOrRef(Extensions())], withPath: false),
                MlsRejection.PathMissing),
            ("a proposal that nobody saw", Forge.Commit(Committer, [reference]), MlsRejection.ProposalUnknown),
            ("a member added", Forge.Commit(Committer, [new ProposalOrRef(Add(_members[2]))], withPath: false),
                MlsRejection.SignatureKeyDuplicate),
            ("a key package of another suite", Forge.Commit(Committer, Add(_stranger, MlsCipherSuite.X25519ChaCha20Poly1305)),
                MlsRejection.UnsupportedCipherSuite),
            ("a path of nobody", Forge.Commit(Committer), MlsRejection.PublicKeyInvalid),
            ("a tag that is noise", Forge.Commit(Committer, [new ProposalOrRef(add)], withPath: false),
                MlsRejection.ConfirmationTagInvalid),
        ];
        Assert.All(rows, row => Refuses(row.Why, row.Message, row.Expected));
        var commit = Committer.Commit();
        TestGroups.Deliver(commit.Message, _members, Committer);
        TestGroups.AssertAgree(_members);
    }

    [Fact]
    public void What_a_rogue_joiner_commits_is_refused()
    {
        var context = Receiver.Group.State.Context;
        var init = new ProposalOrRef(new ExternalInitProposal { KemOutput = new byte[32] });
        var add = new ProposalOrRef(Add(_other));
        (string Why, ProposalOrRef[] Proposals, bool WithPath, MlsRejection Expected)[] rows =
        [
            ("no init", [], true, MlsRejection.ProposalsInvalid),
            ("two inits", [init, init], true, MlsRejection.ProposalsInvalid),
            ("an Add", [init, add], true, MlsRejection.ProposalsInvalid),
            ("two Removes", [init, new(Remove(1)), new(Remove(2))], true, MlsRejection.ProposalsInvalid),
            ("extensions", [init, new(Extensions())], true, MlsRejection.ProposalsInvalid),
            ("a reference", [init, new(Forge.Noise())], true, MlsRejection.ProposalsInvalid),
            ("no path", [init], false, MlsRejection.SenderForbidden),
            ("a path of nobody", [init], true, MlsRejection.PublicKeyInvalid),
        ];
        Assert.All(rows, row => Refuses(
            row.Why, Forge.ExternalCommit(_stranger, context, row.Proposals, row.WithPath), row.Expected));
    }

    [Fact]
    public void A_proposal_that_is_wrong_by_itself_is_refused_when_it_comes()
    {
        (string Why, Proposal Proposal, MlsRejection Expected)[] rows =
        [
            ("an ExternalInit", new ExternalInitProposal { KemOutput = new byte[32] }, MlsRejection.SenderForbidden),
            ("a blank leaf", Remove(9), MlsRejection.LeafUnknown),
            ("another's Update", Update(_members[2]), MlsRejection.SignatureInvalid),
            ("an Update with the same key", new UpdateProposal
            {
                LeafNode = Committer.Identity.SignLeaf(
                    Committer.Suite, LeafNodeSource.Update, Committer.Group.MemberAt(0)!.Leaf.EncryptionKey,
                    Committer.Group.GroupId, 0),
            }, MlsRejection.KeyReused),
            ("a leaf of a commit", new UpdateProposal { LeafNode = Committer.Identity.Template() },
                MlsRejection.LeafNodeSourceWrong),
            ("a nonce too short", Psk(new ExternalPskId { Id = [1], Nonce = [2] }), MlsRejection.PskInvalid),
            ("an older version", ReInit(version: 0), MlsRejection.ProposalInvalid),
        ];
        Assert.All(rows, row => Refuses(row.Why, Forge.Proposal(Committer, row.Proposal), row.Expected));
        Assert.Empty(Receiver.Group.PendingProposals);
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _stranger.Dispose();
        _other.Dispose();
    }

    private static AddProposal Add(TestClient client, MlsCipherSuite? suite = null)
    {
        using var bundle = client.NewBundle(suite: suite);
        return new AddProposal { KeyPackage = bundle.KeyPackage };
    }

    private static RemoveProposal Remove(uint leaf) => new() { Removed = leaf };

    private static PreSharedKeyProposal Psk(PreSharedKeyId id) => new() { Psk = id };

    private static GroupContextExtensionsProposal Extensions(params IReadOnlyList<Extension> extensions) =>
        new() { Extensions = extensions };

    private static Extension Application(byte id) => new() { Type = ExtensionType.ApplicationId, Data = [id] };

    private static ReInitProposal ReInit(ushort version = ProtocolVersion.Mls10) =>
        new() { GroupId = RandomNumberGenerator.GetBytes(8), Version = version, CipherSuite = 1, Extensions = [] };

    private static UpdateProposal Update(TestClient client)
    {
        var (privateKey, publicKey) = KeyPackageBundle.NewKeyPair(client.Suite, RandomNumberGenerator.Fill);
        privateKey.Dispose();
        return new()
        {
            LeafNode = client.Identity.SignLeaf(
                client.Suite, LeafNodeSource.Update, publicKey, client.Group.GroupId, client.Group.OwnLeaf),
        };
    }

    private ResumptionPskId Resumption(ResumptionPskUsage usage, ulong? epoch = null) => new()
    {
        Usage = usage,
        GroupId = Committer.Group.GroupId,
        Epoch = epoch ?? Committer.Group.Epoch,
        Nonce = Forge.Noise(),
    };

    private void Refuses(string why, byte[] message, MlsRejection expected)
    {
        var before = Receiver.Group.EpochAuthenticator;
        Assert.False(Receiver.Group.TryProcess(message, out var processed, out var rejection), why);
        Assert.Null(processed);
        Assert.Equal((why, expected), (why, rejection));
        Assert.Equal(before, Receiver.Group.EpochAuthenticator);
    }
}

using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// What a group's members must all be after a commit, RFC 9420 sections 7.3, 12.1.7 and 12.2, where whoever commits does
/// not care.
/// </summary>
public sealed class MemberRuleTests : IDisposable
{
    private const ushort Private = 0xf001;

    private readonly TestClient[] _members = new TestClient[3];
    private readonly List<IDisposable> _others = [];

    /// <summary>Three who know an extension that their group requires.</summary>
    public MemberRuleTests()
    {
        for (var index = 0; index < _members.Length; index++)
        {
            _members[index] = Client($"member {index}", [Private]);
        }

        _members[0].Create(extensions: [new RequiredCapabilities { Extensions = [Private] }.ToExtension()]);
        TestGroups.Add(_members[..1], _members[1..], _members[0]);
    }

    private TestClient Rogue => _members[0];

    private TestClient Receiver => _members[1];

    private Sender RogueMember => new() { Type = SenderType.Member, Index = Rogue.Group.OwnLeaf };

    [Fact]
    public void A_commit_that_keeps_to_the_rules_is_refused_for_its_tag_alone()
    {
        Receiver.Refuses(
            Forge.PathCommit(Rogue, RogueMember, Rogue.Identity, []), MlsRejection.ConfirmationTagInvalid);
        var stranger = Client("stranger", [Private]);
        Receiver.Refuses(External(stranger.Identity, []), MlsRejection.ConfirmationTagInvalid);
    }

    [Fact]
    public void A_committer_that_no_longer_knows_what_is_required_is_refused()
    {
        var forgetful = Identity("member 0", []);

        Receiver.Refuses(
            Forge.PathCommit(Rogue, RogueMember, forgetful, []), MlsRejection.CapabilitiesLacking);
        Assert.False(Rogue.Group.TryCommit(new() { NextIdentity = forgetful }, out _, out var rejection));
        Assert.Equal(MlsRejection.CapabilitiesLacking, rejection);
    }

    [Fact]
    public void A_joiner_from_outside_that_does_not_know_what_is_required_is_refused() =>
        Receiver.Refuses(External(Identity("stranger", []), []), MlsRejection.CapabilitiesLacking);

    [Fact]
    public void An_Update_to_less_than_is_required_is_not_taken_up()
    {
        var update = _members[2].Group.ProposeUpdate(Identity("member 2", []));
        var reference = Rogue.Process<ProcessedProposal>(update);
        Receiver.Process<ProcessedProposal>(update);

        Receiver.Refuses(
            Forge.PathCommit(
                Rogue, RogueMember, Rogue.Identity,
                [(new ProposalOrRef(reference.Ref), new SentProposal(reference.Proposal, reference.Sender))]),
            MlsRejection.CapabilitiesLacking);
        Assert.Empty(Receiver.Process<ProcessedCommit>(Rogue.Commit().Message).Updated);
    }

    [Fact]
    public void Who_does_not_know_what_is_asked_may_be_removed_by_the_commit_that_asks_it()
    {
        const ushort More = 0xf002;
        TestClient[] knowing = [Client("knowing", [Private, More]), Client("other", [Private, More])];
        var plain = Client("plain", [Private]);
        knowing[0].Create("more"u8.ToArray());
        TestGroups.Add(knowing[..1], [knowing[1], plain], knowing[0]);
        var extensions = new GroupContextExtensionsProposal { Extensions = [new() { Type = More, Data = [] }] };

        Assert.False(knowing[0].Group.TryCommit(new() { Proposals = [extensions] }, out _, out var rejection));
        Assert.Equal(MlsRejection.CapabilitiesLacking, rejection);
        var commit = knowing[0].Commit(new()
        {
            Proposals = [extensions, new RemoveProposal { Removed = plain.Group.OwnLeaf }],
        });

        knowing[1].Process<ProcessedCommit>(commit.Message);
        TestGroups.AssertAgree(knowing);
    }

    /// <summary>Even where the members have seen the proposal and the joiner might have made it itself.</summary>
    [Fact]
    public void A_joiner_from_outside_that_takes_up_what_was_proposed_is_refused()
    {
        var psk = new PreSharedKeyProposal { Psk = new ExternalPskId { Id = [1], Nonce = Forge.Noise() } };
        var reference = Receiver.Process<ProcessedProposal>(Forge.Proposal(Rogue, psk)).Ref;
        var init = new ProposalOrRef(new ExternalInitProposal { KemOutput = new byte[32] });

        Receiver.Refuses(
            Forge.ExternalCommit(
                Client("stranger", [Private]), Rogue.Group.State.Context, [init, new ProposalOrRef(reference)]),
            MlsRejection.ProposalsInvalid);
    }

    /// <summary>A resync is held to what an Update is, section 12.2: it brings another encryption key.</summary>
    [Fact]
    public void A_member_that_comes_back_with_its_old_encryption_key_is_refused()
    {
        var leaf = _members[2].Group.OwnLeaf;
        var remove = new RemoveProposal { Removed = leaf };
        var former = _members[2].Group.MemberAt(leaf)!.Leaf.EncryptionKey;

        Receiver.Refuses(External(_members[2].Identity, [remove]), MlsRejection.ConfirmationTagInvalid);
        Receiver.Refuses(External(_members[2].Identity, [remove], former), MlsRejection.KeyReused);
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _others.ForEach(static other => other.Dispose());
    }

    private byte[] External(MlsMember joiner, Proposal[] proposals, byte[]? leafKey = null)
    {
        var info = TestClient.ParseGroupInfo(Rogue.Group.GroupInfoMessage(withTree: true, withExternalPub: true));
        Assert.True(ExternalPub.TryRead(info, Rogue.Suite, out var externalPub, out _));
        Assert.True(Rogue.Suite.TryExportTo(externalPub.Span, Rogue.Services.Random, "any", out var kemOutput, out _));
        var sender = new Sender { Type = SenderType.NewMemberCommit };
        Proposal[] all = [new ExternalInitProposal { KemOutput = kemOutput }, .. proposals];
        return Forge.PathCommit(
            Rogue, sender, joiner,
            [.. all.Select(proposal => (new ProposalOrRef(proposal), new SentProposal(proposal, sender)))], leafKey);
    }

    private TestClient Client(string name, ushort[] extensions)
    {
        var client = new TestClient(name);
        client.Identity.Dispose();
        client.Identity = TestClient.NewIdentity(name, Knowing(extensions));
        _others.Add(client);
        return client;
    }

    private MlsMember Identity(string name, ushort[] extensions)
    {
        var identity = TestClient.NewIdentity(name, Knowing(extensions));
        _others.Add(identity);
        return identity;
    }

    private static Capabilities Knowing(ushort[] extensions) => new()
    {
        Versions = [1],
        CipherSuites = [1],
        Extensions = extensions,
        Proposals = [],
        Credentials = [1],
    };
}

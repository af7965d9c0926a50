using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// What a group asks of its members: credentials, capabilities, lifetimes; and what it does with waiting proposals.
/// </summary>
public sealed class GroupPolicyTests : IDisposable
{
    private const ushort Private = 0xf001;

    private readonly TestClient[] _members = TestGroups.Of(3);
    private readonly List<TestClient> _others = [];

    [Fact]
    public void Extensions_are_taken_up_when_every_member_understands_them()
    {
        var knowing = Enumerable.Range(0, 3).Select(index => Client($"knowing {index}", Knowing())).ToArray();
        knowing[0].Create();
        TestGroups.Add(knowing[..1], knowing[1..], knowing[0]);
        var extensions = new GroupContextExtensionsProposal
        {
            Extensions =
            [
                new Extension { Type = Private, Data = [1, 2, 3] },
                new RequiredCapabilities { Extensions = [Private], Credentials = [1] }.ToExtension(),
            ],
        };

        var commit = knowing[1].Commit(new() { Proposals = [extensions] });
        Assert.Equal(2, knowing[0].Process<ProcessedCommit>(commit.Message).Extensions!.Count);
        knowing[2].Process<ProcessedCommit>(commit.Message);
        TestGroups.AssertAgree(knowing);

        // From now on nobody comes in who does not.
        var plain = Client("plain");
        using var bundle = plain.NewBundle();
        var add = new MlsCommitRequest { Proposals = [new AddProposal { KeyPackage = bundle.KeyPackage }] };
        Assert.False(knowing[0].Group.TryCommit(add, out _, out var rejection));
        Assert.Equal(MlsRejection.CapabilitiesLacking, rejection);
        knowing[0].Refuses(
            Forge.Commit(knowing[1], [new ProposalOrRef(add.Proposals[0])], withPath: false),
            MlsRejection.CapabilitiesLacking);
        var info = TestClient.ParseGroupInfo(knowing[0].Group.GroupInfoMessage(withTree: true, withExternalPub: true));
        Assert.False(Group.TryJoinExternally(info, plain.Identity, plain.Services, null, out _, out rejection));
        Assert.Equal(MlsRejection.CapabilitiesLacking, rejection);

        // Unless the same commit gives the extensions up.
        var relaxed = knowing[0].Commit(add with
        {
            Proposals = [.. add.Proposals, new GroupContextExtensionsProposal { Extensions = [] }],
        });
        TestGroups.Deliver(relaxed.Message, knowing, knowing[0]);
        plain.Join(relaxed.Welcome, bundle);
        TestGroups.AssertAgree([.. knowing, plain]);
    }

    [Fact]
    public void A_kind_of_credential_that_somebody_does_not_understand_does_not_come_in()
    {
        var capabilities = new Capabilities
        {
            Versions = [1],
            CipherSuites = [1],
            Extensions = [],
            Proposals = [],
            Credentials = [1, 2],
        };
        var certified = new TestClient("certified");
        _others.Add(certified);
        certified.Identity.Dispose();
        certified.Identity = new MlsMember
        {
            SignatureKey = TestMls.NewSignatureKey(),
            Credential = new X509Credential { Certificates = [new OpaqueValue([1])] },
            Capabilities = capabilities,
        };
        using var bundle = certified.NewBundle();

        Assert.False(_members[0].Group.TryCommit(
            new() { Proposals = [new AddProposal { KeyPackage = bundle.KeyPackage }] }, out _, out var rejection));

        // The validator of these tests knows basic credentials only, and is asked before the group is looked at.
        Assert.Equal(MlsRejection.CredentialRefused, rejection);
        var blind = Client("blind", services: TestClient.NewServices(new Everybody()));
        blind.Create();
        Assert.False(blind.Group.TryCommit(
            new() { Proposals = [new AddProposal { KeyPackage = bundle.KeyPackage }] }, out _, out rejection));
        Assert.Equal(MlsRejection.CapabilitiesLacking, rejection);
    }

    [Fact]
    public void The_validator_has_the_last_word_about_who_comes_in_and_who_becomes_whom()
    {
        using var nobody = TestClient.NewIdentity("");
        using var other = TestClient.NewIdentity("somebody else");
        var refused = Client("x");
        refused.Identity.Dispose();
        refused.Identity = TestClient.NewIdentity("");
        using var bundle = refused.NewBundle();

        Assert.False(_members[0].Group.TryCommit(
            new() { Proposals = [new AddProposal { KeyPackage = bundle.KeyPackage }] }, out _, out var rejection));
        Assert.Equal(MlsRejection.CredentialRefused, rejection);
        _members[1].Refuses(
            Forge.Proposal(_members[0], new AddProposal { KeyPackage = bundle.KeyPackage }), MlsRejection.CredentialRefused);
        Assert.False(_members[0].Group.TryCommit(new() { NextIdentity = nobody }, out _, out rejection));
        Assert.Equal(MlsRejection.CredentialRefused, rejection);
        Assert.False(_members[0].Group.TryCommit(new() { NextIdentity = other }, out _, out rejection));
        Assert.Equal(MlsRejection.SuccessionRefused, rejection);
        Assert.Throws<ArgumentException>(() => _members[0].Group.ProposeUpdate(other));

        var credulous = Client("member 0", services: TestClient.NewServices(new Everybody()));
        credulous.Identity.Dispose();
        credulous.Identity = _members[0].Identity;
        credulous.Group = Copy(_members[0], credulous.Services);
        _members[1].Refuses(credulous.Group.ProposeUpdate(other), MlsRejection.SuccessionRefused);
        using var commit = credulous.Group.Commit(new() { NextIdentity = other, IncludePending = false });
        _members[1].Refuses(commit.Message, MlsRejection.SuccessionRefused);
        var sender = ExternalSender.ToExtension([new() { SignatureKey = new byte[32], Credential = TestClient.Basic("") }]);
        _members[1].Refuses(
            Forge.Commit(_members[0], new GroupContextExtensionsProposal { Extensions = [sender] }),
            MlsRejection.CredentialRefused);
    }

    [Fact]
    public void Lifetimes_are_judged_by_the_sender_and_by_others_who_want_to()
    {
        var clock = new Clock(TimeProvider.System.GetUtcNow());
        var services = TestClient.NewServices() with { Time = clock };
        var (adder, lenient) = (Client("adder", services: services), Client("lenient", services: services));
        var strict = Client("strict", services: services with { JudgesReceivedLifetimes = true });
        adder.Create();
        TestGroups.Add([adder], [lenient, strict], adder);
        var late = Client("late", services: services);
        using var bundle = late.NewBundle();
        var add = new AddProposal { KeyPackage = bundle.KeyPackage };

        var inTime = adder.Group.Commit(new() { Proposals = [add] });
        clock.Now += TimeSpan.FromDays(91);

        Assert.False(adder.Group.TryCommit(new() { Proposals = [add] }, out _, out var rejection));
        Assert.Equal(MlsRejection.LifetimeInvalid, rejection);
        lenient.Process<ProcessedCommit>(inTime.Message);
        strict.Refuses(inTime.Message, MlsRejection.LifetimeInvalid);
        adder.Group.Apply(inTime);
        late.Join(inTime.Welcome, bundle);

        // Whoever joins later meets the leaf of the expired key package.
        var info = TestClient.ParseGroupInfo(late.Group.GroupInfoMessage(withTree: true, withExternalPub: true));
        var joiner = Client("joiner", services: services);
        Assert.True(Group.TryJoinExternally(info, joiner.Identity, joiner.Services, null, out var pending, out _));
        pending.Dispose();
        Assert.False(Group.TryJoinExternally(info, joiner.Identity, strict.Services, null, out _, out rejection));
        Assert.Equal(MlsRejection.LifetimeInvalid, rejection);

        clock.Now -= TimeSpan.FromDays(200);
        Assert.False(adder.Group.TryCommit(new() { Proposals = [add] }, out _, out rejection));
        Assert.Equal(MlsRejection.LifetimeInvalid, rejection);
    }

    [Fact]
    public void A_lifetime_longer_than_allowed_is_refused_whenever()
    {
        var joiner = Client("joiner");
        var now = TimeProvider.System.GetUtcNow();
        using var bundle = KeyPackageBundle.Create(
            joiner.Suite, joiner.Identity, now.AddDays(-1), now.AddDays(366), lastResort: false, joiner.Services.Random);

        _members[1].Refuses(
            Forge.Proposal(_members[0], new AddProposal { KeyPackage = bundle.KeyPackage }), MlsRejection.LifetimeInvalid);
    }

    [Fact]
    public void Waiting_proposals_that_contradict_each_other_are_chosen_as_the_rfc_prefers()
    {
        var joiner = Client("joiner");
        using var one = joiner.NewBundle();
        using var two = joiner.NewBundle();
        Send(2, group => group.ProposeUpdate());
        Send(2, group => group.ProposeUpdate());
        Send(1, group => group.ProposeUpdate());
        Send(1, group => group.ProposeUpdate());
        Send(0, static group => group.Propose(new RemoveProposal { Removed = 2 }));
        Send(1, static group => group.Propose(new RemoveProposal { Removed = 2 }));
        Send(1, static group => group.Propose(new RemoveProposal { Removed = 0 }));
        Send(1, group => group.Propose(new AddProposal { KeyPackage = one.KeyPackage }));
        Send(0, group => group.Propose(new AddProposal { KeyPackage = two.KeyPackage }));
        Send(1, static group => group.Propose(new ReInitProposal
        {
            GroupId = [1],
            Version = 1,
            CipherSuite = 1,
            Extensions = [],
        }));
        var newest = _members[1].Group.PendingProposals
            .Last(static proposal => proposal is { Proposal: UpdateProposal, Sender.Index: 1 });

        var commit = _members[0].Commit();
        var followed = _members[1].Process<ProcessedCommit>(commit.Message);

        Assert.Equal(2U, Assert.Single(followed.Removed).LeafIndex);
        Assert.Equal(
            ((UpdateProposal)newest.Proposal).LeafNode.EncryptionKey, Assert.Single(followed.Updated).Leaf.EncryptionKey);
        Assert.Single(followed.Added);
        Assert.Null(followed.ReInit);
        joiner.Join(commit.Welcome, one);
        TestGroups.AssertAgree([_members[0], _members[1], joiner]);
    }

    [Fact]
    public void A_reinit_that_waits_alone_is_committed_and_nothing_is_said_while_proposals_wait()
    {
        var reInit = new ReInitProposal { GroupId = [1], Version = 1, CipherSuite = 1, Extensions = [] };
        Send(1, group => group.Propose(reInit));
        Assert.Throws<InvalidOperationException>(() => _members[0].Group.Encrypt("hello"u8, []));

        Assert.NotNull(_members[2].Process<ProcessedCommit>(_members[0].Commit().Message).ReInit);

        _members[1].Group.DropProposals();
        Assert.Empty(_members[1].Group.PendingProposals);
        _members[1].Group.Encrypt("hello"u8, []);
    }

    [Fact]
    public void A_member_may_leave_and_come_back_by_one_commit()
    {
        using var bundle = _members[2].NewBundle();
        var commit = _members[0].Commit(new()
        {
            Proposals = [new AddProposal { KeyPackage = bundle.KeyPackage }, new RemoveProposal { Removed = 2 }],
        });
        _members[1].Process<ProcessedCommit>(commit.Message);
        Assert.True(_members[2].Process<ProcessedCommit>(commit.Message).SelfRemoved);
        _members[2].Join(commit.Welcome, bundle);

        TestGroups.AssertAgree(_members);
    }

    [Fact]
    public void What_the_caller_gets_wrong_throws()
    {
        var group = _members[0].Group;
        Assert.Throws<ArgumentException>(() => group.Propose(new UpdateProposal { LeafNode = group.MemberAt(0)!.Leaf }));
        Assert.Throws<ArgumentException>(() => group.Propose(new RemoveProposal { Removed = 9 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => group.Export("x", [], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => group.Export("x", [], 8161));
        Assert.Throws<ArgumentException>(() => group.Export("é", [], 32));
        Assert.Throws<InvalidOperationException>(() => group.Commit().Activate());
        var unpadded = Client("unpadded", services: TestClient.NewServices() with { PaddingBytes = 0 });
        Assert.Throws<ArgumentException>(() => unpadded.Create());
        Assert.Throws<ArgumentException>(() => Client("unfit").Create(extensions: [new() { Type = Private, Data = [] }]));
        Assert.Throws<ArgumentException>(() => KeyPackageBundle.Create(
            _members[0].Suite, _members[0].Identity, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, lastResort: false,
            _members[0].Services.Random));
        Assert.Throws<ArgumentException>(() => Client("plain", Knowing()).NewBundle(lastResort: true));
        group.Dispose();
        Assert.Throws<ObjectDisposedException>(() => group.Encrypt([], []));
        Assert.Throws<ObjectDisposedException>(() => group.TryProcess([], out _, out _));
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _others.ForEach(static other => other.Dispose());
    }

    private static Capabilities Knowing() => new()
    {
        Versions = [1],
        CipherSuites = [1],
        Extensions = [Private, Private],
        Proposals = [],
        Credentials = [1],
    };

    private static Group Copy(TestClient member, MlsServices services)
    {
        using var key = StorageKey.Import(new byte[StorageKey.SizeBytes]);
        Assert.True(Group.TryLoad(
            member.Group.SaveEpoch(key, services.Random), member.Group.SaveRatchets(key, services.Random), key,
            member.Identity, services, out var copy, out _));
        return copy;
    }

    private TestClient Client(string name, Capabilities? capabilities = null, MlsServices? services = null)
    {
        var client = new TestClient(name, services);
        _others.Add(client);
        if (capabilities is not null)
        {
            client.Identity.Dispose();
            client.Identity = TestClient.NewIdentity(name, capabilities);
        }

        return client;
    }

    private void Send(int sender, Func<Group, byte[]> propose)
    {
        var message = propose(_members[sender].Group);
        foreach (var member in _members.Where(member => member != _members[sender]))
        {
            member.Process<ProcessedProposal>(message);
        }
    }

    private sealed class Everybody : ICredentialValidator
    {
        public bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey) => true;

        public bool MayReplace(LeafNode current, LeafNode next) => true;
    }

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}

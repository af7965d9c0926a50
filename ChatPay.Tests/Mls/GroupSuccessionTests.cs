using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>Groups made from others by resumption keys, RFC 9420 sections 11.2 and 11.3.</summary>
public sealed class GroupSuccessionTests : IDisposable
{
    private static readonly MlsCipherSuite s_nextSuite = MlsCipherSuite.X25519ChaCha20Poly1305;

    private readonly TestClient[] _members = TestGroups.Of(3);
    private readonly List<IDisposable> _disposables = [];

    private static ReInitProposal ReInit => new()
    {
        GroupId = "next"u8.ToArray(),
        Version = ProtocolVersion.Mls10,
        CipherSuite = s_nextSuite.Id,
        Extensions = [new RequiredCapabilities { Credentials = [1] }.ToExtension()],
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_group_goes_on_in_another_suite(bool byReference)
    {
        GiveUp(byReference);
        var bundles = Bundles(s_nextSuite);

        // Another member than the one who committed may found the new group.
        var pending = _members[1].Group.Reinitialise([bundles[0].KeyPackage, bundles[2].KeyPackage]);
        Assert.Empty(pending.Message);
        var next = pending.Activate();
        _disposables.Add(next);

        Assert.Equal((1UL, s_nextSuite), (next.Epoch, next.Suite));
        Assert.Equal("next"u8.ToArray(), next.GroupId);
        foreach (var index in new[] { 0, 2 })
        {
            var joined = Join(_members[index], pending.Welcome!, bundles[index], _members[index].Group);
            Assert.Equal(next.EpochAuthenticator, joined.EpochAuthenticator);
            Assert.True(joined.TryProcess(next.Encrypt("on we go"u8, []), out _, out _));
        }

        Assert.False(TryJoin(_members[0], pending.Welcome!, bundles[0], origin: null, out var rejection));
        Assert.Equal(MlsRejection.OriginWrong, rejection);
    }

    [Fact]
    public void A_group_that_was_given_up_says_nothing_more()
    {
        GiveUp(byReference: false);

        Assert.All(_members, member =>
        {
            Assert.Equal(GroupStatus.Reinitialised, member.Group.Status);
            Assert.Equal(s_nextSuite.Id, member.Group.ReInit!.CipherSuite);
            Assert.Throws<InvalidOperationException>(() => member.Group.Encrypt([], []));
            Assert.Throws<InvalidOperationException>(() => member.Group.Commit());
            Assert.Throws<InvalidOperationException>(() => member.Group.ProposeUpdate());
            member.Refuses([1, 2, 3], MlsRejection.GroupInactive);

            using var copy = TestGroups.Copy(member);
            Assert.Equal(GroupStatus.Reinitialised, copy.Status);
            Assert.Equal("next"u8.ToArray(), copy.ReInit!.GroupId);
        });
    }

    [Fact]
    public void A_successor_without_a_member_or_with_another_is_neither_founded_nor_joined()
    {
        GiveUp(byReference: false);
        var bundles = Bundles(s_nextSuite);
        using var stranger = new TestClient("stranger", suite: s_nextSuite);
        using var strange = stranger.NewBundle();

        Assert.Throws<ArgumentException>(() => _members[0].Group.Reinitialise([bundles[1].KeyPackage]));
        Assert.Throws<ArgumentException>(() => _members[0].Group.Reinitialise([bundles[1].KeyPackage, strange.KeyPackage]));
        var wrongSuite = Bundles(_members[0].Suite);
        Assert.Throws<ArgumentException>(
            () => _members[0].Group.Reinitialise([wrongSuite[1].KeyPackage, wrongSuite[2].KeyPackage]));
        stranger.Create();
        Assert.Throws<InvalidOperationException>(() => stranger.Group.Reinitialise([]));
    }

    [Fact]
    public void A_successor_that_is_not_the_one_promised_is_refused()
    {
        GiveUp(byReference: false);
        var bundles = Bundles(s_nextSuite);
        var origin = _members[0].Group;
        var psk = new ResumptionPskId
        {
            Usage = ResumptionPskUsage.Reinit,
            GroupId = origin.GroupId,
            Epoch = origin.Epoch,
            Nonce = Forge.Noise(),
        };
        foreach (var (groupId, extensions, epoch, expected) in new[]
        {
            ("other"u8.ToArray(), ReInit.Extensions, 1, MlsRejection.OriginWrong),
            ("next"u8.ToArray(), [], 1, MlsRejection.OriginWrong),
            ("next"u8.ToArray(), ReInit.Extensions, 2, MlsRejection.OriginWrong),
            ("next"u8.ToArray(), ReInit.Extensions, 1, MlsRejection.None),
        })
        {
            var welcome = FoundUnchecked(groupId, extensions, bundles, [psk], epoch);
            _ = TryJoin(_members[1], welcome, bundles[1], _members[1].Group, out var rejection);
            Assert.Equal(expected, rejection);
        }

        var earlier = FoundUnchecked("next"u8.ToArray(), ReInit.Extensions, bundles, [new ResumptionPskId
        {
            Usage = psk.Usage,
            GroupId = psk.GroupId,
            Epoch = psk.Epoch - 1,
            Nonce = psk.Nonce,
        }]);
        Assert.False(TryJoin(_members[1], earlier, bundles[1], _members[1].Group, out var reason));
        Assert.Equal(MlsRejection.OriginWrong, reason);
        var twice = FoundUnchecked("next"u8.ToArray(), ReInit.Extensions, bundles, [psk, new ResumptionPskId
        {
            Usage = psk.Usage,
            GroupId = psk.GroupId,
            Epoch = psk.Epoch,
            Nonce = Forge.Noise(),
        }]);
        Assert.False(TryJoin(_members[1], twice, bundles[1], _members[1].Group, out var why));
        Assert.Equal(MlsRejection.PskInvalid, why);
    }

    [Fact]
    public void Some_members_branch_off_and_the_others_cannot_follow()
    {
        var bundles = Bundles(_members[0].Suite);
        var pending = _members[0].Group.Branch("branch"u8.ToArray(), [bundles[1].KeyPackage]);
        var branch = pending.Activate();
        _disposables.Add(branch);

        var joined = Join(_members[1], pending.Welcome!, bundles[1], _members[1].Group);

        Assert.Equal(branch.EpochAuthenticator, joined.EpochAuthenticator);
        Assert.Equal(2, branch.MemberCount);
        Assert.False(TryJoin(_members[2], pending.Welcome!, bundles[2], _members[2].Group, out var rejection));
        Assert.Equal(MlsRejection.KeyPackageOther, rejection);
        TestGroups.AssertReads(_members, _members[1]);

        using var stranger = new TestClient("stranger");
        using var strange = stranger.NewBundle();
        Assert.Throws<ArgumentException>(
            () => _members[0].Group.Branch("strange"u8.ToArray(), [bundles[1].KeyPackage, strange.KeyPackage]));
        stranger.Create("elsewhere"u8.ToArray());
        Assert.False(TryJoin(_members[1], pending.Welcome!, bundles[1], stranger.Group, out rejection));
        Assert.Equal(MlsRejection.OriginWrong, rejection);
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _disposables.ForEach(static one => one.Dispose());
    }

    private void GiveUp(bool byReference)
    {
        if (byReference)
        {
            var proposal = _members[2].Group.Propose(ReInit);
            _members[0].Process<ProcessedProposal>(proposal);
            _members[1].Process<ProcessedProposal>(proposal);
        }

        var commit = _members[0].Commit(new() { Proposals = byReference ? [] : [ReInit] });
        foreach (var member in _members[1..])
        {
            Assert.Equal(s_nextSuite.Id, member.Process<ProcessedCommit>(commit.Message).ReInit!.CipherSuite);
        }
    }

    private KeyPackageBundle[] Bundles(MlsCipherSuite suite)
    {
        KeyPackageBundle[] bundles = [.. _members.Select(member => member.NewBundle(suite: suite))];
        _disposables.AddRange(bundles);
        return bundles;
    }

    /// <param name="epoch">The one that the Welcome is to.</param>
    private byte[] FoundUnchecked(
        byte[] groupId, IReadOnlyList<Extension> extensions, KeyPackageBundle[] bundles, IReadOnlyList<PreSharedKeyId> psks,
        int epoch = 1)
    {
        var services = _members[0].Services with
        {
            ExternalPsk = _ => _members[0].Group.State.Secrets.ResumptionPsk.ToArray(),
        };
        using var founded = Group.Create(s_nextSuite, groupId, _members[0].Identity, services, extensions);
        for (; epoch > 1; epoch--)
        {
            founded.Apply(founded.Commit());
        }

        return Forge.Founding(
            founded, _members[0].Identity, services, [bundles[1].KeyPackage, bundles[2].KeyPackage], psks);
    }

    private Group Join(TestClient client, byte[] welcome, KeyPackageBundle bundle, Group origin)
    {
        Assert.True(
            Group.TryJoin(
                TestClient.ParseWelcome(welcome), bundle, client.Identity, client.Services, out var group, out var rejection,
                new JoinOptions { Origin = origin }),
            rejection.ToString());
        _disposables.Add(group);
        return group;
    }

    private static bool TryJoin(
        TestClient client, byte[] welcome, KeyPackageBundle bundle, Group? origin, out MlsRejection rejection)
    {
        var joined = Group.TryJoin(
            TestClient.ParseWelcome(welcome), bundle, client.Identity, client.Services, out var group, out rejection,
            new JoinOptions { Origin = origin });
        group?.Dispose();
        return joined;
    }
}

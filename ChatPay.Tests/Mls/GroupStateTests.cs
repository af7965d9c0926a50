using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>Groups, commits and key packages at rest.</summary>
public sealed class GroupStateTests : IDisposable
{
    private readonly TestClient[] _members = TestGroups.Of(4);
    private readonly StorageKey _key = StorageKey.Import(RandomNumberGenerator.GetBytes(StorageKey.SizeBytes));

    private TestClient One => _members[1];

    [Fact]
    public void A_saved_group_goes_on_where_it_was()
    {
        var read = _members[0].Group.Encrypt("read"u8, []);
        var unread = _members[0].Group.Encrypt("unread"u8, []);
        One.Process<ProcessedApplication>(read);
        var update = One.Group.ProposeUpdate();
        _members[0].Process<ProcessedProposal>(update);

        One.Group = Load(One, One.Group.SaveEpoch(_key, Fill), One.Group.SaveRatchets(_key, Fill));

        Assert.Equal("unread"u8.ToArray(), One.Process<ProcessedApplication>(unread).Data);
        One.Refuses(read, MlsRejection.GenerationUsed);
        Assert.IsType<UpdateProposal>(Assert.Single(One.Group.PendingProposals).Proposal);
        var commit = _members[0].Commit();
        One.Process<ProcessedCommit>(commit.Message);
        TestGroups.AssertAgree(_members[..2]);
        TestGroups.AssertReads(_members[..2], One);
    }

    [Fact]
    public void A_blob_that_was_changed_swapped_or_is_unknown_is_refused()
    {
        var epoch = One.Group.SaveEpoch(_key, Fill);
        var ratchets = One.Group.SaveRatchets(_key, Fill);
        using var pending = One.Group.Commit();
        using var otherKey = StorageKey.Import(RandomNumberGenerator.GetBytes(StorageKey.SizeBytes));
        var others = _members[2].Group.SaveRatchets(_key, Fill);
        TestGroups.Deliver(_members[0].Commit().Message, [One], _members[0]);
        var later = One.Group.SaveRatchets(_key, Fill);
        (string Why, byte[] Epoch, byte[] Ratchets, StorageKey Key, MlsRejection Expected)[] rows =
        [
            ("as they are", epoch, ratchets, _key, MlsRejection.None),
            ("swapped", ratchets, epoch, _key, MlsRejection.StateKindWrong),
            ("a commit", pending.Save(_key, Fill), ratchets, _key, MlsRejection.StateKindWrong),
            ("ratchets of a later epoch", epoch, later, _key, MlsRejection.StateMismatch),
            ("ratchets of another member", epoch, others, _key, MlsRejection.StateMismatch),
            ("another key", epoch, ratchets, otherKey, MlsRejection.StateUnreadable),
            ("nothing", [], ratchets, _key, MlsRejection.StateUnreadable),
            ("a version to come", [2, .. epoch[1..]], ratchets, _key, MlsRejection.StateVersionUnknown),
            ("cut", epoch[..^1], ratchets, _key, MlsRejection.StateUnreadable),
            ("cut in the header", epoch, ratchets[..20], _key, MlsRejection.StateUnreadable),
            ("longer", epoch, [.. ratchets, 0], _key, MlsRejection.StateUnreadable),
        ];
        Assert.All(rows, row =>
        {
            var loaded = Group.TryLoad(
                row.Epoch, row.Ratchets, row.Key, One.Identity, One.Services, out var group, out var rejection);
            Assert.Equal((row.Why, row.Expected), (row.Why, rejection));
            Assert.Equal(row.Expected == MlsRejection.None, loaded);
            group?.Dispose();
        });

        AssertEveryBitCounts(ratchets, changed => Group.TryLoad(
            epoch, changed, _key, One.Identity, One.Services, out _, out _));
    }

    [Fact]
    public void A_state_of_another_member_is_misuse()
    {
        var epoch = One.Group.SaveEpoch(_key, Fill);
        var ratchets = One.Group.SaveRatchets(_key, Fill);
        using var pending = One.Group.Commit();
        var saved = pending.Save(_key, Fill);

        Assert.Throws<ArgumentException>(() => Group.TryLoad(
            epoch, ratchets, _key, _members[0].Identity, One.Services, out _, out _));
        Assert.Throws<ArgumentException>(() => PendingCommit.TryLoad(
            saved, _key, _members[0].Identity, One.Services, out _, out _));
        Assert.Throws<ArgumentException>(() => StorageKey.Import(new byte[31]));
    }

    [Fact]
    public void A_saved_commit_outlasts_a_crash_before_the_answer()
    {
        using var pending = One.Group.Commit();
        var blob = pending.Save(_key, Fill);
        var crashed = Load(One, One.Group.SaveEpoch(_key, Fill), One.Group.SaveRatchets(_key, Fill));
        pending.Dispose();
        One.Group = crashed;
        TestGroups.Deliver(pending.Message, _members, One);

        Assert.True(PendingCommit.TryLoad(blob, _key, One.Identity, One.Services, out var loaded, out var rejection));
        Assert.Equal(MlsRejection.None, rejection);
        Assert.Equal(pending.Message, loaded.Message);
        One.Group.Apply(loaded);

        TestGroups.AssertAgree(_members);
        TestGroups.AssertReads(_members, One);
        Assert.Throws<ObjectDisposedException>(() => One.Group.Apply(pending));
        Assert.Throws<ObjectDisposedException>(() => loaded.GroupInfo);
        Assert.False(PendingCommit.TryLoad(
            One.Group.SaveEpoch(_key, Fill), _key, One.Identity, One.Services, out _, out rejection));
        Assert.Equal(MlsRejection.StateKindWrong, rejection);
    }

    [Fact]
    public void A_joiner_outlasts_a_crash_before_the_answer()
    {
        using var joiner = new TestClient("joiner");
        var info = TestClient.ParseGroupInfo(One.Group.GroupInfoMessage(withTree: true, withExternalPub: true));
        Assert.True(Group.TryJoinExternally(info, joiner.Identity, joiner.Services, null, out var pending, out _));
        Assert.True(pending.IsJoining);
        Assert.Throws<InvalidOperationException>(() => One.Group.Apply(pending));
        var blob = pending.Save(_key, Fill);
        pending.Dispose();
        Array.ForEach(_members, member => member.Process<ProcessedCommit>(pending.Message));

        Assert.True(PendingCommit.TryLoad(blob, _key, joiner.Identity, joiner.Services, out var loaded, out _));
        joiner.Group = loaded.Activate();

        TestGroups.AssertAgree([.. _members, joiner]);
    }

    [Fact]
    public void A_member_that_changes_its_signature_key_is_loaded_with_both()
    {
        using var next = TestClient.NewIdentity(One.Name);
        var proposal = One.Group.ProposeUpdate(next);
        var epoch = One.Group.SaveEpoch(_key, Fill);
        var ratchets = One.Group.SaveRatchets(_key, Fill);

        Assert.Throws<ArgumentException>(() => Group.TryLoad(
            epoch, ratchets, _key, One.Identity, One.Services, out _, out _));
        Assert.True(Group.TryLoad(
            epoch, ratchets, _key, One.Identity, One.Services, out var loaded, out _, next));
        One.Group = loaded;
        foreach (var other in _members.Where(member => member != One))
        {
            other.Process<ProcessedProposal>(proposal);
        }

        TestGroups.Deliver(_members[3].Commit().Message, _members, _members[3]);
        TestGroups.AssertReads(_members, One);
        Assert.Equal(next.PublicSignatureKey, _members[0].Group.MemberAt(One.Group.OwnLeaf)!.SignatureKey);
    }

    [Fact]
    public void A_saved_key_package_still_joins()
    {
        using var joiner = new TestClient("joiner");
        using var bundle = joiner.NewBundle(lastResort: true);
        var blob = bundle.Save(_key, Fill);
        var commit = One.Commit(new() { Proposals = [new AddProposal { KeyPackage = bundle.KeyPackage }] });

        Assert.True(KeyPackageBundle.TryLoad(blob, _key, out var loaded, out _));
        Assert.True(loaded.IsLastResort);
        Assert.Equal(bundle.Ref, loaded.Ref);
        joiner.Join(commit.Welcome, loaded);
        loaded.Dispose();

        TestGroups.AssertReads([One, joiner], joiner);
        AssertEveryBitCounts(blob, changed => KeyPackageBundle.TryLoad(changed, _key, out _, out _));
        Assert.False(KeyPackageBundle.TryLoad(One.Group.SaveRatchets(_key, Fill), _key, out _, out var rejection));
        Assert.Equal(MlsRejection.StateKindWrong, rejection);
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _key.Dispose();
    }

    private static void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);

    private static void AssertEveryBitCounts(byte[] blob, Func<byte[], bool> load)
    {
        var changed = blob.ToArray();
        for (var bit = 0; bit < blob.Length * 8; bit++)
        {
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(load(changed), $"bit {bit}");
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    private Group Load(TestClient member, byte[] epoch, byte[] ratchets)
    {
        Assert.True(
            Group.TryLoad(epoch, ratchets, _key, member.Identity, member.Services, out var group, out var rejection),
            rejection.ToString());
        return group;
    }
}

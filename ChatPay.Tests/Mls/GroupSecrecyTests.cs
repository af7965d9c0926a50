using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// What whoever captures a member's whole state can and cannot read: nothing that was read before (forward secrecy),
/// and nothing after the member's keys were refreshed (post-compromise security).
/// </summary>
public sealed class GroupSecrecyTests : IDisposable
{
    private readonly TestClient[] _members = TestGroups.Of(4);
    private readonly TestClient _captured = new("captured");

    private TestClient Victim => _members[1];

    [Fact]
    public void A_captured_state_reads_nothing_that_was_read_before()
    {
        var read = Enumerable.Range(0, 5).Select(_ => _members[0].Group.Encrypt("read"u8, [])).ToList();
        var late = _members[2].Group.Encrypt("not read yet"u8, []);
        var own = Victim.Group.Encrypt("own"u8, []);
        read.ForEach(message => Victim.Process<ProcessedApplication>(message));

        Capture();

        read.ForEach(message => _captured.Refuses(message, MlsRejection.GenerationUsed));
        Assert.False(_captured.Group.TryProcess(own, out _, out _));
        _captured.Process<ProcessedApplication>(late);
    }

    [Fact]
    public void A_captured_state_reads_nothing_of_earlier_epochs()
    {
        var said = _members[0].Group.Encrypt("earlier"u8, []);
        var context = Victim.Group.State.Context;
        TestGroups.Deliver(_members[0].Commit().Message, _members, _members[0]);

        Capture();

        _captured.Refuses(said, MlsRejection.EpochPast);

        // Nor with the epoch check out of the way: the keys themselves are of no use.
        var protection = Forge.Protection(_captured, context);
        Assert.False(protection.TryFromPrivate(
            said, (_, _) => _members[0].Identity.PublicSignatureKey, out _, out _, out var why));
        Assert.Equal(MlsRejection.SenderDataInvalid, why);
    }

    [Fact]
    public void An_update_of_the_captured_member_by_its_own_commit_locks_the_capturer_out()
    {
        Capture();
        var before = _captured.Group.State;

        var commit = Victim.Commit();
        TestGroups.Deliver(commit.Message, _members, Victim);
        var said = _members[0].Group.Encrypt("after"u8, []);

        _captured.Refuses(said, MlsRejection.EpochFuture);
        _captured.Refuses(commit.Message, MlsRejection.OwnMessage);
        AssertCannotOpen(before, commit.Message, Victim.Group.OwnLeaf, null);
    }

    [Fact]
    public void An_update_of_the_captured_member_by_anothers_commit_locks_the_capturer_out()
    {
        Capture();
        var proposal = Victim.Group.ProposeUpdate();
        foreach (var other in _members.Where(member => member != Victim))
        {
            other.Process<ProcessedProposal>(proposal);
        }

        var update = Assert.Single(_members[0].Group.PendingProposals);
        var before = _captured.Group.State;
        var commit = _members[0].Commit();
        TestGroups.Deliver(commit.Message, _members, _members[0]);
        TestGroups.AssertAgree(_members);

        _captured.Refuses(proposal, MlsRejection.OwnMessage);
        _captured.Refuses(commit.Message, MlsRejection.ProposalUnknown);
        AssertCannotOpen(before, commit.Message, _members[0].Group.OwnLeaf, update);
        _captured.Refuses(_members[0].Group.Encrypt("after"u8, []), MlsRejection.EpochFuture);
    }

    [Fact]
    public void Secrets_of_an_epoch_are_zeroed_when_it_ends()
    {
        var state = Victim.Group.State;
        TestGroups.Deliver(_members[0].Commit().Message, _members, _members[0]);

        Assert.Throws<ObjectDisposedException>(() => state.Secrets.InitSecret.ToArray());
        Assert.Throws<ObjectDisposedException>(() => state.Keys.TryGet(0, out _));
        Assert.Throws<ObjectDisposedException>(
            () => state.Ratchets.NextKey(0, ContentType.Application, new byte[16], new byte[12]));

        using var dropped = Victim.Group.Commit();
        dropped.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Victim.Group.Apply(dropped));
        TestGroups.AssertReads(_members, Victim);
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _captured.Dispose();
    }

    /// <summary>Even knowing all that is public, the captured private keys open no path secret of the commit.</summary>
    private static void AssertCannotOpen(GroupState before, byte[] commit, uint committer, SentProposal? update)
    {
        Assert.True(TlsCodec.TryDecode<MlsMessage>(commit, out var message, out _));
        var path = message.PublicMessage!.Content.Commit!.Path!;
        var list = new ProposalList();
        if (update is { } sent)
        {
            list.Add(sent, byReference: true);
        }

        Assert.True(ProposalApplication.TryApply(before.Public, list, out var applied, out _));
        Assert.True(applied.Tree.TryApplyPath(committer, path, before.Context.GroupId, out var after, out _));
        var context = TlsCodec.Encode(before.Public.NextContext(
            after, applied.Extensions, before.Context.ConfirmedTranscriptHash));
        var steps = applied.Tree.FilteredPath(committer);
        foreach (var (step, node) in steps.Zip(path.Nodes))
        {
            var recipients = PathSecrets.Recipients(step, new HashSet<uint>());
            foreach (var (recipient, ciphertext) in recipients.Zip(node.EncryptedPathSecret))
            {
                for (var level = 0; level < 4; level++)
                {
                    Assert.False(
                        before.Keys.TryGet(level, out var key)
                        && before.Suite.TryDecryptWithLabel(
                            key, recipient.EncryptionKey!, PathSecrets.EncryptionLabel, context, ciphertext, out _));
                }
            }
        }
    }

    private void Capture()
    {
        _captured.Identity.Dispose();
        _captured.Identity = Victim.Identity;
        _captured.Group = TestGroups.Copy(Victim);
    }
}

using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>Groups at the ends of what there can be: the last epoch, the widest state, a state from before.</summary>
public sealed class GroupLimitTests : IDisposable
{
    private readonly TestClient[] _members = TestGroups.Of(3);
    private readonly StorageKey _key = StorageKey.Import(RandomNumberGenerator.GetBytes(StorageKey.SizeBytes));

    /// <summary>Whoever founds a group can let it begin where it likes, and so lead it to where no epoch follows.</summary>
    [Fact]
    public void No_epoch_follows_the_last_one()
    {
        Array.ForEach(_members, static member => MoveTo(member, ulong.MaxValue - 1));
        TestGroups.AssertAgree(_members);
        TestGroups.Deliver(_members[0].Commit().Message, _members, _members[0]);
        TestGroups.AssertAgree(_members);
        Assert.Equal(ulong.MaxValue, _members[1].Group.Epoch);

        TestGroups.AssertReads(_members, _members[0]);
        Assert.False(_members[0].Group.TryCommit(new(), out _, out var rejection));
        Assert.Equal(MlsRejection.TooLarge, rejection);
        _members[1].Refuses(Forge.Commit(_members[0]), MlsRejection.TooLarge);
        using var joiner = new TestClient("joiner");
        var info = TestClient.ParseGroupInfo(_members[0].Group.GroupInfoMessage(withTree: true, withExternalPub: true));
        Assert.False(Group.TryJoinExternally(info, joiner.Identity, joiner.Services, null, out _, out rejection));
        Assert.Equal(MlsRejection.TooLarge, rejection);
    }

    /// <summary>
    /// A device that came back from an older copy of its state cannot follow the commit it made since: the keys are gone.
    /// </summary>
    [Theory]
    [InlineData(HandshakeFormat.Public)]
    [InlineData(HandshakeFormat.Private)]
    public void A_commit_of_ones_own_is_refused_even_by_who_has_forgotten_it(HandshakeFormat format)
    {
        var forgetful = TestGroups.Copy(_members[0]);
        var commit = _members[0].Commit(new() { Format = format, ForcePath = true });
        _members[0].Group = forgetful;

        _members[0].Refuses(commit.Message, MlsRejection.OwnMessage);
        TestGroups.Deliver(commit.Message, _members, _members[0]);
        TestGroups.AssertAgree(_members[1..]);
    }

    /// <summary>What is kept for messages still to come may be more than a message may have, and is read all the same.</summary>
    [Fact]
    public void A_state_larger_than_any_message_is_read_again()
    {
        using var group = Group.Create(
            _members[0].Suite, [1], _members[0].Identity, _members[0].Services,
            [new Extension { Type = ExtensionType.ApplicationId, Data = new byte[MlsLimits.MessageBytes] }]);
        using var pending = group.Commit();

        Assert.True(Group.TryLoad(
            group.SaveEpoch(_key, Fill), group.SaveRatchets(_key, Fill), _key, _members[0].Identity, _members[0].Services,
            out var loaded, out var rejection), $"{rejection}");
        Assert.Equal(group.EpochAuthenticator, loaded.EpochAuthenticator);
        loaded.Dispose();
        Assert.True(PendingCommit.TryLoad(
            pending.Save(_key, Fill), _key, _members[0].Identity, _members[0].Services, out var again, out rejection),
            $"{rejection}");
        Assert.Equal(pending.Message, again.Message);
        again.Dispose();
    }

    [Fact]
    public void A_group_with_a_long_id_is_saved_as_any_other()
    {
        var client = _members[0];
        client.Create(new byte[MlsLimits.MessageBytes / 16]);

        var copy = TestGroups.Copy(client);

        Assert.Equal(client.Group.EpochAuthenticator, copy.EpochAuthenticator);
        copy.Dispose();
    }

    [Fact]
    public void Proposals_wait_in_no_more_than_their_room()
    {
        var large = new GroupContextExtensionsProposal
        {
            Extensions =
            [
                new() { Type = ExtensionType.ApplicationId, Data = new byte[(MlsLimits.PendingProposalBytes / 2) + 1] },
            ],
        };
        _members[1].Process<ProcessedProposal>(Forge.Proposal(_members[0], large));

        _members[1].Refuses(Forge.Proposal(_members[0], large), MlsRejection.TooLarge);
        Assert.Throws<InvalidOperationException>(() => _members[1].Group.Propose(large));
        Assert.Single(_members[1].Group.PendingProposals);
        _members[1].Process<ProcessedProposal>(Forge.Proposal(_members[0], new RemoveProposal { Removed = 2 }));
        _members[1].Group.DropProposals();
        _members[1].Process<ProcessedProposal>(Forge.Proposal(_members[0], large));
    }

    [Fact]
    public void No_more_proposals_wait_than_their_number()
    {
        using var waiting = new PendingProposals();
        var sent = new SentProposal(new RemoveProposal { Removed = 1 }, new Sender { Type = SenderType.Member });
        for (var number = 0; number < MlsLimits.PendingProposals; number++)
        {
            Assert.True(waiting.HasRoomFor(1));
            waiting.Add(new PendingProposal { Ref = BitConverter.GetBytes(number), Sent = sent, SizeBytes = 1 });
        }

        Assert.False(waiting.HasRoomFor(1));
        waiting.Clear();
        Assert.True(waiting.HasRoomFor(1));
    }

    [Fact]
    public void A_commit_of_too_many_pre_shared_keys_is_refused()
    {
        var psks = Enumerable.Range(0, MlsLimits.PreSharedKeys + 1).Select(static _ => new ProposalOrRef(
            new PreSharedKeyProposal { Psk = new ExternalPskId { Id = [1], Nonce = Forge.Noise() } })).ToList();

        _members[1].Refuses(Forge.Commit(_members[0], psks, withPath: false), MlsRejection.TooLarge);
        _members[1].Refuses(Forge.Commit(_members[0], psks[1..], withPath: false), MlsRejection.PskUnknown);
    }

    [Fact]
    public void Nobody_is_added_to_a_full_tree()
    {
        var leaf = _members[0].Group.MemberAt(0)!.Leaf;
        var nodes = new TreeNode?[TreeMath.NodeCount(MlsLimits.TreeLeaves)];
        for (var index = 0; index < nodes.Length; index += 2)
        {
            nodes[index] = new TreeNode(With(leaf, BitConverter.GetBytes(index)));
        }

        Assert.True(PublicTree.TryCreate(_members[0].Suite, new RatchetTree { Nodes = nodes }, out var tree, out _));
        var known = _members[0].Group.State.Public;
        var full = PublicState.Of(known.Context, known.Extensions, tree, known.Tally, known.ConfirmationTag);
        using var bundle = _members[0].NewBundle();
        var add = new AddProposal { KeyPackage = bundle.KeyPackage };

        Assert.True(tree.IsFull);
        Assert.False(ProposalApplication.TryApply(full, List(add), out _, out var rejection));
        Assert.Equal(MlsRejection.TreeFull, rejection);
        Assert.True(ProposalApplication.TryApply(full, List(add, new RemoveProposal { Removed = 7 }), out var applied, out _));
        Assert.Equal(7U, Assert.Single(applied.Added).Leaf);
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _key.Dispose();
    }

    private static void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);

    private static ProposalList List(params ReadOnlySpan<Proposal> proposals)
    {
        var list = new ProposalList();
        foreach (var proposal in proposals)
        {
            list.Add(new SentProposal(proposal, new Sender { Type = SenderType.Member }), byReference: false);
        }

        return list;
    }

    /// <summary>The same leaf with keys of its own, which nobody looks at here.</summary>
    private static LeafNode With(LeafNode leaf, byte[] key) => new()
    {
        EncryptionKey = key,
        SignatureKey = key,
        Credential = leaf.Credential,
        Capabilities = leaf.Capabilities,
        Source = leaf.Source,
        Extensions = leaf.Extensions,
        Signature = leaf.Signature,
    };

    /// <summary>The same group with the same secrets in another epoch.</summary>
    private static void MoveTo(TestClient member, ulong epoch)
    {
        var state = member.Group.State;
        var known = state.Public;
        var context = new GroupContext
        {
            Version = known.Context.Version,
            CipherSuite = known.Context.CipherSuite,
            GroupId = known.Context.GroupId,
            Epoch = epoch,
            TreeHash = known.Context.TreeHash,
            ConfirmedTranscriptHash = known.Context.ConfirmedTranscriptHash,
            Extensions = known.Context.Extensions,
        };
        using var key = StorageKey.Import(new byte[StorageKey.SizeBytes]);
        var moved = new GroupState
        {
            Public = PublicState.Of(context, known.Extensions, known.Tree, known.Tally, known.ConfirmationTag),
            Keys = state.Keys,
            Secrets = state.Secrets,
            Ratchets = state.Ratchets,
        };
        var former = Group.Of(moved, member.Identity, member.Services);
        Assert.True(Group.TryLoad(
            former.SaveEpoch(key, member.Services.Random), former.SaveRatchets(key, member.Services.Random), key,
            member.Identity, member.Services, out var group, out _));
        member.Group = group;
    }
}

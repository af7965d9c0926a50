using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Messages that were changed, repeated, reordered or forged: refused for the right reason, and nothing changes.
/// </summary>
public sealed class GroupRefusalTests : IDisposable
{
    private readonly TestClient[] _members = TestGroups.Of(3);
    private readonly TestClient _joiner = new("joiner");

    [Fact]
    public void A_public_commit_with_any_bit_changed_is_refused()
    {
        using var bundle = _joiner.NewBundle();
        using var pending = _members[0].Group.Commit(new MlsCommitRequest
        {
            Proposals = [new AddProposal { KeyPackage = bundle.KeyPackage }],
            ForcePath = true,
            AuthenticatedData = "bound"u8.ToArray(),
        });
        AssertEveryBitCounts(_members[1], pending.Message);

        TestGroups.Deliver(pending.Message, _members, _members[0]);
        _members[0].Group.Apply(pending);
        TestGroups.AssertAgree(_members);
    }

    [Fact]
    public void A_public_proposal_with_any_bit_changed_is_refused()
    {
        var message = _members[0].Group.ProposeUpdate();

        AssertEveryBitCounts(_members[1], message);

        Assert.Empty(_members[1].Group.PendingProposals);
        _members[1].Process<ProcessedProposal>(message);
    }

    [Fact]
    public void Private_messages_with_any_bit_changed_are_refused()
    {
        var said = _members[0].Group.Encrypt("hello"u8, "bound"u8);
        var proposal = _members[0].Group.ProposeUpdate(format: HandshakeFormat.Private);

        AssertEveryBitCounts(_members[1], said);
        AssertEveryBitCounts(_members[1], proposal);

        _members[1].Process<ProcessedApplication>(said);
        _members[1].Process<ProcessedProposal>(proposal);
        using var commit = _members[1].Group.Commit(new MlsCommitRequest { Format = HandshakeFormat.Private });
        _members[2].Process<ProcessedProposal>(proposal);
        AssertEveryBitCounts(_members[2], commit.Message);
        _members[2].Process<ProcessedCommit>(commit.Message);
    }

    [Fact]
    public void A_welcome_with_any_octet_changed_lets_nobody_in()
    {
        using var bundle = _joiner.NewBundle();
        using var pending = _members[0].Group.Commit(new MlsCommitRequest
        {
            Proposals = [new AddProposal { KeyPackage = bundle.KeyPackage }],
            ForcePath = true,
        });
        var welcome = pending.Welcome!;
        for (var place = 0; place < welcome.Length; place++)
        {
            welcome[place] ^= (byte)(1 << (place % 8));
            Assert.False(
                TlsCodec.TryDecode<MlsMessage>(welcome, out var decoded, out _) && decoded.Welcome is { } forged
                    && Group.TryJoin(forged, bundle, _joiner.Identity, _joiner.Services, out _, out _),
                $"octet {place}");
            welcome[place] ^= (byte)(1 << (place % 8));
        }

        _members[0].Group.Apply(pending);
        _joiner.Join(welcome, bundle);
        TestGroups.AssertAgree([_members[0], _joiner]);
    }

    [Fact]
    public void A_group_info_with_any_octet_changed_lets_nobody_in()
    {
        var message = _members[0].Group.GroupInfoMessage(withTree: true, withExternalPub: true);
        for (var place = 0; place < message.Length; place++)
        {
            message[place] ^= (byte)(1 << (place % 8));
            Assert.False(
                TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out _) && decoded.GroupInfo is { } forged
                    && Group.TryJoinExternally(forged, _joiner.Identity, _joiner.Services, null, out _, out _),
                $"octet {place}");
            message[place] ^= (byte)(1 << (place % 8));
        }
    }

    [Fact]
    public void A_welcome_forged_with_other_secrets_is_refused()
    {
        using var bundle = _joiner.NewBundle();
        using var mallory = new TestClient("mallory");
        mallory.Create(_members[0].Group.GroupId);
        using var pending = mallory.Group.Commit(new MlsCommitRequest
        {
            Proposals = [new AddProposal { KeyPackage = bundle.KeyPackage }],
        });
        var genuine = TestClient.ParseWelcome(pending.Welcome!);
        using var others = _members[1].NewBundle();

        Assert.False(Group.TryJoin(
            genuine, others, _members[1].Identity, _members[1].Services, out _, out var rejection));
        Assert.Equal(MlsRejection.KeyPackageOther, rejection);
        Assert.False(Group.TryJoin(
            genuine, bundle, _joiner.Identity, _joiner.Services, out _, out rejection,
            new JoinOptions { IsJoined = id => id.AsSpan().SequenceEqual(mallory.Group.GroupId) }));
        Assert.Equal(MlsRejection.GroupKnown, rejection);
        Assert.False(Group.TryJoin(
            new Welcome { CipherSuite = 3, Secrets = genuine.Secrets, EncryptedGroupInfo = genuine.EncryptedGroupInfo },
            bundle, _joiner.Identity, _joiner.Services, out _, out rejection));
        Assert.Equal(MlsRejection.UnsupportedCipherSuite, rejection);
        Assert.Throws<ArgumentException>(() => Group.TryJoin(
            genuine, bundle, _members[1].Identity, _members[1].Services, out _, out _));
    }

    [Fact]
    public void A_confirmation_tag_that_is_wrong_or_anothers_is_refused()
    {
        using var pending = _members[0].Group.Commit();
        using var other = _members[0].Group.Commit();
        Assert.True(TlsCodec.TryDecode<MlsMessage>(other.Message, out var decoded, out _));

        foreach (var tag in new[] { Forge.Noise(), [], decoded.PublicMessage!.ConfirmationTag! })
        {
            _members[1].Refuses(
                Forge.WithConfirmationTag(_members[0], pending.Message, tag), MlsRejection.ConfirmationTagInvalid);
        }

        _members[1].Process<ProcessedCommit>(pending.Message);
    }

    [Fact]
    public void Handshakes_are_followed_once_and_in_their_order()
    {
        var old = _members[0].Group.Encrypt("before"u8, []);
        var proposal = Forge.Proposal(_members[2], new RemoveProposal { Removed = 0 });
        using var stale = _members[2].Group.Commit();
        var first = _members[0].Commit();
        var second = _members[0].Commit();

        _members[1].Refuses(second.Message, MlsRejection.EpochFuture);
        _members[1].Process<ProcessedCommit>(first.Message);
        _members[1].Refuses(first.Message, MlsRejection.EpochPast);
        _members[1].Refuses(stale.Message, MlsRejection.EpochPast);
        _members[1].Refuses(old, MlsRejection.EpochPast);
        _members[1].Refuses(proposal, MlsRejection.EpochPast);
        _members[1].Process<ProcessedCommit>(second.Message);
        _members[0].Refuses(second.Message, MlsRejection.EpochPast);
        TestGroups.AssertAgree(_members[..2]);
    }

    [Fact]
    public void Messages_are_read_once_and_by_others_only()
    {
        var said = _members[0].Group.Encrypt("hello"u8, []);
        _members[0].Refuses(said, MlsRejection.OwnMessage);
        _members[1].Process<ProcessedApplication>(said);
        _members[1].Refuses(said, MlsRejection.GenerationUsed);

        using var commit = _members[0].Group.Commit();
        _members[0].Refuses(commit.Message, MlsRejection.OwnMessage);
        using var stranger = new TestClient("stranger");
        stranger.Create("elsewhere"u8.ToArray());
        stranger.Refuses(commit.Message, MlsRejection.GroupOther);
        _members[1].Refuses([], MlsRejection.Truncated);
        _members[1].Refuses(commit.GroupInfo, MlsRejection.WrongKind);
    }

    [Fact]
    public void Who_was_removed_says_nothing_more()
    {
        var removed = _members[2];
        var identity = removed.Identity;
        using var captured = new TestClient("captured") { Identity = identity, Group = TestGroups.Copy(removed) };
        using var unsent = removed.Group.Commit();
        var removal = _members[0].Commit(new MlsCommitRequest
        {
            Proposals = [new RemoveProposal { Removed = removed.Group.OwnLeaf }],
        });
        _members[1].Process<ProcessedCommit>(removal.Message);
        Assert.True(removed.Process<ProcessedCommit>(removal.Message).SelfRemoved);

        // What it made before is of a past epoch; what it makes in the new epoch's name lacks the new epoch's keys.
        _members[1].Refuses(unsent.Message, MlsRejection.EpochPast);
        var next = _members[1].Group.State.Context;
        var protection = Forge.Protection(captured, next);
        var framed = new FramedContent
        {
            GroupId = next.GroupId,
            Epoch = next.Epoch,
            Sender = new Sender { Type = SenderType.Member, Index = captured.Group.OwnLeaf },
            AuthenticatedData = [],
            ContentType = ContentType.Commit,
            Commit = new Commit { Proposals = [] },
        };
        var forged = protection.ToPublic(protection
            .Sign(WireFormat.PublicMessage, framed, identity.SignatureKey).WithConfirmationTag(Forge.Noise()));
        _members[1].Refuses(TlsCodec.Encode(new MlsMessage(forged)), MlsRejection.MembershipTagInvalid);

        // Nor does it help that somebody who is still there tags it.
        _members[1].Refuses(Forge.Retagged(_members[1], forged), MlsRejection.LeafUnknown);

        Assert.Equal(GroupStatus.Removed, removed.Group.Status);
        removed.Refuses(_members[0].Group.Encrypt("secret"u8, []), MlsRejection.GroupInactive);
        Assert.Throws<InvalidOperationException>(() => removed.Group.Encrypt([], []));
        Assert.Throws<InvalidOperationException>(() => removed.Group.Commit());
        Assert.Throws<InvalidOperationException>(() => removed.Group.EpochAuthenticator);
        Assert.Throws<InvalidOperationException>(() => removed.Group.Export("x", [], 32));
        Assert.Throws<InvalidOperationException>(() => removed.Group.Apply(unsent));
        Assert.Throws<ObjectDisposedException>(() => removed.Group.State.Secrets.InitSecret.ToArray());
        Assert.False(removed.Group.State.Keys.TryGet(1, out _));
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _joiner.Dispose();
    }

    /// <summary>Each bit by itself, and the message as it was is still good afterwards.</summary>
    private static void AssertEveryBitCounts(TestClient receiver, byte[] message)
    {
        var before = receiver.Group.EpochAuthenticator;
        var changed = message.ToArray();
        for (var bit = 0; bit < changed.Length * 8; bit++)
        {
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(receiver.Group.TryProcess(changed, out _, out var rejection), $"bit {bit}");
            Assert.NotEqual(MlsRejection.None, rejection);
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Equal(before, receiver.Group.EpochAuthenticator);
    }
}

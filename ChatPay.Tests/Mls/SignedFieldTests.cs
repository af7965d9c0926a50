using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Each protection by itself: one bit is changed, and whatever else would have told is made to fit again, as somebody with the
/// group's keys could.
/// </summary>
public sealed class SignedFieldTests : IDisposable
{
    private readonly TestClient[] _members = TestGroups.Of(3);
    private readonly TestClient _joiner = new("joiner");

    private TestClient Receiver => _members[1];

    /// <summary>Every member can make membership tags, so the signature alone says whose words they are.</summary>
    [Fact]
    public void A_members_public_handshake_is_its_own_however_it_is_tagged()
    {
        AssertEveryBitIsSigned(Forge.Proposal(_members[0], new RemoveProposal { Removed = 2 }, "bound"u8.ToArray()));
        AssertEveryBitIsSigned(_members[0].Group.ProposeUpdate());
        using var commit = _members[0].Group.Commit(new()
        {
            IncludePending = false,
            AuthenticatedData = "bound"u8.ToArray(),
        });
        AssertEveryBitIsSigned(commit.Message);
        Assert.Empty(Receiver.Group.PendingProposals);
        Receiver.Process<ProcessedCommit>(commit.Message);
    }

    [Fact]
    public void An_external_commit_with_any_bit_changed_is_refused()
    {
        var info = TestClient.ParseGroupInfo(_members[0].Group.GroupInfoMessage(withTree: true, withExternalPub: true));
        Assert.True(Group.TryJoinExternally(
            info, _joiner.Identity, _joiner.Services, new() { AuthenticatedData = "bound"u8.ToArray() }, out var pending, out _));

        EachBit(pending.Message, changed => Receiver.Group.TryProcess(changed, out _, out _));

        TestGroups.Deliver(pending.Message, _members, _joiner);
        _joiner.Group = pending.Activate();
        TestGroups.AssertAgree([.. _members, _joiner]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_key_package_with_any_bit_changed_is_refused(ushort suiteId)
    {
        Assert.True(MlsCipherSuite.TryGet(suiteId, out var suite));
        using var bundle = _joiner.NewBundle(lastResort: true, suite);
        Assert.Equal(MlsRejection.None, KeyPackageValidation.Check(bundle.KeyPackage));

        EachBit(bundle.Message, static changed =>
            TlsCodec.TryDecode<MlsMessage>(changed, out var message, out _) && message.KeyPackage is { } package
                && KeyPackageValidation.Check(package) == MlsRejection.None);
    }

    /// <summary>Of each source; in a key package and in a path it is under another signature, too.</summary>
    [Fact]
    public void A_leaf_node_with_any_bit_changed_is_refused()
    {
        using var bundle = _joiner.NewBundle();
        using var commit = _members[2].Group.Commit();
        Assert.True(TlsCodec.TryDecode<MlsMessage>(commit.Message, out var message, out _));
        Assert.True(TlsCodec.TryDecode<MlsMessage>(_members[2].Group.ProposeUpdate(), out var update, out _));
        LeafNode[] leaves =
        [
            bundle.KeyPackage.LeafNode,
            Assert.IsType<UpdateProposal>(update.PublicMessage!.Content.Proposal).LeafNode,
            message.PublicMessage!.Content.Commit!.Path!.LeafNode,
        ];
        Assert.Equal(Enum.GetValues<LeafNodeSource>(), leaves.Select(static leaf => leaf.Source));
        foreach (var leaf in leaves)
        {
            Assert.Equal(MlsRejection.None, Check(leaf));
            EachBit(TlsCodec.Encode(leaf), changed =>
                TlsCodec.TryDecode<LeafNode>(changed, out var read, out _) && Check(read) == MlsRejection.None);
        }

        MlsRejection Check(LeafNode leaf) =>
            LeafNodeValidation.Check(leaf, _members[2].Suite, _members[2].Group.GroupId, _members[2].Group.OwnLeaf);
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _joiner.Dispose();
    }

    private void AssertEveryBitIsSigned(byte[] message) => EachBit(
        message,
        changed => TlsCodec.TryDecode<MlsMessage>(changed, out var decoded, out _)
            && decoded.PublicMessage is { } forged
            && Receiver.Group.TryProcess(Forge.Retagged(Receiver, forged), out _, out _),
        besides: Receiver.Suite.HashSize);

    /// <param name="besides">Bytes at the end that are left alone, as a tag that is made anew.</param>
    private static void EachBit(byte[] message, Func<byte[], bool> accepts, int besides = 0)
    {
        var changed = message.AsSpan().ToArray();
        for (var bit = 0; bit < (changed.Length - besides) * 8; bit++)
        {
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(accepts(changed), $"bit {bit}");
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }
}

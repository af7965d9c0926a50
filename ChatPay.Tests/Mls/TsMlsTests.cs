using System.Text.Json;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>What the web client's library writes, read here; <c>Fixtures/ts-mls.mjs</c> made the messages.</summary>
public sealed class TsMlsTests : IDisposable
{
    private const int JoinerLeaf = 1;

    private readonly JsonDocument _fixture = JsonDocument.Parse(
        File.ReadAllBytes(Repository.PathOf("ChatPay.Tests/Fixtures/ts-mls.json")));

    [Fact]
    public void Every_message_survives_the_round_trip()
    {
        string[] single = ["addCommit", "welcome", "privateMessage", "removeCommit", "groupInfo", "externalCommit"];
        Assert.All(
            [.. single.Select(Bytes), .. KeyPackages()],
            static bytes =>
            {
                Assert.True(TlsCodec.TryDecode<MlsMessage>(bytes, out var message, out var rejection), $"{rejection}");
                Assert.Equal(bytes, TlsCodec.Encode(message));
            });
    }

    [Fact]
    public void Key_packages_are_valid() =>
        Assert.All(KeyPackages(), static (bytes, index) =>
        {
            var keyPackage = TestMls.ParseKeyPackage(bytes);
            Assert.Equal(MlsRejection.None, KeyPackageValidation.Check(keyPackage));
            Assert.True(CredentialIdentity.TryRead(keyPackage.LeafNode.Credential, out var identity));
            Assert.All(identity.Account.Value.ToByteArray(), octet => Assert.Equal(index + 1, octet));
            Assert.All(identity.Device.Value.ToByteArray(), octet => Assert.Equal(index + 0x81, octet));
        });

    [Fact]
    public void A_key_package_with_any_octet_changed_is_refused()
    {
        var bytes = KeyPackages()[0];
        for (var place = 0; place < bytes.Length; place++)
        {
            bytes[place] ^= 1;
            Assert.False(
                TlsCodec.TryDecode<MlsMessage>(bytes, out var forged, out _)
                    && forged.KeyPackage is { } package
                    && KeyPackageValidation.Check(package) == MlsRejection.None,
                $"octet {place}");
            bytes[place] ^= 1;
        }
    }

    [Fact]
    public void A_welcome_names_the_added_key_packages()
    {
        Assert.True(TlsCodec.TryDecode<MlsMessage>(Bytes("welcome"), out var message, out _));
        var references = KeyPackages().Skip(1).Take(2)
            .Select(bytes => Convert.ToHexString(TestMls.Suite.KeyPackageRef(TestMls.ParseKeyPackage(bytes))));

        Assert.Equal(references, message.Welcome!.Secrets.Select(secret => Convert.ToHexString(secret.NewMember)));
    }

    [Fact]
    public void The_commits_are_followed_and_their_leaves_verify()
    {
        var packages = KeyPackages();
        var leaves = new RatchetTreeLeaves<int>([new(0, 1)]);

        var added = Inspect("addCommit");
        Assert.Equal((0UL, 0), (added.Epoch, added.SenderLeaf));
        Assert.Equal(
            packages[1..3].Select(Convert.ToHexString),
            added.Adds.Select(package => Convert.ToHexString(TestMls.Encode(new(package)))));
        Assert.True(leaves.TryApply(added.Removes, [2, 3], out _));

        var removed = Inspect("removeCommit");
        Assert.Equal((1UL, 0), (removed.Epoch, removed.SenderLeaf));
        Assert.Equal([1], removed.Removes);
        Verify(removed, 0);
        Assert.True(leaves.TryApply(removed.Removes, [], out _));

        var joined = Inspect("externalCommit");
        Assert.True(joined.IsExternal);
        Verify(joined, JoinerLeaf);
        Assert.True(leaves.TryApplyExternal(joined.Removes, 4, out var changes));
        Assert.Equal([new(JoinerLeaf, 4)], changes.Added);
    }

    [Fact]
    public void The_header_of_a_private_message_tells_group_epoch_kind_and_authenticated_data()
    {
        Assert.True(PrivateMessageHeader.TryRead(Bytes("privateMessage"), out var header, out _));

        Assert.Equal(Bytes("groupId"), header.GroupId);
        Assert.Equal(1UL, header.Epoch);
        Assert.Equal(ContentType.Application, header.ContentType);
        Assert.Equal(Bytes("authenticatedData"), header.AuthenticatedData);
        Assert.True(AuthenticatedData.TryDecode(header.AuthenticatedData, out _));
    }

    [Fact]
    public void The_group_info_holds_the_tree_of_its_epoch()
    {
        Assert.True(TlsCodec.TryDecode<MlsMessage>(Bytes("groupInfo"), out var message, out _));
        var info = message.GroupInfo!;
        Assert.Equal(2UL, info.Context.Epoch);
        var extension = Assert.Single(info.Extensions, static extension => extension.Type == ExtensionType.RatchetTree);

        Assert.True(TlsCodec.TryDecode<RatchetTree>(extension.Data, out var tree, out _));

        var occupied = Enumerable.Range(0, (tree.Nodes.Count + 1) / 2).Where(leaf => tree.Nodes[leaf * 2] is not null);
        Assert.Equal([0, 2], occupied);
        Assert.Equal(
            MlsRejection.None,
            LeafNodeValidation.Check(tree.Nodes[0]!.Leaf!, TestMls.Suite, info.Context.GroupId, 0));
        Assert.Equal(
            MlsRejection.None, GroupInfoValidation.Check(info, TestMls.Suite, tree.Nodes[0]!.Leaf!.SignatureKey));
    }

    public void Dispose() => _fixture.Dispose();

    private static void Verify(InspectedCommit commit, uint leaf) => Assert.Equal(
        MlsRejection.None, LeafNodeValidation.Check(commit.PathLeaf!, TestMls.Suite, commit.GroupId, leaf));

    private InspectedCommit Inspect(string name)
    {
        Assert.True(CommitInspector.TryInspect(Bytes(name), out var commit, out var rejection), $"{rejection}");
        Assert.Equal(Bytes("groupId"), commit.GroupId);
        Assert.Empty(commit.Others);
        return commit;
    }

    private byte[] Bytes(string name) => _fixture.RootElement.Hex(name);

    private byte[][] KeyPackages() =>
    [
        .. _fixture.RootElement.GetProperty("keyPackages").EnumerateArray()
            .Select(static item => Convert.FromHexString(item.GetString()!)),
    ];
}

using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>The MLS working group's treekem.json.</summary>
public sealed class TreeKemVectorTests
{
    private static readonly IReadOnlySet<uint> s_nobody = new HashSet<uint>();

    [Fact]
    public void Every_member_opens_the_published_paths_and_each_others() => MlsVectors.Check("treekem", Check);

    private static void Check(MlsCipherSuite suite, JsonElement entry)
    {
        var tree = TestTrees.Decode(suite, entry.Hex("ratchet_tree"));
        var groupId = entry.Hex("group_id");
        Assert.Equal(MlsRejection.None, tree.Validate(groupId));
        var members = entry.GetProperty("leaves_private").EnumerateArray()
            .ToDictionary(static leaf => leaf.GetProperty("index").GetUInt32(), leaf => PrivateTreeOf(suite, tree, leaf));
        foreach (var update in entry.GetProperty("update_paths").EnumerateArray())
        {
            OpenPublished(entry, update, tree, members);
        }

        foreach (var leaf in entry.GetProperty("leaves_private").EnumerateArray())
        {
            OpenOwn(entry, leaf, tree, members);
        }

        foreach (var member in members.Values)
        {
            member.Dispose();
        }
    }

    private static void OpenPublished(
        JsonElement entry, JsonElement update, PublicTree tree, Dictionary<uint, PrivateTree> members)
    {
        var sender = update.GetProperty("sender").GetUInt32();
        Assert.True(TlsCodec.TryDecode<UpdatePath>(update.Hex("update_path"), out var path, out _));
        Assert.True(
            tree.TryApplyPath(sender, path, entry.Hex("group_id"), out var after, out var rejection), rejection.ToString());
        Assert.Equal(update.Hex("tree_hash_after"), after.TreeHash);
        var context = Context(entry, tree.Suite, after);
        var secrets = update.GetProperty("path_secrets");
        foreach (var (leaf, member) in members.Where(pair => pair.Key != sender))
        {
            Assert.True(
                member.TryOpenPath(
                    tree.Suite, tree, sender, path, context, s_nobody, out var next, out var commitSecret, out rejection),
                rejection.ToString());
            using (next)
            using (commitSecret)
            {
                Assert.Equal(update.Hex("commit_secret"), commitSecret.Span);
                var (privateKey, _) = PathSecrets.NodeKey(
                    tree.Suite, Convert.FromHexString(secrets[(int)leaf].GetString()!));
                Assert.True(next.TryGet(TreeMath.CommonLevel(leaf, sender), out var learned));
                Assert.Equal(privateKey.Span, learned);
                AssertKeysFit(next, after);
            }
        }
    }

    private static void OpenOwn(
        JsonElement entry, JsonElement leaf, PublicTree tree, Dictionary<uint, PrivateTree> members)
    {
        var sender = leaf.GetProperty("index").GetUInt32();
        using var signatureKey = Key.Import(
            tree.Suite.SignatureAlgorithm, leaf.Hex("signature_priv"), KeyBlobFormat.RawPrivateKey);
        using var builder = PathBuilder.Create(
            tree, sender, tree.Leaf(sender)!, signatureKey, entry.Hex("group_id"), RandomNumberGenerator.Fill,
            out var own, out var expected);
        using (own)
        using (expected)
        {
            var context = Context(entry, tree.Suite, builder.Tree);
            var path = builder.Encrypt(context, s_nobody, RandomNumberGenerator.Fill);
            AssertKeysFit(own, builder.Tree);
            Assert.True(
                tree.TryApplyPath(sender, path, entry.Hex("group_id"), out var after, out var rejection),
                rejection.ToString());
            Assert.Equal(builder.Tree.TreeHash, after.TreeHash);
            Assert.Equal(MlsRejection.None, after.Validate(entry.Hex("group_id")));
            foreach (var member in members.Values.Where(member => member.Leaf != sender))
            {
                Assert.True(
                    member.TryOpenPath(
                        tree.Suite, tree, sender, path, context, s_nobody, out var next, out var commitSecret, out rejection),
                    rejection.ToString());
                using (next)
                using (commitSecret)
                {
                    Assert.Equal(expected.Span, commitSecret.Span);
                    AssertKeysFit(next, after);
                }
            }
        }
    }

    private static void AssertKeysFit(PrivateTree keys, PublicTree tree) =>
        Assert.Empty(TestTrees.KeysThatDoNotFit(keys, tree));

    /// <summary>
    /// The vectors hold a path secret for each parent that the leaf knows; stored keys are read as a state's are.
    /// </summary>
    private static PrivateTree PrivateTreeOf(MlsCipherSuite suite, PublicTree tree, JsonElement leaf)
    {
        var writer = new TlsWriter();
        writer.WriteUInt32(leaf.GetProperty("index").GetUInt32());
        var mark = writer.BeginVector();
        writer.WriteByte(0);
        writer.WriteOpaque(leaf.Hex("encryption_priv"));
        foreach (var parent in leaf.GetProperty("path_secrets").EnumerateArray())
        {
            var (privateKey, _) = PathSecrets.NodeKey(suite, parent.Hex("path_secret"));
            writer.WriteByte((byte)TreeMath.Level(parent.GetProperty("node").GetUInt32()));
            writer.WriteOpaque(privateKey.Span);
        }

        writer.EndVector(mark);
        var reader = new TlsReader(writer.WrittenSpan);
        var keys = PrivateTree.Read(ref reader, suite);
        Assert.NotNull(keys);
        AssertKeysFit(keys, tree);
        return keys;
    }

    private static byte[] Context(JsonElement entry, MlsCipherSuite suite, PublicTree after) =>
        TlsCodec.Encode(new GroupContext
        {
            Version = ProtocolVersion.Mls10,
            CipherSuite = suite.Id,
            GroupId = entry.Hex("group_id"),
            Epoch = entry.GetProperty("epoch").GetUInt64(),
            TreeHash = after.TreeHash.ToArray(),
            ConfirmedTranscriptHash = entry.Hex("confirmed_transcript_hash"),
            Extensions = [],
        });
}

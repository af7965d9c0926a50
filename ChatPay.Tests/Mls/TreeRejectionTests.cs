using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>Trees from the wire that somebody tampered with.</summary>
public sealed class TreeRejectionTests : IDisposable
{
    private static readonly MlsCipherSuite s_suite = MlsCipherSuite.X25519Aes128Gcm;

    private static readonly int[] s_parents = [1, 3, 5, 7, 11];

    private readonly TreeGroup _group = new(s_suite, 5);

    /// <summary>
    /// Eight leaves, of which 6 is blank; the parents at 1, 3, 5, 7 and 11 have keys, and leaf 5 is unmerged at 7 and 11.
    /// </summary>
    public TreeRejectionTests()
    {
        _group.Commit(0, [], [], 7);
        foreach (var leaf in _group.Leaves)
        {
            _group.Commit(leaf, [], [], 0);
        }

        _group.Commit(4, [], [5, 6], 0);
        _group.Commit(7, [], [], 0);
        _group.CommitAdds(1);
    }

    [Fact]
    public void An_untouched_tree_is_accepted() => Assert.Equal(MlsRejection.None, Check(Nodes()));

    [Fact]
    public void Every_flipped_bit_is_refused()
    {
        using var group = new TreeGroup(s_suite, 5);
        group.Commit(0, [], [], 2);
        group.Commit(1, [], [], 0);
        group.CommitAdds(1);
        var wire = TlsCodec.Encode(group.Tree.ToWire());
        for (var bit = 0; bit < wire.Length * 8; bit++)
        {
            var flipped = wire.AsSpan().ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            if (TlsCodec.TryDecode<RatchetTree>(flipped, out var decoded, out _)
                && PublicTree.TryCreate(s_suite, decoded, out var tree, out _))
            {
                Assert.NotEqual(group.Tree.TreeHash, tree.TreeHash);
                Assert.True(tree.Validate(TreeGroup.GroupId) != MlsRejection.None, $"bit {bit}");
            }
        }
    }

    [Fact]
    public void A_leaf_of_another_group_is_refused()
    {
        Assert.True(PublicTree.TryCreate(s_suite, _group.Tree.ToWire(), out var tree, out _));

        Assert.Equal(MlsRejection.SignatureInvalid, tree.Validate([1]));
    }

    [Fact]
    public void Nodes_in_wrong_places_are_refused()
    {
        Assert.Equal(MlsRejection.TreeMalformed, Check([]));
        Assert.Equal(MlsRejection.TreeMalformed, Check([.. Nodes(), null]));
        Assert.Equal(MlsRejection.TreeMalformed, Check([.. Nodes().Skip(1)]));
        Assert.Equal(MlsRejection.TreeMalformed, Check(Nodes(0, Nodes()[1])));
        Assert.Equal(MlsRejection.TreeMalformed, Check(Nodes(1, Nodes()[0])));
    }

    [Fact]
    public void A_right_half_without_members_is_refused()
    {
        // Members 0 to 3 and the root: an honest group would have halved its tree.
        TreeNode?[] nodes = [.. Nodes()[..8]];

        Assert.Equal(MlsRejection.TreeMalformed, Check(nodes));
    }

    [Fact]
    public void A_tree_wider_than_the_limit_is_refused_without_being_built()
    {
        var leaf = Nodes()[0];
        var before = GC.GetAllocatedBytesForCurrentThread();

        var created = PublicTree.TryCreate(
            s_suite, new RatchetTree { Nodes = new Repeated(leaf, (2 * MlsLimits.TreeLeaves) + 1) }, out _, out var rejection);

        Assert.False(created);
        Assert.Equal(MlsRejection.TooLarge, rejection);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }

    [Fact]
    public void Blanks_cost_no_more_memory_than_their_list()
    {
        TreeNode?[] nodes = [.. new TreeNode?[TreeMath.NodeCount(MlsLimits.TreeLeaves) - 1], Nodes()[0]];
        var wire = new RatchetTree { Nodes = nodes };
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.True(PublicTree.TryCreate(s_suite, wire, out var tree, out _));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);
        Assert.Equal((uint)MlsLimits.TreeLeaves, tree.Width);
        Assert.Equal(32, tree.TreeHash.Length);
        Assert.Equal(0u, Added(tree));

        static uint Added(PublicTree tree)
        {
            tree.Add(tree.Leaf(tree.Width - 1)!, out var index);
            return index;
        }
    }

    [Fact]
    public void The_same_encryption_key_twice_is_refused()
    {
        var key = _group.Tree.Leaf(0)!.EncryptionKey;
        var parent = _group.Tree.Parent(7)!;
        var leaf = TestTrees.SignedLeaf(s_suite, _group.SignatureKeyOf(5), key);

        Assert.Equal(MlsRejection.EncryptionKeyDuplicate, Check(Nodes(10, new TreeNode(leaf))));
        Assert.Equal(
            MlsRejection.EncryptionKeyDuplicate, Check(Nodes(7, Parent(key, parent.ParentHash, parent.UnmergedLeaves))));
    }

    [Fact]
    public void The_same_signature_key_twice_is_refused()
    {
        var (leaf, _) = TestTrees.NewLeaf(s_suite, _group.SignatureKeyOf(0), TestTrees.Randomness(9));

        Assert.Equal(MlsRejection.SignatureKeyDuplicate, Check(Nodes(10, new TreeNode(leaf))));
    }

    [Fact]
    public void A_parent_that_no_member_set_is_refused()
    {
        var (outsiders, _) = TestTrees.NewLeaf(s_suite, _group.SignatureKeyOf(0), TestTrees.Randomness(9));
        foreach (var node in s_parents)
        {
            var parent = _group.Tree.Parent((uint)node)!;

            Assert.Equal(
                MlsRejection.ParentHashInvalid,
                Check(Nodes(node, Parent(outsiders.EncryptionKey, parent.ParentHash, parent.UnmergedLeaves))));
        }
    }

    [Fact]
    public void A_parent_hash_that_was_changed_is_refused()
    {
        foreach (var node in s_parents)
        {
            var parent = _group.Tree.Parent((uint)node)!;

            Assert.Equal(
                MlsRejection.ParentHashInvalid,
                Check(Nodes(node, Parent(parent.EncryptionKey, [.. parent.ParentHash, 1], parent.UnmergedLeaves))));
        }
    }

    [Fact]
    public void A_parent_key_that_is_none_is_refused()
    {
        var parent = _group.Tree.Parent(7)!;

        Assert.Equal(MlsRejection.PublicKeyInvalid, Check(Nodes(7, Parent(new byte[32], parent.ParentHash, [5]))));
        Assert.Equal(MlsRejection.PublicKeyInvalid, Check(Nodes(7, Parent([1], parent.ParentHash, [5]))));
    }

    [Theory]
    [InlineData(7, new uint[] { 5, 4 }, MlsRejection.UnmergedLeavesInvalid)] // not ascending
    [InlineData(7, new uint[] { 5, 5 }, MlsRejection.UnmergedLeavesInvalid)] // twice
    [InlineData(7, new uint[] { 5, 6 }, MlsRejection.UnmergedLeavesInvalid)] // blank
    [InlineData(7, new uint[] { 5, 8 }, MlsRejection.UnmergedLeavesInvalid)] // beyond the tree
    [InlineData(7, new uint[] { 5, uint.MaxValue }, MlsRejection.UnmergedLeavesInvalid)]
    [InlineData(11, new uint[] { 3, 5 }, MlsRejection.UnmergedLeavesInvalid)] // not below the node
    [InlineData(7, new uint[] { 4, 5 }, MlsRejection.UnmergedLeavesInvalid)] // not in node 11, which is in between
    [InlineData(7, new uint[] { }, MlsRejection.ParentHashInvalid)] // merged, though no path secret went there
    [InlineData(11, new uint[] { }, MlsRejection.ParentHashInvalid)]
    public void Unmerged_leaves_that_cannot_be_are_refused(int node, uint[] unmerged, MlsRejection expected)
    {
        var parent = _group.Tree.Parent((uint)node)!;

        Assert.Equal(expected, Check(Nodes(node, Parent(parent.EncryptionKey, parent.ParentHash, unmerged))));
    }

    [Fact]
    public void Unmerged_leaves_below_a_parent_that_was_refreshed_are_accepted()
    {
        // Member 0 sets the root anew; leaf 5 stays unmerged at node 11 below it.
        _group.Commit(0, [], [], 0);

        Assert.Equal([], _group.Tree.Parent(7)!.UnmergedLeaves);
        Assert.Equal([5u], _group.Tree.Parent(11)!.UnmergedLeaves);
        Assert.Equal(MlsRejection.None, Check(Nodes()));
    }

    [Fact]
    public void A_leaf_whose_signature_is_wrong_is_refused()
    {
        var (leaf, _) = TestTrees.NewLeaf(s_suite, _group.SignatureKeyOf(5), TestTrees.Randomness(9));
        var wrong = new LeafNode
        {
            EncryptionKey = leaf.EncryptionKey,
            SignatureKey = leaf.SignatureKey,
            Credential = new BasicCredential { Identity = [1] },
            Capabilities = leaf.Capabilities,
            Source = leaf.Source,
            Lifetime = leaf.Lifetime,
            Extensions = leaf.Extensions,
            Signature = leaf.Signature,
        };

        Assert.Equal(MlsRejection.None, Check(Nodes(10, new TreeNode(leaf))));
        Assert.Equal(MlsRejection.SignatureInvalid, Check(Nodes(10, new TreeNode(wrong))));
    }

    public void Dispose() => _group.Dispose();

    private TreeNode?[] Nodes() => [.. _group.Tree.ToWire().Nodes];

    private TreeNode?[] Nodes(int changed, TreeNode? node)
    {
        var nodes = Nodes();
        nodes[changed] = node;
        return nodes;
    }

    private static TreeNode Parent(byte[] encryptionKey, byte[] parentHash, uint[] unmergedLeaves) =>
        new(new ParentNode { EncryptionKey = encryptionKey, ParentHash = parentHash, UnmergedLeaves = unmergedLeaves });

    private static MlsRejection Check(IReadOnlyList<TreeNode?> nodes) =>
        PublicTree.TryCreate(s_suite, new RatchetTree { Nodes = nodes }, out var tree, out var rejection)
            ? tree.Validate(TreeGroup.GroupId)
            : rejection;

    /// <summary>A list that costs nothing.</summary>
    private sealed class Repeated(TreeNode? node, int count) : IReadOnlyList<TreeNode?>
    {
        public int Count => count;

        public TreeNode? this[int index] => node;

        public IEnumerator<TreeNode?> GetEnumerator() => Enumerable.Repeat(node, count).GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

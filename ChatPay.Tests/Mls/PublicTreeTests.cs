using System.Collections.Immutable;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>The tree that shares and caches against the array that does neither; a failure prints FsCheck's seed.</summary>
public sealed class PublicTreeTests
{
    private static readonly MlsCipherSuite s_suite = MlsCipherSuite.X25519ChaCha20Poly1305;
    private static readonly byte[] s_groupId = [1, 2, 3];

    [Fact]
    public void A_sequence_of_changes_gives_the_tree_of_the_standard() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll<byte[], int>(static (steps, seed) =>
        {
            using var group = new ComparedTrees(seed);
            foreach (var step in steps)
            {
                group.Step(step);
                group.AssertSame();
            }

            group.AssertFormerTreesUnchanged();
        }));

    [Fact]
    public void A_tree_of_one_has_its_leafs_hash()
    {
        using var group = new ComparedTrees(1);

        Assert.Equal(1u, group.Tree.Width);
        Assert.Equal(group.Tree.HashOf(0), group.Tree.TreeHash);
        group.AssertSame();
    }

    [Fact]
    public void The_last_member_can_be_removed_for_one_who_comes_back_from_outside()
    {
        using var group = new ComparedTrees(1);
        var leaf = group.Tree.Leaf(0)!;

        var empty = group.Tree.Remove(0);
        var again = empty.Add(leaf, out var index);

        Assert.Equal(0, empty.MemberCount);
        Assert.Equal(0u, index);
        Assert.Equal(group.Tree.TreeHash.Span, again.TreeHash.Span);
    }

    [Fact]
    public void Keys_may_change_hands_within_a_commit_and_are_unique_after_it()
    {
        using var one = TestTrees.NewSignatureKey(s_suite, TestTrees.Randomness(1));
        using var other = TestTrees.NewSignatureKey(s_suite, TestTrees.Randomness(2));
        var (first, _) = TestTrees.NewLeaf(s_suite, one, TestTrees.Randomness(3));
        var (second, _) = TestTrees.NewLeaf(s_suite, other, TestTrees.Randomness(4));
        var tree = PublicTree.Of(s_suite, first).Add(second, out _);

        var doubled = tree.Update(0, second);
        var swapped = doubled.Update(1, first);

        Assert.True(tree.KeysAreUnique);
        Assert.False(doubled.KeysAreUnique);
        Assert.False(doubled.HasSignatureKey(first.SignatureKey));
        Assert.True(swapped.KeysAreUnique);
        Assert.True(swapped.HasEncryptionKey(first.EncryptionKey));
    }

    [Fact]
    public void Misuse_throws()
    {
        using var group = new ComparedTrees(1);
        var leaf = group.Tree.Leaf(0)!;

        Assert.Throws<ArgumentException>(() => group.Tree.Remove(1));
        Assert.Throws<ArgumentException>(() => group.Tree.Update(7, leaf));
        Assert.Throws<ArgumentOutOfRangeException>(() => group.Tree.HashOf(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => group.Tree.FilteredPath(1));
        Assert.Null(group.Tree.Leaf(uint.MaxValue));
        Assert.Null(group.Tree.Parent(uint.MaxValue));
    }

    [Fact]
    public void A_change_costs_the_logarithm_of_the_group()
    {
        var leaf = Blank(0);
        var small = Wide(64);
        var wide = Wide(1024);

        // Sixteen times the members are four levels more; a copy of the tree would cost sixteen times as much.
        Assert.InRange(AllocatedBy(wide), 1, 2 * AllocatedBy(small));

        long AllocatedBy(PublicTree tree)
        {
            _ = tree.Update(5, leaf).TreeHash;
            var before = GC.GetAllocatedBytesForCurrentThread();
            _ = tree.Update(5, leaf).TreeHash;
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        static PublicTree Wide(int members)
        {
            var tree = PublicTree.Of(s_suite, Blank(1));
            for (var i = 2; i <= members; i++)
            {
                tree = tree.Add(Blank(i), out _);
            }

            _ = tree.TreeHash;
            return tree;
        }

        static LeafNode Blank(int number) => new()
        {
            EncryptionKey = BitConverter.GetBytes(number),
            SignatureKey = BitConverter.GetBytes(number),
            Credential = new BasicCredential { Identity = [] },
            Capabilities = TestMls.Capabilities(),
            Source = LeafNodeSource.Update,
            Extensions = [],
            Signature = [],
        };
    }

    /// <summary>The two trees, and members to make paths with.</summary>
    private sealed class ComparedTrees : IDisposable
    {
        private readonly Core.Cryptography.FillRandom _random;
        private readonly Dictionary<uint, Core.Cryptography.Key> _keys = [];
        private readonly NaiveTree _naive;
        private readonly List<(PublicTree Tree, byte[] Wire, byte[] Hash)> _former = [];

        public ComparedTrees(int seed)
        {
            _random = TestTrees.Randomness(seed);
            var leaf = NewLeaf(0);
            Tree = PublicTree.Of(s_suite, leaf);
            _naive = new NaiveTree(s_suite, leaf);
        }

        public PublicTree Tree { get; private set; }

        /// <summary>The low bits choose what is done, the others to whom.</summary>
        public void Step(byte step)
        {
            _former.Add((Tree, TlsCodec.Encode(_naive.ToWire()), _naive.Hash(_naive.NodeCount / 2)));
            var member = Tree.Members().ElementAt(step / 8 % Tree.MemberCount).Index;
            switch (step % 8)
            {
                case 0 when Tree.MemberCount > 1:
                    Tree = Tree.Remove(member);
                    _naive.Remove((int)member);
                    break;
                case 1:
                    var updated = NewLeaf(member);
                    Tree = Tree.Update(member, updated);
                    _naive.Update((int)member, updated);
                    break;
                case 2 or 3 or 4:
                    ApplyPath(member);
                    break;
                default:
                    Add();
                    break;
            }
        }

        public void AssertSame()
        {
            Assert.Equal((uint)_naive.Width, Tree.Width);
            Assert.Equal(_naive.Hash(_naive.NodeCount / 2), Tree.TreeHash);
            for (var node = 0; node < _naive.NodeCount; node++)
            {
                Assert.Same(_naive[node] as LeafNode, node % 2 == 0 ? Tree.Leaf((uint)node / 2) : null);
                Assert.Equal(Encoded(_naive[node] as ParentNode), Encoded(Tree.Parent((uint)node)));
                Assert.Equal(_naive.Hash(node), Tree.HashOf((uint)node));
                Assert.Equal(_naive.Resolution(node), Tree.Resolution((uint)node));
            }

            var wire = TlsCodec.Encode(Tree.ToWire());
            Assert.Equal(TlsCodec.Encode(_naive.ToWire()), wire);
            var read = TestTrees.Decode(s_suite, wire);
            Assert.Equal(Tree.TreeHash, read.TreeHash);
            Assert.Equal(Tree.Width, read.Width);
            Assert.Equal(MlsRejection.None, read.Validate(s_groupId));
            AssertKeys(read);
            AssertKeys(Tree);
        }

        public void AssertFormerTreesUnchanged() => Assert.All(_former, static former =>
        {
            Assert.Equal(former.Wire, TlsCodec.Encode(former.Tree.ToWire()));
            Assert.Equal(former.Hash, former.Tree.TreeHash);
        });

        public void Dispose()
        {
            foreach (var key in _keys.Values)
            {
                key.Dispose();
            }
        }

        private void AssertKeys(PublicTree tree)
        {
            Assert.True(tree.KeysAreUnique);
            Assert.All(Nodes(Tree), node => Assert.True(tree.HasEncryptionKey(KeyOf(node))));
            var present = Nodes(Tree).Select(static node => Convert.ToHexString(KeyOf(node))).ToImmutableHashSet();
            var gone = _former.SelectMany(static former => Nodes(former.Tree)).Select(KeyOf)
                .Where(key => !present.Contains(Convert.ToHexString(key)));
            Assert.DoesNotContain(gone, tree.HasEncryptionKey);
            Assert.All(Tree.Members(), member => Assert.True(tree.HasSignatureKey(member.Leaf.SignatureKey)));

            static IEnumerable<TreeNode> Nodes(PublicTree from) =>
                from.ToWire().Nodes.Where(static node => node is not null).Select(static node => node!);

            static byte[] KeyOf(TreeNode node) => node.Leaf?.EncryptionKey ?? node.Parent!.EncryptionKey;
        }

        private void Add()
        {
            var free = Enumerable.Range(0, (int)Tree.Width + 1).First(leaf => Tree.Leaf((uint)leaf) is null);
            var leaf = NewLeaf((uint)free, isNew: true);
            Tree = Tree.Add(leaf, out var index);
            Assert.Equal((uint)free, index);
            Assert.Equal(free, _naive.Add(leaf));
        }

        private void ApplyPath(uint sender)
        {
            using var builder = PathBuilder.Create(
                Tree, sender, Tree.Leaf(sender)!, _keys[sender], s_groupId, _random, out var own, out var commitSecret);
            own.Dispose();
            commitSecret.Dispose();
            var path = builder.Encrypt([], ImmutableHashSet<uint>.Empty, _random);

            Assert.True(Tree.TryApplyPath(sender, path, s_groupId, out var after, out var rejection), rejection.ToString());
            Assert.Equal(_naive.FilteredPathLength((int)sender), path.Nodes.Count);
            var parentHash = _naive.ApplyPath(
                (int)sender, path.LeafNode, [.. path.Nodes.Select(static node => node.EncryptionKey)]);
            Assert.Equal(parentHash, path.LeafNode.ParentHash);
            Assert.Equal(after.TreeHash, builder.Tree.TreeHash);
            Tree = after;
        }

        private LeafNode NewLeaf(uint leaf, bool isNew = false)
        {
            if (isNew || !_keys.TryGetValue(leaf, out var key))
            {
                _keys.Remove(leaf, out var former);
                former?.Dispose();
                _keys[leaf] = key = TestTrees.NewSignatureKey(s_suite, _random);
            }

            return TestTrees.NewLeaf(s_suite, key, _random, isNew ? null : (s_groupId, leaf)).Leaf;
        }

        private static byte[]? Encoded(ParentNode? parent) => parent is null ? null : TlsCodec.Encode(parent);
    }
}

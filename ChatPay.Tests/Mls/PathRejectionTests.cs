using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>Paths that somebody tampered with, or that a member made badly.</summary>
public sealed class PathRejectionTests : IDisposable
{
    private const uint Sender = 1;

    private static readonly MlsCipherSuite s_suite = MlsCipherSuite.X25519ChaCha20Poly1305;

    private readonly TreeGroup _group = new(s_suite, 6);
    private readonly SentPath _sent;
    private int _seed;

    /// <summary>Five members; member 1 has made a path that nobody has applied.</summary>
    public PathRejectionTests()
    {
        _group.Commit(0, [], [], 4);
        _sent = NewPath();
    }

    private LeafNode Leaf => _sent.Path.LeafNode;

    [Fact]
    public void An_untouched_path_is_accepted() => Assert.Equal(MlsRejection.None, Check(_sent.Path));

    [Fact]
    public void Every_flipped_bit_is_refused_by_everybody_or_by_whom_it_is_for()
    {
        var wire = TlsCodec.Encode(_sent.Path);
        for (var bit = 0; bit < wire.Length * 8; bit++)
        {
            var flipped = wire.AsSpan().ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            if (TlsCodec.TryDecode<UpdatePath>(flipped, out var path, out _))
            {
                Assert.True(Check(path) != MlsRejection.None, $"bit {bit}");
            }
        }
    }

    [Fact]
    public void A_path_of_another_length_is_refused()
    {
        Assert.Equal(MlsRejection.PathLengthWrong, Check(With([.. _sent.Path.Nodes.Skip(1)])));
        Assert.Equal(MlsRejection.PathLengthWrong, Check(With([])));
        Assert.Equal(MlsRejection.PathLengthWrong, Check(With([.. _sent.Path.Nodes, Node(NewKey(1000), [])])));
        Assert.Equal(
            MlsRejection.PathLengthWrong, Check(With([.. Enumerable.Repeat(_sent.Path.Nodes[0], 1000)])));
        Assert.False(_sent.TryOpenAs(_group.KeysOf(0), With([]), out var rejection));
        Assert.Equal(MlsRejection.PathLengthWrong, rejection);
    }

    [Fact]
    public void Every_node_needs_a_ciphertext_for_each_key_to_encrypt_to_and_no_more()
    {
        for (var i = 0; i < _sent.Path.Nodes.Count; i++)
        {
            var node = _sent.Path.Nodes[i];
            var spare = _sent.Path.Nodes[0].EncryptedPathSecret[0];

            Assert.Equal(MlsRejection.PathCiphertextsWrong, Check(With(i, Node(node.EncryptionKey, []))));
            Assert.Equal(
                MlsRejection.PathCiphertextsWrong,
                Check(With(i, Node(node.EncryptionKey, [.. node.EncryptedPathSecret, spare]))));
        }
    }

    [Fact]
    public void Keys_that_are_in_the_tree_are_refused()
    {
        var node = _sent.Path.Nodes[0];
        var known = _group.Tree.Leaf(4)!.EncryptionKey;
        var former = _group.Tree.Parent(1)!.EncryptionKey;

        foreach (var key in new[] { known, former, _sent.Path.Nodes[1].EncryptionKey, Leaf.EncryptionKey })
        {
            Assert.Equal(MlsRejection.EncryptionKeyDuplicate, Check(With(0, Node(key, node.EncryptedPathSecret))));
        }

        Assert.Equal(
            MlsRejection.EncryptionKeyDuplicate,
            Check(With(Resigned(_group.Tree.Leaf(Sender)!.EncryptionKey, Leaf.ParentHash!))));
        Assert.Equal(MlsRejection.EncryptionKeyDuplicate, Check(With(Resigned(known, Leaf.ParentHash!))));
    }

    [Fact]
    public void Keys_that_are_none_are_refused()
    {
        var node = _sent.Path.Nodes[0];

        Assert.Equal(MlsRejection.PublicKeyInvalid, Check(With(0, Node(new byte[32], node.EncryptedPathSecret))));
        Assert.Equal(MlsRejection.PublicKeyInvalid, Check(With(0, Node([], node.EncryptedPathSecret))));
        Assert.Equal(MlsRejection.PublicKeyInvalid, Check(With(Resigned(new byte[32], Leaf.ParentHash!))));
    }

    [Fact]
    public void A_signed_leaf_with_another_parent_hash_is_refused()
    {
        Assert.Equal(MlsRejection.None, Check(With(Resigned(Leaf.EncryptionKey, Leaf.ParentHash!))));
        Assert.Equal(MlsRejection.ParentHashInvalid, Check(With(Resigned(Leaf.EncryptionKey, new byte[32]))));
        Assert.Equal(MlsRejection.ParentHashInvalid, Check(With(Resigned(Leaf.EncryptionKey, []))));
    }

    [Fact]
    public void A_leaf_that_another_member_signed_or_that_no_commit_made_is_refused()
    {
        var (update, _) = TestTrees.NewLeaf(
            s_suite, _group.SignatureKeyOf(Sender), TestTrees.Randomness(8), (TreeGroup.GroupId, Sender));

        Assert.Equal(MlsRejection.LeafNodeSourceWrong, Check(With(update)));
        Assert.Equal(MlsRejection.SignatureKeyDuplicate, Check(With(Resigned(Leaf.EncryptionKey, Leaf.ParentHash!, signer: 2))));
        Assert.False(_group.Tree.TryApplyPath(Sender, _sent.Path, [9], out _, out var rejection));
        Assert.Equal(MlsRejection.SignatureInvalid, rejection);
        Assert.False(_group.Tree.TryApplyPath(7, _sent.Path, TreeGroup.GroupId, out _, out rejection));
        Assert.Equal(MlsRejection.LeafUnknown, rejection);
    }

    [Fact]
    public void A_joiner_from_outside_may_not_take_a_members_keys()
    {
        Assert.False(_group.Tree.TryApplyExternalPath(_sent.Path, TreeGroup.GroupId, out _, out _, out _, out var rejection));
        Assert.Equal(MlsRejection.SignatureKeyDuplicate, rejection);
    }

    [Fact]
    public void A_path_secret_encrypted_in_another_context_does_not_open()
    {
        var other = _sent with { Context = [1] };

        Assert.False(other.TryOpen(_group.KeysOf(0), out var next, out var commitSecret, out var rejection));

        Assert.Null(next);
        Assert.Null(commitSecret);
        Assert.Equal(MlsRejection.PathSecretInvalid, rejection);
    }

    [Fact]
    public void A_path_secret_that_gives_other_keys_is_refused()
    {
        // Member 4 learns the root's secret only, and would not notice another key below.
        var other = NewPath();
        var root = other.Path.Nodes[^1];
        var mixed = With(_sent.Path.Nodes.Count - 1, Node(root.EncryptionKey, _sent.Path.Nodes[^1].EncryptedPathSecret));

        Assert.False(_sent.TryOpenAs(_group.KeysOf(4), mixed, out var rejection));
        Assert.Equal(MlsRejection.PathKeyMismatch, rejection);
        Assert.False(_sent.TryOpenAs(_group.KeysOf(0), mixed, out rejection));
        Assert.Equal(MlsRejection.PathKeyMismatch, rejection);
    }

    [Fact]
    public void A_member_without_the_key_that_the_tree_says_it_has_is_told_so()
    {
        _group.Commit(Sender, [], [], 0);
        _group.Commit(0, [], [], 0);
        var last = NewPath(4);
        using var keys = PrivateTree.OfLeaf(2, new byte[32]);

        // Member 4 encrypts to node 3, where leaf 2 is merged.
        Assert.False(last.TryOpen(keys, out _, out _, out var rejection));
        Assert.Equal(MlsRejection.PrivateKeyMissing, rejection);
    }

    [Fact]
    public void A_welcome_must_bring_the_path_secret_that_the_tree_was_made_with()
    {
        var tree = _group.Tree;
        var own = TestTrees.KeysOf(_group.KeysOf(4))[0];

        Assert.False(PrivateTree.TryJoin(s_suite, tree, 4, own, 0, new byte[32], out _, out var rejection));
        Assert.Equal(MlsRejection.PathKeyMismatch, rejection);
        Assert.False(PrivateTree.TryJoin(s_suite, tree, 4, own, 0, new byte[31], out _, out rejection));
        Assert.Equal(MlsRejection.PathSecretInvalid, rejection);
        Assert.False(PrivateTree.TryJoin(s_suite, tree, 4, own, 4, new byte[32], out _, out rejection));
        Assert.Equal(MlsRejection.LeafUnknown, rejection);
        Assert.False(PrivateTree.TryJoin(s_suite, tree, 4, own, 6, new byte[32], out _, out rejection));
        Assert.Equal(MlsRejection.LeafUnknown, rejection);
        Assert.False(PrivateTree.TryJoin(tree, 4, own, out _, out rejection));
        Assert.Equal(MlsRejection.PrivateKeyMissing, rejection);
    }

    public void Dispose() => _group.Dispose();

    private SentPath NewPath(uint sender = Sender)
    {
        var random = TestTrees.Randomness(++_seed);
        using var builder = PathBuilder.Create(
            _group.Tree, sender, _group.Tree.Leaf(sender)!, _group.SignatureKeyOf(sender), TreeGroup.GroupId, random,
            out var own, out var commitSecret);
        own.Dispose();
        commitSecret.Dispose();
        var context = builder.Tree.TreeHash.ToArray();
        var nobody = new HashSet<uint>();
        return new SentPath(_group.Tree, sender, builder.Encrypt(context, nobody, random), context, nobody);
    }

    /// <summary>What the first of the others has against a path, after what everybody has.</summary>
    private MlsRejection Check(UpdatePath path)
    {
        if (!_group.Tree.TryApplyPath(Sender, path, TreeGroup.GroupId, out _, out var rejection))
        {
            return rejection;
        }

        return _group.Leaves.Where(static leaf => leaf != Sender)
            .Select(leaf => _sent.TryOpenAs(_group.KeysOf(leaf), path, out var why) ? MlsRejection.None : why)
            .FirstOrDefault(static why => why != MlsRejection.None);
    }

    private UpdatePath With(IReadOnlyList<UpdatePathNode> nodes) => new() { LeafNode = Leaf, Nodes = nodes };

    private UpdatePath With(int changed, UpdatePathNode node) =>
        With([.. _sent.Path.Nodes.Select((former, i) => i == changed ? node : former)]);

    private UpdatePath With(LeafNode leaf) => new() { LeafNode = leaf, Nodes = _sent.Path.Nodes };

    private static UpdatePathNode Node(byte[] key, IReadOnlyList<HpkeCiphertext> ciphertexts) =>
        new() { EncryptionKey = key, EncryptedPathSecret = ciphertexts };

    private static byte[] NewKey(int seed)
    {
        var seedBytes = new byte[32];
        TestTrees.Randomness(seed)(seedBytes);
        var (privateKey, publicKey) = s_suite.DeriveKeyPair(seedBytes);
        privateKey.Dispose();
        return publicKey;
    }

    /// <summary>The path's leaf with other contents, and a signature over them.</summary>
    private LeafNode Resigned(byte[] encryptionKey, byte[] parentHash, uint signer = Sender)
    {
        var unsigned = Build([]);
        return Build(LeafNodeValidation.Sign(unsigned, s_suite, _group.SignatureKeyOf(signer), TreeGroup.GroupId, Sender));

        LeafNode Build(byte[] signature) => new()
        {
            EncryptionKey = encryptionKey,
            SignatureKey = _group.Tree.Leaf(signer)!.SignatureKey,
            Credential = Leaf.Credential,
            Capabilities = Leaf.Capabilities,
            Source = LeafNodeSource.Commit,
            ParentHash = parentHash,
            Extensions = [],
            Signature = signature,
        };
    }
}

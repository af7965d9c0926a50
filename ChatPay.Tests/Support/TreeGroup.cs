using System.Collections.Immutable;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>
/// A group as far as trees go: each member has its own private keys and follows every commit. There is no key schedule; the
/// commit secret stands for it.
/// </summary>
internal sealed class TreeGroup : IDisposable
{
    public static readonly byte[] GroupId = [7, 7, 7];

    private readonly FillRandom _random;
    private readonly SortedDictionary<uint, Member> _members = [];

    public TreeGroup(MlsCipherSuite suite, int seed)
    {
        Suite = suite;
        _random = TestTrees.Randomness(seed);
        var (leaf, member) = NewMember(0);
        Tree = PublicTree.Of(suite, leaf);
        _members.Add(0, member);
    }

    public MlsCipherSuite Suite { get; }

    public PublicTree Tree { get; private set; }

    public IReadOnlyList<uint> Leaves => [.. _members.Keys];

    /// <summary>Those whom the last commit removed, with the keys that they had.</summary>
    public IReadOnlyList<PrivateTree> Removed { get; private set; } = [];

    /// <summary>The last commit with a path.</summary>
    public SentPath? Last { get; private set; }

    public PrivateTree KeysOf(uint leaf) => _members[leaf].Keys;

    public Key SignatureKeyOf(uint leaf) => _members[leaf].SignatureKey;

    /// <summary>A commit with a path: Updates and Removes of others, then Adds.</summary>
    public void Commit(uint sender, IReadOnlyList<uint> updates, IReadOnlyList<uint> removes, int adds)
    {
        var before = Tree;
        foreach (var leaf in updates)
        {
            var (node, privateKey) = TestTrees.NewLeaf(Suite, _members[leaf].SignatureKey, _random, (GroupId, leaf));
            before = before.Update(leaf, node);
            _members[leaf].Replace(_members[leaf].Keys.WithLeafKey(privateKey));
        }

        before = Remove(before, removes);
        before = Add(before, adds, out var joiners);
        using var builder = PathBuilder.Create(
            before, sender, before.Leaf(sender)!, _members[sender].SignatureKey, GroupId, _random,
            out var own, out var commitSecret);
        var newLeaves = joiners.Keys.ToImmutableHashSet();
        var context = builder.Tree.TreeHash.ToArray();
        var path = builder.Encrypt(context, newLeaves, _random);
        Assert.True(before.TryApplyPath(sender, path, GroupId, out var after, out var rejection), rejection.ToString());
        Follow(new SentPath(before, sender, path, context, newLeaves), after, own, commitSecret);
        foreach (var (leaf, joiner) in joiners)
        {
            Assert.True(
                PrivateTree.TryJoin(
                    Suite, after, leaf, joiner.LeafKey, sender, builder.PathSecretFor(leaf), out var keys, out rejection),
                rejection.ToString());
            joiner.Replace(keys);
            _members.Add(leaf, joiner);
        }
    }

    /// <summary>A commit without a path, which can only add.</summary>
    public void CommitAdds(int adds)
    {
        Tree = Add(Tree, adds, out var joiners);
        foreach (var (leaf, joiner) in joiners)
        {
            Assert.True(
                PrivateTree.TryJoin(Tree, leaf, joiner.LeafKey, out var keys, out var rejection), rejection.ToString());
            joiner.Replace(keys);
            _members.Add(leaf, joiner);
        }

        Removed = [];
        Last = null;
    }

    /// <summary>Somebody joins by an external commit, in the place of members that it removes.</summary>
    public void JoinExternally(IReadOnlyList<uint> removes)
    {
        var without = Remove(Tree, removes);
        var (leaf, joiner) = NewMember(null);
        using var builder = PathBuilder.Create(
            without.Add(leaf, out var sender), sender, leaf, joiner.SignatureKey, GroupId, _random,
            out var own, out var commitSecret);
        var context = builder.Tree.TreeHash.ToArray();
        var path = builder.Encrypt(context, ImmutableHashSet<uint>.Empty, _random);
        Assert.True(
            without.TryApplyExternalPath(path, GroupId, out var found, out var joined, out var after, out var rejection),
            rejection.ToString());
        Assert.Equal(sender, found);
        _members.Add(sender, joiner);
        Follow(new SentPath(joined, sender, path, context, ImmutableHashSet<uint>.Empty), after, own, commitSecret);
    }

    /// <summary>Every member has exactly the private keys that the tree says it has.</summary>
    public void AssertKeysFit()
    {
        Assert.Equal(Leaves, Tree.Members().Select(static member => member.Index));
        Assert.All(_members.Values, member => Assert.Empty(TestTrees.KeysThatDoNotFit(member.Keys, Tree)));
    }

    public void Dispose()
    {
        foreach (var member in _members.Values)
        {
            member.Dispose();
        }

        foreach (var keys in Removed)
        {
            keys.Dispose();
        }
    }

    /// <summary>All but the sender open its path, and all come to the same commit secret.</summary>
    private void Follow(SentPath sent, PublicTree after, PrivateTree own, Secret commitSecret)
    {
        using (commitSecret)
        {
            foreach (var member in _members.Where(pair => pair.Key != sent.Sender).Select(static pair => pair.Value))
            {
                Assert.True(sent.TryOpen(member.Keys, out var next, out var learned, out var rejection), rejection.ToString());
                Assert.Equal(commitSecret.Span, learned!.Span);
                learned.Dispose();
                member.Replace(next!);
            }
        }

        _members[sent.Sender].Replace(own);
        Tree = after;
        Last = sent;
    }

    private PublicTree Remove(PublicTree tree, IReadOnlyList<uint> removes)
    {
        var removed = new List<PrivateTree>();
        foreach (var leaf in removes)
        {
            tree = tree.Remove(leaf);
            _members.Remove(leaf, out var member);
            removed.Add(member!.Keys);
            member.SignatureKey.Dispose();
        }

        Removed = removed;
        return tree;
    }

    private PublicTree Add(PublicTree tree, int adds, out SortedDictionary<uint, Member> joiners)
    {
        joiners = [];
        for (var i = 0; i < adds; i++)
        {
            var (leaf, joiner) = NewMember(null);
            tree = tree.Add(leaf, out var index);
            joiners.Add(index, joiner);
        }

        return tree;
    }

    private (LeafNode Leaf, Member Member) NewMember(uint? firstLeaf)
    {
        var signatureKey = TestTrees.NewSignatureKey(Suite, _random);
        var (leaf, privateKey) = TestTrees.NewLeaf(
            Suite, signatureKey, _random, firstLeaf is { } place ? (GroupId, place) : null);
        return (leaf, new Member(signatureKey, PrivateTree.OfLeaf(firstLeaf ?? 0, privateKey)) { LeafKey = privateKey });
    }

    private sealed class Member(Key signatureKey, PrivateTree keys) : IDisposable
    {
        public Key SignatureKey => signatureKey;

        public PrivateTree Keys { get; private set; } = keys;

        /// <summary>The private key of the leaf that it came with.</summary>
        public required byte[] LeafKey { get; init; }

        public void Replace(PrivateTree next)
        {
            Keys.Dispose();
            Keys = next;
        }

        public void Dispose()
        {
            Keys.Dispose();
            SignatureKey.Dispose();
        }
    }
}

/// <summary>A path and what it is opened with.</summary>
/// <param name="Before">The tree with the proposals applied.</param>
internal sealed record SentPath(
    PublicTree Before, uint Sender, UpdatePath Path, byte[] Context, IReadOnlySet<uint> NewLeaves)
{
    public bool TryOpen(PrivateTree keys, out PrivateTree? next, out Secret? commitSecret, out MlsRejection rejection) =>
        keys.TryOpenPath(Before.Suite, Before, Sender, Path, Context, NewLeaves, out next, out commitSecret, out rejection);

    /// <summary>As if the path were another one; keeps nothing of what it opens.</summary>
    public bool TryOpenAs(PrivateTree keys, UpdatePath path, out MlsRejection rejection)
    {
        var isOpen = (this with { Path = path }).TryOpen(keys, out var next, out var commitSecret, out rejection);
        next?.Dispose();
        commitSecret?.Dispose();
        return isOpen;
    }
}

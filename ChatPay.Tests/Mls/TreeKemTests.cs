using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>Paths among members who follow each other; a failure prints FsCheck's seed.</summary>
public sealed class TreeKemTests
{
    [Fact]
    public void Every_member_comes_to_the_same_commit_secret_and_no_removed_one_does() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(40), Prop.ForAll<byte[], int>(static (steps, seed) =>
        {
            using var group = new TreeGroup(
                seed % 2 == 0 ? MlsCipherSuite.X25519Aes128Gcm : MlsCipherSuite.X25519ChaCha20Poly1305, seed);
            foreach (var step in steps)
            {
                Step(group, step);
                group.AssertKeysFit();
                AssertRemovedLearnNothing(group);
                Assert.Equal(MlsRejection.None, group.Tree.Validate(TreeGroup.GroupId));
            }
        }));

    [Fact]
    public void A_member_alone_commits_to_itself()
    {
        using var group = new TreeGroup(MlsCipherSuite.X25519Aes128Gcm, 1);
        var former = group.Tree.Leaf(0)!.EncryptionKey;

        group.Commit(0, [], [], 0);

        Assert.Empty(group.Last!.Path.Nodes);
        Assert.NotEqual(former, group.Tree.Leaf(0)!.EncryptionKey);
        group.AssertKeysFit();
    }

    [Fact]
    public void A_new_member_gets_no_ciphertext_of_the_commit_that_adds_it()
    {
        using var group = new TreeGroup(MlsCipherSuite.X25519Aes128Gcm, 1);

        group.Commit(0, [], [], 3);

        Assert.Equal([0, 0], group.Last!.Path.Nodes.Select(static node => node.EncryptedPathSecret.Count));
        group.AssertKeysFit();
    }

    [Fact]
    public void Keys_survive_being_written_and_read()
    {
        using var group = new TreeGroup(MlsCipherSuite.X25519Aes128Gcm, 1);
        group.Commit(0, [], [], 6);
        group.CommitAdds(1);
        foreach (var leaf in group.Leaves)
        {
            var writer = new TlsWriter();
            group.KeysOf(leaf).Write(writer);
            var reader = new TlsReader(writer.WrittenSpan);

            using var read = PrivateTree.Read(ref reader, group.Suite);

            reader.End();
            Assert.Equal(MlsRejection.None, reader.Rejection);
            Assert.NotNull(read);
            Assert.Equal(leaf, read.Leaf);
            Assert.Empty(TestTrees.KeysThatDoNotFit(read, group.Tree));
        }
    }

    [Fact]
    public void Disposed_keys_are_gone()
    {
        var keys = PrivateTree.OfLeaf(0, new byte[] { 1, 2, 3 });

        keys.Dispose();

        Assert.Throws<ObjectDisposedException>(() => keys.TryGet(0, out _));
    }

    [Fact]
    public void Misuse_throws()
    {
        using var group = new TreeGroup(MlsCipherSuite.X25519Aes128Gcm, 1);
        group.Commit(0, [], [], 2);
        group.Commit(0, [], [2], 0);
        var last = group.Last!;

        Assert.Throws<ArgumentException>(() => last.TryOpen(group.KeysOf(0), out _, out _, out _));
        Assert.Throws<ArgumentException>(() => last.TryOpen(Assert.Single(group.Removed), out _, out _, out _));
        Assert.Throws<ArgumentException>(
            () => (last with { NewLeaves = new HashSet<uint> { 1 } }).TryOpen(group.KeysOf(1), out _, out _, out _));
    }

    /// <summary>The low bits choose what is done, the others to whom.</summary>
    private static void Step(TreeGroup group, byte step)
    {
        var leaves = group.Leaves;
        var choice = step / 8;
        var sender = leaves[choice % leaves.Count];
        var other = leaves[(choice + 1) % leaves.Count];
        switch (step % 8)
        {
            case 0 when other != sender:
                group.Commit(sender, [], [other], 0);
                break;
            case 1 when other != sender:
                group.Commit(sender, [other], [], choice % 3);
                break;
            case 2 when leaves.Count > 3:
                var third = leaves[(choice + 2) % leaves.Count];
                group.Commit(sender, [third], [other], 1);
                break;
            case 3:
                group.JoinExternally(choice % 2 == 0 ? [other] : []);
                break;
            case 4:
                group.CommitAdds(1 + (choice % 3));
                break;
            case 5:
                group.Commit(sender, [], [], 1 + (choice % 4));
                break;
            default:
                group.Commit(sender, [], [], 0);
                break;
        }
    }

    /// <summary>None of the keys that a removed member had opens any ciphertext.</summary>
    private static void AssertRemovedLearnNothing(TreeGroup group)
    {
        if (group.Last is not { } last)
        {
            return;
        }

        foreach (var key in group.Removed.SelectMany(TestTrees.KeysOf))
        {
            var publicKey = group.Suite.PublicKeyOf(key);
            Assert.False(group.Tree.HasEncryptionKey(publicKey));
            foreach (var ciphertext in last.Path.Nodes.SelectMany(static node => node.EncryptedPathSecret))
            {
                Assert.False(group.Suite.TryDecryptWithLabel(
                    key, publicKey, PathSecrets.EncryptionLabel, last.Context, ciphertext, out _));
            }
        }
    }
}

using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>What a member learns of a path that another one sent, RFC 9420 sections 7.5 and 12.4.3.1.</summary>
internal sealed partial class PrivateTree
{
    /// <summary>The keys of somebody whom a commit with a path added: the path secret came in the Welcome.</summary>
    /// <param name="tree">As the commit left it.</param>
    /// <param name="rejection">Why not; <see cref="MlsRejection.None"/> on success.</param>
    public static bool TryJoin(
        MlsCipherSuite suite, PublicTree tree, uint leaf, ReadOnlySpan<byte> leafPrivateKey, uint committer,
        ReadOnlySpan<byte> pathSecret, [NotNullWhen(true)] out PrivateTree? joined, out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(suite);
        ArgumentNullException.ThrowIfNull(tree);
        joined = null;
        if (committer == leaf || tree.Leaf(committer) is null)
        {
            rejection = MlsRejection.LeafUnknown;
            return false;
        }

        // All parents above the two leaves that are not blank are those that the path set; the lowest is never blank.
        var keys = OfLeaf(tree, leaf, leafPrivateKey);
        var learned = new List<(int Level, byte[] PublicKey)>();
        for (var level = TreeMath.CommonLevel(leaf, committer); level <= keys.Height; level++)
        {
            if (tree.Parent(TreeMath.Ancestor(leaf, level)) is { } parent)
            {
                learned.Add((level, parent.EncryptionKey));
            }
        }

        rejection = keys.Learn(suite, learned, pathSecret, out var commitSecret);
        commitSecret?.Dispose();
        return Complete(keys, tree, out joined, ref rejection);
    }

    /// <summary>The keys of somebody whom a commit without a path added.</summary>
    /// <param name="tree">As the commit left it.</param>
    /// <param name="rejection">Why not; <see cref="MlsRejection.None"/> on success.</param>
    public static bool TryJoin(
        PublicTree tree, uint leaf, ReadOnlySpan<byte> leafPrivateKey,
        [NotNullWhen(true)] out PrivateTree? joined, out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(tree);
        rejection = MlsRejection.None;
        return Complete(OfLeaf(tree, leaf, leafPrivateKey), tree, out joined, ref rejection);
    }

    /// <summary>
    /// Opens a member's path: checks that its shape is the tree's, decrypts the path secret that is for this member, and
    /// derives the keys above from it, which must be those that the path names.
    /// </summary>
    /// <param name="before">The tree with the commit's proposals applied, and an external joiner's leaf in its place.</param>
    /// <param name="provisionalGroupContext">Encoded; of the new epoch, with the old confirmed transcript hash.</param>
    /// <param name="newLeaves">Leaf indices of whom the commit's Add proposals added.</param>
    /// <param name="next">This member's keys after the commit; this one stays as it is.</param>
    /// <param name="rejection">Why not; <see cref="MlsRejection.None"/> on success.</param>
    /// <exception cref="ArgumentException">This member sent the path, is new, or is not in the tree.</exception>
    public bool TryOpenPath(
        MlsCipherSuite suite, PublicTree before, uint sender, UpdatePath path,
        ReadOnlySpan<byte> provisionalGroupContext, IReadOnlySet<uint> newLeaves,
        [NotNullWhen(true)] out PrivateTree? next, [NotNullWhen(true)] out Secret? commitSecret,
        out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(suite);
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(newLeaves);
        if (sender == Leaf || newLeaves.Contains(Leaf) || before.Leaf(Leaf) is null)
        {
            throw new ArgumentException(
                "A path is opened by a member who was there, stays, and did not send it.", nameof(before));
        }

        next = null;
        commitSecret = null;
        var steps = before.FilteredPath(sender);
        rejection = CheckShape(steps, path, newLeaves);
        if (rejection != MlsRejection.None)
        {
            return false;
        }

        var first = steps.TakeWhile(step => !step.Copath.Covers(Leaf)).Count();
        var recipients = PathSecrets.Recipients(steps[first], newLeaves);
        var own = recipients.FindIndex(node => node.Covers(Leaf) && Has(node.Level));
        if (own < 0)
        {
            rejection = MlsRejection.PrivateKeyMissing;
            return false;
        }

        if (!suite.TryDecryptWithLabel(
            Slot(recipients[own].Level), recipients[own].EncryptionKey, PathSecrets.EncryptionLabel,
            provisionalGroupContext, path.Nodes[first].EncryptedPathSecret[own], out var pathSecret))
        {
            rejection = MlsRejection.PathSecretInvalid;
            return false;
        }

        using (pathSecret)
        {
            var keys = After(before, steps[first].Node.Level);
            rejection = keys.Learn(
                suite, [.. steps.Zip(path.Nodes, static (step, node) => (step.Node.Level, node.EncryptionKey)).Skip(first)],
                pathSecret.Span, out commitSecret);
            next = rejection == MlsRejection.None ? keys : null;
            if (next is null)
            {
                keys.Dispose();
            }

            return next is not null;
        }
    }

    /// <summary>The keys of a member after a commit without a path: copies of those of parents that are not blank.</summary>
    /// <param name="tree">As the commit left it.</param>
    public PrivateTree Pruned(PublicTree tree) => After(tree, TreeMath.Level(TreeMath.Root(tree.Width)) + 1);

    /// <summary>Section 7.6: a node for each step, and a ciphertext in it for each key to encrypt to.</summary>
    private static MlsRejection CheckShape(
        IReadOnlyList<PathStep> steps, UpdatePath path, IReadOnlySet<uint> newLeaves)
    {
        if (steps.Count != path.Nodes.Count)
        {
            return MlsRejection.PathLengthWrong;
        }

        return steps.Zip(path.Nodes).All(pair =>
            PathSecrets.Recipients(pair.First, newLeaves).Count == pair.Second.EncryptedPathSecret.Count)
            ? MlsRejection.None
            : MlsRejection.PathCiphertextsWrong;
    }

    /// <summary>Gives the keys away, if nothing is wrong and they are all that the tree says the member has.</summary>
    private static bool Complete(
        PrivateTree keys, PublicTree tree, [NotNullWhen(true)] out PrivateTree? joined, ref MlsRejection rejection)
    {
        for (var level = 1; level <= keys.Height && rejection == MlsRejection.None; level++)
        {
            if (!keys.Has(level)
                && tree.Parent(TreeMath.Ancestor(keys.Leaf, level)) is { } parent
                && !parent.UnmergedLeaves.AsSpan().Contains(keys.Leaf))
            {
                rejection = MlsRejection.PrivateKeyMissing;
            }
        }

        joined = rejection == MlsRejection.None ? keys : null;
        if (joined is null)
        {
            keys.Dispose();
        }

        return joined is not null;
    }

    /// <summary>Copies of what a path leaves in force: keys below the first level that it sets, of parents not blank.</summary>
    private PrivateTree After(PublicTree before, int firstLevel)
    {
        var keys = OfLeaf(before, Leaf, Slot(0));
        for (var level = 1; level < firstLevel; level++)
        {
            if (Has(level) && before.Parent(TreeMath.Ancestor(Leaf, level)) is not null)
            {
                keys.Set(level, Slot(level));
            }
        }

        return keys;
    }

    /// <summary>
    /// Derives keys from the path secret of the first parent upwards; each public key must be the expected one.
    /// </summary>
    /// <param name="parents">At least one, from the leaf up.</param>
    /// <param name="commitSecret">What comes after the last path secret; null where something is wrong.</param>
    private MlsRejection Learn(
        MlsCipherSuite suite, List<(int Level, byte[] PublicKey)> parents, ReadOnlySpan<byte> firstPathSecret,
        out Secret? commitSecret)
    {
        commitSecret = null;
        if (firstPathSecret.Length != suite.HashSize)
        {
            return MlsRejection.PathSecretInvalid;
        }

        var pathSecret = Secret.Copy(firstPathSecret);
        foreach (var (level, expected) in parents)
        {
            var (privateKey, publicKey) = PathSecrets.NodeKey(suite, pathSecret.Span);
            using (privateKey)
            {
                if (!publicKey.AsSpan().SequenceEqual(expected))
                {
                    pathSecret.Dispose();
                    return MlsRejection.PathKeyMismatch;
                }

                Set(level, privateKey.Span);
            }

            var next = PathSecrets.Next(suite, pathSecret.Span);
            pathSecret.Dispose();
            pathSecret = next;
        }

        commitSecret = pathSecret;
        return MlsRejection.None;
    }
}

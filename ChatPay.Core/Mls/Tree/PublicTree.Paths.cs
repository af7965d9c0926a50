using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;

/// <summary>A commit's path on the tree, RFC 9420 sections 7.5, 7.9 and 12.4.2.</summary>
internal sealed partial class PublicTree
{
    /// <summary>The sender's filtered direct path, section 4.1.2, from the leaf up.</summary>
    /// <param name="sender">Leaf index, within the tree.</param>
    public IReadOnlyList<PathStep> FilteredPath(uint sender)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sender, Width);
        var steps = new List<PathStep>(_root.Level);
        for (var node = _root; node.Left is not null; node = node.Toward(sender))
        {
            var copath = node.AwayFrom(sender);
            if (!copath.IsBlank)
            {
                steps.Add(new PathStep(node, copath));
            }
        }

        steps.Reverse();
        return steps;
    }

    /// <summary>
    /// Applies a member's path to the tree, to which the commit's proposals are applied already. Checks the leaf node with
    /// its signature, that all keys are new, and the leaf's parent hash; not the ciphertexts, which
    /// <see cref="PrivateTree.TryOpenPath"/> checks, nor the credential.
    /// </summary>
    /// <param name="rejection">Why not; <see cref="MlsRejection.None"/> on success.</param>
    public bool TryApplyPath(
        uint sender, UpdatePath path, ReadOnlySpan<byte> groupId,
        [NotNullWhen(true)] out PublicTree? tree, out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(path);
        tree = null;
        if (Leaf(sender) is not { } current)
        {
            rejection = MlsRejection.LeafUnknown;
            return false;
        }

        rejection = CheckKeys(path, current);
        return rejection == MlsRejection.None && TryMerge(sender, path, groupId, out tree, out rejection);
    }

    /// <summary>
    /// As <see cref="TryApplyPath"/> for an external commit, section 12.4.3.2: the joiner takes the leftmost blank leaf.
    /// </summary>
    /// <param name="sender">The joiner's leaf index.</param>
    /// <param name="joined">The tree with the joiner's leaf and without the path, which the path secrets are opened by.</param>
    public bool TryApplyExternalPath(
        UpdatePath path, ReadOnlySpan<byte> groupId, out uint sender, [NotNullWhen(true)] out PublicTree? joined,
        [NotNullWhen(true)] out PublicTree? tree, out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(path);
        sender = 0;
        joined = null;
        tree = null;
        rejection = IsFull ? MlsRejection.TreeFull : CheckKeys(path, current: null);
        if (rejection != MlsRejection.None)
        {
            return false;
        }

        var withJoiner = Add(path.LeafNode, out sender);
        if (!withJoiner.TryMerge(sender, path, groupId, out tree, out rejection))
        {
            return false;
        }

        joined = withJoiner;
        return true;
    }

    /// <summary>
    /// The parents that a path sets, by level, and the parent hash for its leaf. They are computed from the root down, so
    /// that each hash covers all that the path sets above it.
    /// </summary>
    /// <param name="keys">One for each step, from the leaf up.</param>
    public (ParentNode?[] Parents, byte[] LeafParentHash) PlanPath(
        IReadOnlyList<PathStep> steps, IReadOnlyList<byte[]> keys)
    {
        var scratch = new TlsWriter();
        var parents = new ParentNode?[_root.Level + 1];
        byte[] parentHash = [];
        for (var i = steps.Count - 1; i >= 0; i--)
        {
            var parent = new ParentNode { EncryptionKey = keys[i], ParentHash = parentHash, UnmergedLeaves = [] };
            parents[steps[i].Node.Level] = parent;
            parentHash = TreeHashes.ParentHash(Suite, scratch, parent, steps[i].Copath.Hash(Suite, scratch));
        }

        return (parents, parentHash);
    }

    /// <summary>This with what <see cref="PlanPath"/> made, and all other parents above the leaf blank.</summary>
    public PublicTree WithPath(uint sender, LeafNode leaf, ParentNode?[] parents) => Replace(sender, leaf, parents);

    private bool TryMerge(
        uint sender, UpdatePath path, ReadOnlySpan<byte> groupId,
        [NotNullWhen(true)] out PublicTree? tree, out MlsRejection rejection)
    {
        tree = null;
        var steps = FilteredPath(sender);
        if (steps.Count != path.Nodes.Count)
        {
            rejection = MlsRejection.PathLengthWrong;
            return false;
        }

        var (parents, parentHash) = PlanPath(steps, [.. path.Nodes.Select(static node => node.EncryptionKey)]);
        if (!parentHash.AsSpan().SequenceEqual(path.LeafNode.ParentHash))
        {
            rejection = MlsRejection.ParentHashInvalid;
            return false;
        }

        rejection = LeafNodeValidation.Check(path.LeafNode, Suite, groupId, sender);
        tree = rejection == MlsRejection.None ? WithPath(sender, path.LeafNode, parents) : null;
        return tree is not null;
    }

    /// <summary>Section 12.4.2: the path's keys are keys, and neither in the tree nor twice in the path.</summary>
    /// <param name="current">The sender's leaf, whose signature key may stay; null for a joiner.</param>
    private MlsRejection CheckKeys(UpdatePath path, LeafNode? current)
    {
        if (path.LeafNode.Source != LeafNodeSource.Commit)
        {
            return MlsRejection.LeafNodeSourceWrong;
        }

        // Before the keys are compared with each other: a path is never longer than the tree is high.
        if (path.Nodes.Count > _root.Level + 1)
        {
            return MlsRejection.PathLengthWrong;
        }

        if (HasSignatureKey(path.LeafNode.SignatureKey)
            && !path.LeafNode.SignatureKey.AsSpan().SequenceEqual(current?.SignatureKey))
        {
            return MlsRejection.SignatureKeyDuplicate;
        }

        var seen = TreeKeys.None;
        foreach (var key in path.Nodes.Select(static node => node.EncryptionKey).Prepend(path.LeafNode.EncryptionKey))
        {
            if (!Suite.IsEncryptionKey(key))
            {
                return MlsRejection.PublicKeyInvalid;
            }

            if (HasEncryptionKey(key) || seen.Contains(key))
            {
                return MlsRejection.EncryptionKeyDuplicate;
            }

            seen = seen.Change([], [key]);
        }

        return MlsRejection.None;
    }
}

/// <summary>A parent on a filtered direct path.</summary>
/// <param name="Copath">Its child that is not on the path, whose members learn the parent's path secret.</param>
internal readonly record struct PathStep(Subtree Node, Subtree Copath);

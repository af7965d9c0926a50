namespace ChatPay.Core.Mls;

/// <summary>What somebody who joins checks of the tree, RFC 9420 section 12.4.3.1.</summary>
internal sealed partial class PublicTree
{
    /// <summary>
    /// Checks that keys are keys and unique, that unmerged leaves are unmerged in every parent in between, that every
    /// parent is chained to one leaf by parent hashes, and every leaf node with its signature. Not credentials, lifetimes
    /// and what the group's extensions demand, which are the application's and the group's.
    /// </summary>
    public MlsRejection Validate(ReadOnlySpan<byte> groupId)
    {
        if (CheckUniqueness() is var repeat and not MlsRejection.None)
        {
            return repeat;
        }

        var scratch = new TlsWriter();
        foreach (var node in _root.Occupied())
        {
            if (node.Parent is { } parent)
            {
                var rejection = CheckParent(node, parent, scratch);
                if (rejection != MlsRejection.None)
                {
                    return rejection;
                }
            }
        }

        foreach (var (index, leaf) in Members())
        {
            var rejection = LeafNodeValidation.Check(leaf, Suite, groupId, index);
            if (rejection != MlsRejection.None)
            {
                return rejection;
            }
        }

        return MlsRejection.None;
    }

    /// <summary>Whether no encryption key and no signature key stands in two places, sections 7.3 and 16.6.</summary>
    public MlsRejection CheckUniqueness() => !_encryptionKeys.AreUnique ? MlsRejection.EncryptionKeyDuplicate
        : !_signatureKeys.AreUnique ? MlsRejection.SignatureKeyDuplicate
        : MlsRejection.None;

    private MlsRejection CheckParent(Subtree node, ParentNode parent, TlsWriter scratch)
    {
        if (!Suite.IsEncryptionKey(parent.EncryptionKey))
        {
            return MlsRejection.PublicKeyInvalid;
        }

        var left = new List<Subtree>();
        var right = new List<Subtree>();
        NearestOccupied(node.Left!, left);
        NearestOccupied(node.Right!, right);
        foreach (var below in left.Concat(right))
        {
            // A parent in between asks the same of the parents below it, so the nearest ones are enough.
            if (below.Parent is { } inner && !SortedLeaves.AreAllIn(below.Within(parent.UnmergedLeaves), inner.UnmergedLeaves))
            {
                return MlsRejection.UnmergedLeavesInvalid;
            }
        }

        var chainedLeft = IsChained(parent, node.Left!, left, node.Right!, scratch);
        var chainedRight = IsChained(parent, node.Right!, right, node.Left!, scratch);
        return chainedLeft != chainedRight ? MlsRejection.None : MlsRejection.ParentHashInvalid;
    }

    /// <summary>
    /// Whether the parent hash of a node below one child of the parent is valid with respect to the parent, section 7.9.2:
    /// the node and leaves that are unmerged in the parent are all of the child's resolution, and the hash is right.
    /// </summary>
    /// <param name="nearest">The child's resolution without unmerged leaves.</param>
    private bool IsChained(
        ParentNode parent, Subtree child, List<Subtree> nearest, Subtree sibling, TlsWriter scratch)
    {
        var unmerged = child.Within(parent.UnmergedLeaves);
        Subtree? updated = null;
        foreach (var node in nearest)
        {
            if (node.Leaf is not null && !unmerged.IsEmpty && unmerged[0] == node.FirstLeaf)
            {
                unmerged = unmerged[1..];
            }
            else if (updated is not null)
            {
                return false;
            }
            else
            {
                updated = node;

                // Its unmerged leaves belong to the resolution too, and all must be the parent's. What the parent has
                // below this node is among them, as the caller has checked.
                var own = node.Parent?.UnmergedLeaves ?? [];
                if (!own.AsSpan().SequenceEqual(node.Within(unmerged)))
                {
                    return false;
                }

                unmerged = unmerged[own.Length..];
            }
        }

        var parentHash = updated?.Leaf?.ParentHash ?? updated?.Parent?.ParentHash;
        return parentHash is not null && unmerged.IsEmpty
            && TreeHashes.ParentHash(
                Suite, scratch, parent, sibling.HashWithout(parent.UnmergedLeaves, Suite, scratch))
                .AsSpan().SequenceEqual(parentHash);
    }

    /// <summary>The uppermost nodes in a subtree that are not blank, from left to right.</summary>
    private static void NearestOccupied(Subtree node, List<Subtree> nearest)
    {
        if (node.EncryptionKey is not null)
        {
            nearest.Add(node);
        }
        else if (!node.IsBlank)
        {
            NearestOccupied(node.Left!, nearest);
            NearestOccupied(node.Right!, nearest);
        }
    }
}

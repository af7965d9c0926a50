using System.Numerics;

namespace ChatPay.Core.Transparency;

/// <summary>Roots of ranges of a tree's entries, from stored hashes of perfect trees.</summary>
internal static class MerkleRange
{
    /// <summary>The largest power of two below a number of entries, 2 or more: where RFC 9162 splits them.</summary>
    public static long SplitOf(long count) => 1L << BitOperations.Log2((ulong)(count - 1));

    /// <summary>The root over the entries from start to before end, or null where a hash is not there.</summary>
    public static byte[]? Root(long start, long end, ReadHash read)
    {
        // Perfect trees from the left, each the largest that fits, and put together from the right.
        var parts = new List<byte[]>();
        for (var at = start; at < end;)
        {
            var level = BitOperations.Log2((ulong)(end - at));
            var hash = new byte[MerkleHash.SizeBytes];
            if (!read(level, at >> level, hash))
            {
                return null;
            }

            parts.Add(hash);
            at += 1L << level;
        }

        if (parts.Count == 0)
        {
            return MerkleHash.Empty();
        }

        var root = parts[^1];
        for (var i = parts.Count - 2; i >= 0; i--)
        {
            MerkleHash.Node(parts[i], root, root);
        }

        return root;
    }

    /// <summary>Whether a proof and two more hashes have their lengths.</summary>
    public static LogRejection CheckHashes(
        IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        proof.Count > LogLimits.ProofHashes ? LogRejection.ProofLengthWrong
        : one.Length != MerkleHash.SizeBytes || other.Length != MerkleHash.SizeBytes
            || proof.Any(hash => hash is not { Length: MerkleHash.SizeBytes }) ? LogRejection.HashLengthWrong
        : LogRejection.None;
}

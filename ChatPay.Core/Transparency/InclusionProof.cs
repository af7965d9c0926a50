using System.Security.Cryptography;

namespace ChatPay.Core.Transparency;

/// <summary>
/// Shows that an entry is at its place in a tree of which one knows the root: the hashes beside the way up to it.
/// RFC 9162, sections 2.1.3.1 and 2.1.3.2.
/// </summary>
public static class InclusionProof
{
    /// <summary>The proof, from the entry's side up.</summary>
    /// <returns>Null where a hash of the tree is not there.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The index is not below the size, or negative.</exception>
    public static IReadOnlyList<byte[]>? Generate(long index, long size, ReadHash read)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        ArgumentNullException.ThrowIfNull(read);
        var proof = new List<byte[]>();
        var (start, end) = (0L, size);
        while (end - start > 1)
        {
            var middle = start + MerkleRange.SplitOf(end - start);
            var isLeft = index < middle;
            if (MerkleRange.Root(isLeft ? middle : start, isLeft ? end : middle, read) is not { } beside)
            {
                return null;
            }

            proof.Add(beside);
            (start, end) = isLeft ? (start, middle) : (middle, end);
        }

        proof.Reverse();
        return proof;
    }

    /// <summary>
    /// Whether the proof leads from the entry's hash at the index to the root of a tree of that size.
    /// </summary>
    /// <param name="leafHash">32 bytes.</param>
    /// <param name="proof">At most <see cref="LogLimits.ProofHashes"/> hashes are looked at.</param>
    /// <param name="root">32 bytes.</param>
    public static LogRejection Verify(
        long index, long size, ReadOnlySpan<byte> leafHash, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> root)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (index < 0 || index >= size)
        {
            return LogRejection.IndexOutOfRange;
        }

        if (MerkleRange.CheckHashes(proof, leafHash, root) is var rejection and not LogRejection.None)
        {
            return rejection;
        }

        Span<byte> hash = stackalloc byte[MerkleHash.SizeBytes];
        leafHash.CopyTo(hash);
        var (place, last) = (index, size - 1);
        foreach (var beside in proof)
        {
            if (last == 0)
            {
                return LogRejection.ProofLengthWrong;
            }

            if ((place & 1) == 1 || place == last)
            {
                MerkleHash.Node(beside, hash, hash);
                while ((place & 1) == 0 && place != 0)
                {
                    (place, last) = (place >> 1, last >> 1);
                }
            }
            else
            {
                MerkleHash.Node(hash, beside, hash);
            }

            (place, last) = (place >> 1, last >> 1);
        }

        return last != 0 ? LogRejection.ProofLengthWrong
            : CryptographicOperations.FixedTimeEquals(hash, root) ? LogRejection.None
            : LogRejection.RootMismatch;
    }
}

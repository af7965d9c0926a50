using System.Security.Cryptography;

namespace ChatPay.Core.Transparency;

/// <summary>
/// Shows that a tree only grew: that its first entries are exactly those of an earlier one. RFC 9162, sections 2.1.4.1
/// and 2.1.4.2. From the empty tree to any other there is nothing to prove, and such a proof is refused.
/// </summary>
public static class ConsistencyProof
{
    /// <summary>
    /// The proof between two sizes of one tree; none is needed, and it is empty, where they are the same.
    /// </summary>
    /// <returns>Null where a hash of the tree is not there.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The first size is not 1 or more, or above the second.</exception>
    public static IReadOnlyList<byte[]>? Generate(long firstSize, long secondSize, ReadHash read)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(firstSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstSize, secondSize);
        ArgumentNullException.ThrowIfNull(read);
        var proof = new List<byte[]>();
        var (start, end) = (0L, secondSize);
        while (firstSize != end)
        {
            var middle = start + MerkleRange.SplitOf(end - start);
            var isLeft = firstSize <= middle;
            if (MerkleRange.Root(isLeft ? middle : start, isLeft ? end : middle, read) is not { } beside)
            {
                return null;
            }

            proof.Add(beside);
            (start, end) = isLeft ? (start, middle) : (middle, end);
        }

        // Where the first tree is itself a part of the second, its root is known and need not be sent.
        if (start != 0)
        {
            if (MerkleRange.Root(start, end, read) is not { } own)
            {
                return null;
            }

            proof.Add(own);
        }

        proof.Reverse();
        return proof;
    }

    /// <summary>Whether the proof leads to both roots.</summary>
    /// <param name="firstRoot">32 bytes.</param>
    /// <param name="secondRoot">32 bytes.</param>
    /// <param name="proof">At most <see cref="LogLimits.ProofHashes"/> hashes are looked at.</param>
    public static LogRejection Verify(
        long firstSize, long secondSize, ReadOnlySpan<byte> firstRoot, ReadOnlySpan<byte> secondRoot,
        IReadOnlyList<byte[]> proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (firstSize < 1 || firstSize > secondSize)
        {
            return LogRejection.SizesInvalid;
        }

        if (MerkleRange.CheckHashes(proof, firstRoot, secondRoot) is var rejection and not LogRejection.None)
        {
            return rejection;
        }

        if (firstSize == secondSize)
        {
            return proof.Count != 0 ? LogRejection.ProofLengthWrong
                : CryptographicOperations.FixedTimeEquals(firstRoot, secondRoot) ? LogRejection.None
                : LogRejection.RootMismatch;
        }

        return Climb(firstSize, secondSize, firstRoot, secondRoot, proof);
    }

    private static LogRejection Climb(
        long firstSize, long secondSize, ReadOnlySpan<byte> firstRoot, ReadOnlySpan<byte> secondRoot,
        IReadOnlyList<byte[]> proof)
    {
        var (place, last) = (firstSize - 1, secondSize - 1);
        while ((place & 1) == 1)
        {
            (place, last) = (place >> 1, last >> 1);
        }

        // A first tree of 2^n entries is where the way begins; every other's beginning is the proof's first hash.
        var isPerfect = long.IsPow2(firstSize);
        if (!isPerfect && proof.Count == 0)
        {
            return LogRejection.ProofLengthWrong;
        }

        Span<byte> first = stackalloc byte[MerkleHash.SizeBytes];
        Span<byte> second = stackalloc byte[MerkleHash.SizeBytes];
        (isPerfect ? firstRoot : proof[0]).CopyTo(first);
        first.CopyTo(second);
        for (var i = isPerfect ? 0 : 1; i < proof.Count; i++)
        {
            if (last == 0)
            {
                return LogRejection.ProofLengthWrong;
            }

            if ((place & 1) == 1 || place == last)
            {
                MerkleHash.Node(proof[i], first, first);
                MerkleHash.Node(proof[i], second, second);
                while ((place & 1) == 0 && place != 0)
                {
                    (place, last) = (place >> 1, last >> 1);
                }
            }
            else
            {
                MerkleHash.Node(second, proof[i], second);
            }

            (place, last) = (place >> 1, last >> 1);
        }

        return last != 0 ? LogRejection.ProofLengthWrong
            : CryptographicOperations.FixedTimeEquals(first, firstRoot)
                && CryptographicOperations.FixedTimeEquals(second, secondRoot) ? LogRejection.None
            : LogRejection.RootMismatch;
    }
}

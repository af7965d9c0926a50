using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Transparency;

/// <summary>The laws of the tree, for every size up to 130: what is true is proved, and nothing else is.</summary>
public sealed class MerkleTreeTests
{
    private const int Largest = 130;

    private static readonly TestLog s_log = new(Largest);

    /// <summary>RFC 6962's own examples, as its first implementation has them.</summary>
    [Fact]
    public void Roots_are_those_of_the_known_tree()
    {
        string[] entries =
        [
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
        ];
        var frontier = new MerkleFrontier();
        Assert.Equal(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Convert.ToHexStringLower(frontier.Root()));
        foreach (var entry in entries)
        {
            frontier.Append(MerkleHash.Leaf(Convert.FromHexString(entry)));
        }

        Assert.Equal(
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328", Convert.ToHexStringLower(frontier.Root()));
    }

    [Fact]
    public void The_frontier_has_the_root_of_the_definition_at_every_size()
    {
        for (var size = 0; size <= Largest; size++)
        {
            Assert.Equal(TestLog.RootOf(s_log.Leaves.ToArray().AsSpan(0, size)), s_log.Roots[size]);
            var loaded = MerkleFrontier.Load(size, s_log.Read);
            Assert.Equal(s_log.Roots[size], loaded.Root());
            if (size < Largest)
            {
                loaded.Append(s_log.Leaves[size]);
                Assert.Equal(s_log.Roots[size + 1], loaded.Root());
            }
        }
    }

    [Fact]
    public void Every_inclusion_proof_verifies_and_nothing_altered_does()
    {
        for (var size = 1; size <= Largest; size++)
        {
            for (var index = 0; index < size; index++)
            {
                var (leaf, root) = (s_log.Leaves[index], s_log.Roots[size]);
                var proof = InclusionProof.Generate(index, size, s_log.Read)!;
                Assert.Equal(LogRejection.None, InclusionProof.Verify(index, size, leaf, proof, root));
                foreach (var altered in Altered(proof))
                {
                    Assert.NotEqual(LogRejection.None, InclusionProof.Verify(index, size, leaf, altered, root));
                }

                AssertRefused(InclusionProof.Verify(index, size, Flipped(leaf), proof, root));
                AssertRefused(InclusionProof.Verify(index, size, leaf, proof, Flipped(root)));
                AssertRefused(InclusionProof.Verify(index + 1, size, leaf, proof, root));
                AssertRefused(InclusionProof.Verify(index - 1, size, leaf, proof, root));
                AssertRefused(InclusionProof.Verify(index, size, leaf, proof, s_log.Roots[size - 1]));
            }
        }
    }

    [Fact]
    public void Every_consistency_proof_verifies_and_nothing_altered_does()
    {
        for (var second = 1; second <= Largest; second++)
        {
            for (var first = 1; first <= second; first++)
            {
                var (firstRoot, secondRoot) = (s_log.Roots[first], s_log.Roots[second]);
                var proof = ConsistencyProof.Generate(first, second, s_log.Read)!;
                Assert.Equal(LogRejection.None, ConsistencyProof.Verify(first, second, firstRoot, secondRoot, proof));
                foreach (var altered in Altered(proof))
                {
                    AssertRefused(ConsistencyProof.Verify(first, second, firstRoot, secondRoot, altered));
                }

                AssertRefused(ConsistencyProof.Verify(first, second, Flipped(firstRoot), secondRoot, proof));
                AssertRefused(ConsistencyProof.Verify(first, second, firstRoot, Flipped(secondRoot), proof));
                AssertRefused(ConsistencyProof.Verify(first - 1, second, firstRoot, secondRoot, proof));
                AssertRefused(ConsistencyProof.Verify(first + 1, second, firstRoot, secondRoot, proof));
                if (first != second)
                {
                    AssertRefused(ConsistencyProof.Verify(first, second, secondRoot, firstRoot, proof));
                    AssertRefused(ConsistencyProof.Verify(second, first, secondRoot, firstRoot, proof));
                }
            }
        }
    }

    [Fact]
    public void A_rewritten_entry_breaks_consistency_with_every_size_that_had_it()
    {
        const int Rewritten = 21;
        var forked = new TestLog(Rewritten);
        forked.Append("another"u8.ToArray());
        for (var i = Rewritten + 1; i < 64; i++)
        {
            forked.Append(TestLog.EntryOf("entry", i));
        }

        for (var first = 1; first <= 64; first++)
        {
            var proof = ConsistencyProof.Generate(first, 64, forked.Read)!;
            Assert.Equal(
                first <= Rewritten ? LogRejection.None : LogRejection.RootMismatch,
                ConsistencyProof.Verify(first, 64, s_log.Roots[first], forked.Roots[64], proof));
        }
    }

    [Fact]
    public void Proofs_of_a_large_tree_have_a_logarithm_of_hashes()
    {
        const int Size = 100_000;
        var log = new TestLog(Size);
        for (var index = 0; index < Size; index += 9_973)
        {
            log.Reads = 0;
            var proof = InclusionProof.Generate(index, Size, log.Read)!;
            Assert.InRange(proof.Count, 1, 17);
            Assert.InRange(log.Reads, 1, 34);
            Assert.Equal(LogRejection.None, InclusionProof.Verify(index, Size, log.Leaves[index], proof, log.Roots[Size]));
            log.Reads = 0;
            var consistency = ConsistencyProof.Generate(index + 1, Size, log.Read)!;
            Assert.InRange(consistency.Count, 1, 18);
            Assert.InRange(log.Reads, 1, 34);
            Assert.Equal(
                LogRejection.None,
                ConsistencyProof.Verify(index + 1, Size, log.Roots[index + 1], log.Roots[Size], consistency));
        }
    }

    [Fact]
    public void What_is_out_of_bounds_is_refused_or_misuse()
    {
        var (leaf, root) = (s_log.Leaves[0], s_log.Roots[1]);
        Assert.Equal(LogRejection.IndexOutOfRange, InclusionProof.Verify(1, 1, leaf, [], root));
        Assert.Equal(LogRejection.IndexOutOfRange, InclusionProof.Verify(-1, 1, leaf, [], root));
        Assert.Equal(LogRejection.IndexOutOfRange, InclusionProof.Verify(0, 0, leaf, [], root));
        Assert.Equal(LogRejection.HashLengthWrong, InclusionProof.Verify(0, 1, leaf.AsSpan(1), [], root));
        Assert.Equal(LogRejection.HashLengthWrong, InclusionProof.Verify(0, 2, leaf, [new byte[33]], root));
        Assert.Equal(LogRejection.HashLengthWrong, InclusionProof.Verify(0, 2, leaf, [null!], root));
        var longest = Enumerable.Repeat(leaf, 65).ToList();
        Assert.Equal(LogRejection.ProofLengthWrong, InclusionProof.Verify(0, long.MaxValue, leaf, longest, root));
        Assert.Equal(LogRejection.SizesInvalid, ConsistencyProof.Verify(0, 1, root, root, []));
        Assert.Equal(LogRejection.SizesInvalid, ConsistencyProof.Verify(2, 1, root, root, []));
        Assert.Equal(
            LogRejection.RootMismatch, InclusionProof.Verify(long.MaxValue - 1, long.MaxValue, leaf, longest[..62], root));
        Assert.Throws<ArgumentOutOfRangeException>(() => InclusionProof.Generate(1, 1, s_log.Read));
        Assert.Throws<ArgumentOutOfRangeException>(() => ConsistencyProof.Generate(0, 1, s_log.Read));
        Assert.Null(InclusionProof.Generate(0, Largest + 1, s_log.Read));
        Assert.Null(ConsistencyProof.Generate(3, Largest + 1, s_log.Read));
        Assert.Throws<InvalidOperationException>(() => MerkleFrontier.Load(Largest + 1, s_log.Read));
        Assert.Throws<ArgumentException>(() => new MerkleFrontier().Append(new byte[31]));
    }

    private static void AssertRefused(LogRejection rejection) => Assert.NotEqual(LogRejection.None, rejection);

    private static byte[] Flipped(byte[] hash)
    {
        var flipped = hash.AsSpan().ToArray();
        flipped[^1] ^= 1;
        return flipped;
    }

    /// <summary>Each hash changed, each left out, one too many at either end, and two exchanged.</summary>
    private static IEnumerable<IReadOnlyList<byte[]>> Altered(IReadOnlyList<byte[]> proof)
    {
        yield return [.. proof, new byte[32]];
        yield return [new byte[32], .. proof];
        for (var i = 0; i < proof.Count; i++)
        {
            yield return [.. proof.Take(i), Flipped(proof[i]), .. proof.Skip(i + 1)];
            yield return [.. proof.Take(i), .. proof.Skip(i + 1)];
        }

        if (proof.Count > 1)
        {
            yield return [proof[1], proof[0], .. proof.Skip(2)];
        }
    }
}

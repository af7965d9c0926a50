using System.Security.Cryptography;

namespace ChatPay.Core.Transparency;

/// <summary>
/// The hashes of a Merkle tree: SHA-256 with a byte before what is hashed, 0x00 for an entry and 0x01 for two hashes,
/// so that no entry passes for a node. RFC 9162, section 2.1.1.
/// </summary>
public static class MerkleHash
{
    public const int SizeBytes = SHA256.HashSizeInBytes;

    private const byte LeafPrefix = 0x00;
    private const byte NodePrefix = 0x01;
    private const int StackBytes = 256;

    /// <summary>The root of a tree without entries: the hash of nothing.</summary>
    public static byte[] Empty() => SHA256.HashData([]);

    /// <summary>An entry's hash, 32 bytes.</summary>
    public static byte[] Leaf(ReadOnlySpan<byte> entry)
    {
        var input = entry.Length < StackBytes ? stackalloc byte[1 + entry.Length] : new byte[1 + entry.Length];
        input[0] = LeafPrefix;
        entry.CopyTo(input[1..]);
        return SHA256.HashData(input);
    }

    /// <summary>The hash over two; <paramref name="node"/> may be one of them.</summary>
    public static void Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> node)
    {
        Span<byte> both = stackalloc byte[1 + (2 * SizeBytes)];
        both[0] = NodePrefix;
        left[..SizeBytes].CopyTo(both[1..]);
        right[..SizeBytes].CopyTo(both[(1 + SizeBytes)..]);
        SHA256.HashData(both, node);
    }
}

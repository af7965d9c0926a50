using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>Ratchet trees and members of them, for tests below the level of a group.</summary>
internal static class TestTrees
{
    public static PublicTree Decode(MlsCipherSuite suite, ReadOnlySpan<byte> bytes)
    {
        Assert.True(TlsCodec.TryDecode<RatchetTree>(bytes, out var wire, out var rejection), rejection.ToString());
        Assert.True(PublicTree.TryCreate(suite, wire, out var tree, out rejection), rejection.ToString());
        return tree;
    }

    /// <summary>
    /// Levels at which a member lacks a key that the tree says it has, or has one that is not that of the tree's public key.
    /// </summary>
    public static IReadOnlyList<int> KeysThatDoNotFit(PrivateTree keys, PublicTree tree)
    {
        var wrong = new List<int>();
        for (var level = 0; 1u << level <= tree.Width; level++)
        {
            var node = TreeMath.Ancestor(keys.Leaf, level);
            var isMerged = tree.Parent(node) is not { } parent || !parent.UnmergedLeaves.Contains(keys.Leaf);
            var expected = level == 0 ? tree.Leaf(keys.Leaf)?.EncryptionKey : isMerged ? tree.Parent(node)?.EncryptionKey : null;
            var known = keys.TryGet(level, out var key) ? tree.Suite.PublicKeyOf(key) : null;
            if (!expected.AsSpan().SequenceEqual(known))
            {
                wrong.Add(level);
            }
        }

        return wrong;
    }

    /// <summary>All private keys that a member has.</summary>
    public static IReadOnlyList<byte[]> KeysOf(PrivateTree keys)
    {
        var all = new List<byte[]>();
        for (var level = 0; level <= TreeMath.Level(TreeMath.Root(MlsLimits.TreeLeaves)); level++)
        {
            if (keys.TryGet(level, out var key))
            {
                all.Add(key.ToArray());
            }
        }

        return all;
    }

    /// <summary>A signature key of the suite.</summary>
    public static Key NewSignatureKey(MlsCipherSuite suite, FillRandom random)
    {
        var seed = new byte[suite.SignatureAlgorithm.PrivateKeySize];
        random(seed);
        return Key.Import(suite.SignatureAlgorithm, seed, KeyBlobFormat.RawPrivateKey);
    }

    /// <summary>A signed leaf node with a new encryption key.</summary>
    /// <param name="update">Group and leaf index where the leaf is an update's, and null where it is a key package's.</param>
    public static (LeafNode Leaf, byte[] PrivateKey) NewLeaf(
        MlsCipherSuite suite, Key signatureKey, FillRandom random, (byte[] GroupId, uint Leaf)? update = null)
    {
        var seed = new byte[suite.PrivateKeySize];
        random(seed);
        var (privateKey, publicKey) = suite.DeriveKeyPair(seed);
        using (privateKey)
        {
            return (SignedLeaf(suite, signatureKey, publicKey, update), privateKey.Span.ToArray());
        }
    }

    /// <summary>A signed leaf node with the encryption key given.</summary>
    public static LeafNode SignedLeaf(
        MlsCipherSuite suite, Key signatureKey, byte[] encryptionKey, (byte[] GroupId, uint Leaf)? update = null)
    {
        var identity = signatureKey.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        return Build(LeafNodeValidation.Sign(Build([]), suite, signatureKey, update?.GroupId, update?.Leaf ?? 0));

        LeafNode Build(byte[] signature) => new()
        {
            EncryptionKey = encryptionKey,
            SignatureKey = identity,
            Credential = new BasicCredential { Identity = identity },
            Capabilities = new Capabilities
            {
                Versions = [ProtocolVersion.Mls10],
                CipherSuites = [suite.Id],
                Extensions = [],
                Proposals = [],
                Credentials = [(ushort)CredentialType.Basic],
            },
            Source = update is null ? LeafNodeSource.KeyPackage : LeafNodeSource.Update,
            Lifetime = update is null ? new Lifetime { NotBefore = 0, NotAfter = ulong.MaxValue } : null,
            Extensions = [],
            Signature = signature,
        };
    }

    /// <summary>Random bytes that the seed makes again; for tests only.</summary>
    public static FillRandom Randomness(int seed)
    {
        var counter = 0;
        return destination =>
        {
            while (!destination.IsEmpty)
            {
                var block = SHA256.HashData([.. BitConverter.GetBytes(seed), .. BitConverter.GetBytes(counter++)]);
                var taken = Math.Min(block.Length, destination.Length);
                block.AsSpan(0, taken).CopyTo(destination);
                destination = destination[taken..];
            }
        };
    }
}

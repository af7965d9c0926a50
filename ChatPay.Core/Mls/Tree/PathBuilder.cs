using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// A committer's new path, RFC 9420 section 7.5, made in two steps: the new keys give the new tree, whose hash belongs to
/// the context that the path secrets are then encrypted with. Disposing zeroes the path secrets.
/// </summary>
internal sealed class PathBuilder : IDisposable
{
    private readonly IReadOnlyList<PathStep> _steps;
    private readonly byte[][] _publicKeys;
    private readonly Secret[] _pathSecrets;
    private readonly LeafNode _leaf;

    private PathBuilder(
        IReadOnlyList<PathStep> steps, byte[][] publicKeys, Secret[] pathSecrets, LeafNode leaf, PublicTree tree)
    {
        _steps = steps;
        _publicKeys = publicKeys;
        _pathSecrets = pathSecrets;
        _leaf = leaf;
        Tree = tree;
    }

    /// <summary>The tree as the commit leaves it.</summary>
    public PublicTree Tree { get; }

    /// <summary>Makes new keys for a committer and all that is above.</summary>
    /// <param name="before">
    /// The tree with the commit's proposals applied. To an external commit's the joiner's leaf is added first, whose
    /// encryption key does not matter.
    /// </param>
    /// <param name="contents">What the leaf shall say: signature key, credential, capabilities and extensions.</param>
    /// <param name="signatureKey">Of the signature key in <paramref name="contents"/>.</param>
    /// <param name="privateTree">The committer's keys after the commit; the caller disposes it.</param>
    /// <param name="commitSecret">The caller disposes it.</param>
    /// <exception cref="ArgumentException">The sender's leaf is blank.</exception>
    public static PathBuilder Create(
        PublicTree before, uint sender, LeafNode contents, Key signatureKey, ReadOnlySpan<byte> groupId,
        FillRandom random, out PrivateTree privateTree, out Secret commitSecret)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(contents);
        ArgumentNullException.ThrowIfNull(random);
        var suite = before.Suite;
        var steps = before.FilteredPath(sender);
        var pathSecrets = new Secret[steps.Count];
        var publicKeys = new byte[steps.Count][];
        var leafKey = NewLeafKey(suite, random);
        using var leafPrivateKey = leafKey.PrivateKey;
        privateTree = PrivateTree.OfLeaf(before, sender, leafPrivateKey.Span);
        var pathSecret = new Secret(suite.HashSize);
        random(pathSecret.Span);
        for (var i = 0; i < steps.Count; i++)
        {
            pathSecrets[i] = pathSecret;
            (var privateKey, publicKeys[i]) = PathSecrets.NodeKey(suite, pathSecret.Span);
            using (privateKey)
            {
                privateTree.Set(steps[i].Node.Level, privateKey.Span);
            }

            pathSecret = PathSecrets.Next(suite, pathSecret.Span);
        }

        commitSecret = pathSecret;
        var (parents, parentHash) = before.PlanPath(steps, publicKeys);
        var unsigned = Leaf(contents, leafKey.PublicKey, parentHash, []);
        var signature = LeafNodeValidation.Sign(unsigned, suite, signatureKey, groupId, sender);
        var leaf = Leaf(contents, leafKey.PublicKey, parentHash, signature);
        return new PathBuilder(steps, publicKeys, pathSecrets, leaf, before.WithPath(sender, leaf, parents));
    }

    /// <summary>Encrypts each path secret to those who are below the parent and were in the group before.</summary>
    /// <param name="provisionalGroupContext">
    /// Encoded; of the new epoch with <see cref="Tree"/>'s hash and the old confirmed transcript hash.
    /// </param>
    /// <param name="newLeaves">Leaf indices of whom the commit's Add proposals added.</param>
    /// <exception cref="InvalidOperationException">The tree, which nobody validated, has a key that is none.</exception>
    public UpdatePath Encrypt(
        ReadOnlySpan<byte> provisionalGroupContext, IReadOnlySet<uint> newLeaves, FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(newLeaves);
        ArgumentNullException.ThrowIfNull(random);
        var nodes = new UpdatePathNode[_steps.Count];
        for (var i = 0; i < nodes.Length; i++)
        {
            var recipients = PathSecrets.Recipients(_steps[i], newLeaves);
            var ciphertexts = new HpkeCiphertext[recipients.Count];
            for (var j = 0; j < ciphertexts.Length; j++)
            {
                ciphertexts[j] = Tree.Suite.TryEncryptWithLabel(
                    recipients[j].EncryptionKey, PathSecrets.EncryptionLabel, provisionalGroupContext,
                    _pathSecrets[i].Span, random, out var ciphertext)
                    ? ciphertext
                    : throw new InvalidOperationException("The tree has an encryption key that is none.");
            }

            nodes[i] = new UpdatePathNode { EncryptionKey = _publicKeys[i], EncryptedPathSecret = ciphertexts };
        }

        return new UpdatePath { LeafNode = _leaf, Nodes = nodes };
    }

    /// <summary>
    /// What a new member's Welcome carries, section 12.4.3.1: the path secret of the lowest parent above both. It is valid
    /// until this is disposed.
    /// </summary>
    /// <exception cref="ArgumentException">Nobody was added at the leaf.</exception>
    public ReadOnlySpan<byte> PathSecretFor(uint newLeaf)
    {
        for (var i = 0; i < _steps.Count; i++)
        {
            if (_steps[i].Copath.Covers(newLeaf))
            {
                return _pathSecrets[i].Span;
            }
        }

        throw new ArgumentException("No path secret is for this leaf.", nameof(newLeaf));
    }

    public void Dispose()
    {
        foreach (var pathSecret in _pathSecrets)
        {
            pathSecret.Dispose();
        }
    }

    private static (Secret PrivateKey, byte[] PublicKey) NewLeafKey(MlsCipherSuite suite, FillRandom random)
    {
        using var seed = new Secret(suite.PrivateKeySize);
        random(seed.Span);
        return suite.DeriveKeyPair(seed.Span);
    }

    private static LeafNode Leaf(LeafNode contents, byte[] encryptionKey, byte[] parentHash, byte[] signature) => new()
    {
        EncryptionKey = encryptionKey,
        SignatureKey = contents.SignatureKey,
        Credential = contents.Credential,
        Capabilities = contents.Capabilities,
        Source = LeafNodeSource.Commit,
        ParentHash = parentHash,
        Extensions = contents.Extensions,
        Signature = signature,
    };
}

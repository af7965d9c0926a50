using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>From one path secret to a node's key pair and to the next path secret, RFC 9420 section 7.4.</summary>
internal static class PathSecrets
{
    /// <summary>What path secrets are encrypted under, section 7.6.</summary>
    public const string EncryptionLabel = "UpdatePathNode";

    /// <summary>The path secret of the next node up; after the last one it is the commit secret.</summary>
    public static Secret Next(MlsCipherSuite suite, ReadOnlySpan<byte> pathSecret) => suite.DeriveSecret(pathSecret, "path");

    public static (Secret PrivateKey, byte[] PublicKey) NodeKey(MlsCipherSuite suite, ReadOnlySpan<byte> pathSecret)
    {
        using var nodeSecret = suite.DeriveSecret(pathSecret, "node");
        return suite.DeriveKeyPair(nodeSecret.Span);
    }

    /// <summary>
    /// The keys to encrypt a path secret to: the copath child's resolution without leaves that the same commit adds.
    /// </summary>
    public static List<Subtree> Recipients(PathStep step, IReadOnlySet<uint> newLeaves)
    {
        var recipients = new List<Subtree>();
        step.Copath.Resolve(recipients);
        if (newLeaves.Count > 0)
        {
            recipients.RemoveAll(node => node.Level == 0 && newLeaves.Contains(node.FirstLeaf));
        }

        return recipients;
    }
}

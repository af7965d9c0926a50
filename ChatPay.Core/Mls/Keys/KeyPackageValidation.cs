namespace ChatPay.Core.Mls;

/// <summary>What RFC 9420 section 10.1 asks of a key package whatever the group it is meant for.</summary>
public static class KeyPackageValidation
{
    private const string Label = "KeyPackageTBS";

    /// <summary>Checks version, suite, keys, leaf node and both signatures; not the credential and the lifetime.</summary>
    public static MlsRejection Check(KeyPackage keyPackage)
    {
        ArgumentNullException.ThrowIfNull(keyPackage);
        if (keyPackage.Version != ProtocolVersion.Mls10)
        {
            return MlsRejection.UnknownVersion;
        }

        if (!MlsCipherSuite.TryGet(keyPackage.CipherSuite, out var suite))
        {
            return MlsRejection.UnsupportedCipherSuite;
        }

        if (keyPackage.LeafNode.Source != LeafNodeSource.KeyPackage)
        {
            return MlsRejection.LeafNodeSourceWrong;
        }

        if (!suite.IsEncryptionKey(keyPackage.InitKey))
        {
            return MlsRejection.PublicKeyInvalid;
        }

        if (keyPackage.InitKey.AsSpan().SequenceEqual(keyPackage.LeafNode.EncryptionKey))
        {
            return MlsRejection.KeyReused;
        }

        if (keyPackage.Extensions.Select(static extension => extension.Type).Distinct().Count()
            != keyPackage.Extensions.Count)
        {
            return MlsRejection.ExtensionDuplicate;
        }

        var leaf = LeafNodeValidation.Check(keyPackage.LeafNode, suite, [], 0);
        if (leaf != MlsRejection.None)
        {
            return leaf;
        }

        return suite.VerifyWithLabel(
            keyPackage.LeafNode.SignatureKey, Label, keyPackage.EncodeToBeSigned(), keyPackage.Signature)
            ? MlsRejection.None
            : MlsRejection.SignatureInvalid;
    }

    /// <summary>Signs a key package whose other members are as they shall be.</summary>
    /// <returns>The signature for <see cref="KeyPackage.Signature"/>.</returns>
    public static byte[] Sign(KeyPackage keyPackage, MlsCipherSuite suite, Cryptography.Key key)
    {
        ArgumentNullException.ThrowIfNull(keyPackage);
        ArgumentNullException.ThrowIfNull(suite);
        return suite.SignWithLabel(key, Label, keyPackage.EncodeToBeSigned());
    }

    /// <summary>
    /// Whether a lifetime has begun, has not ended, and is not longer than <paramref name="longest"/> from now.
    /// </summary>
    /// <param name="skew">How far ahead the clock of whoever made it may be.</param>
    public static MlsRejection CheckLifetime(Lifetime? lifetime, DateTimeOffset now, TimeSpan longest, TimeSpan skew)
    {
        if (lifetime is null)
        {
            return MlsRejection.LifetimeInvalid;
        }

        var begunBy = (ulong)(now + skew).ToUnixTimeSeconds();
        var endedBy = (ulong)now.ToUnixTimeSeconds();
        var lastEnd = (ulong)(now + longest + skew).ToUnixTimeSeconds();
        return lifetime.NotBefore <= begunBy && lifetime.NotAfter > endedBy && lifetime.NotAfter <= lastEnd
            && lifetime.NotBefore < lifetime.NotAfter
            ? MlsRejection.None
            : MlsRejection.LifetimeInvalid;
    }
}

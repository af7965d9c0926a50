namespace ChatPay.Core.Mls;

/// <summary>What RFC 9420 section 7.3 asks of a leaf node whatever the group it is in.</summary>
public static class LeafNodeValidation
{
    private const string Label = "LeafNodeTBS";

    /// <summary>Checks keys, capabilities, extensions and signature; not the credential and the lifetime.</summary>
    /// <param name="groupId">Ignored for a leaf of a key package.</param>
    /// <param name="leafIndex">Ignored for a leaf of a key package.</param>
    public static MlsRejection Check(
        LeafNode leaf, MlsCipherSuite suite, ReadOnlySpan<byte> groupId, uint leafIndex)
    {
        ArgumentNullException.ThrowIfNull(leaf);
        ArgumentNullException.ThrowIfNull(suite);
        if (!suite.IsEncryptionKey(leaf.EncryptionKey))
        {
            return MlsRejection.PublicKeyInvalid;
        }

        var rejection = CheckCapabilities(leaf, suite);
        if (rejection != MlsRejection.None)
        {
            return rejection;
        }

        return suite.VerifyWithLabel(
            leaf.SignatureKey, Label, leaf.EncodeToBeSigned(groupId, leafIndex), leaf.Signature)
            ? MlsRejection.None
            : MlsRejection.SignatureInvalid;
    }

    /// <summary>Signs a leaf whose other members are as they shall be.</summary>
    /// <returns>The signature for <see cref="LeafNode.Signature"/>.</returns>
    public static byte[] Sign(
        LeafNode leaf, MlsCipherSuite suite, Cryptography.Key key, ReadOnlySpan<byte> groupId, uint leafIndex)
    {
        ArgumentNullException.ThrowIfNull(leaf);
        ArgumentNullException.ThrowIfNull(suite);
        return suite.SignWithLabel(key, Label, leaf.EncodeToBeSigned(groupId, leafIndex));
    }

    private static MlsRejection CheckCapabilities(LeafNode leaf, MlsCipherSuite suite)
    {
        var capabilities = leaf.Capabilities;
        if (!capabilities.Versions.AsSpan().Contains(ProtocolVersion.Mls10)
            || !capabilities.CipherSuites.AsSpan().Contains(suite.Id)
            || !capabilities.Credentials.AsSpan().Contains((ushort)leaf.Credential.Type))
        {
            return MlsRejection.CapabilitiesLacking;
        }

        var seen = new HashSet<ushort>();
        foreach (var extension in leaf.Extensions)
        {
            if (!seen.Add(extension.Type))
            {
                return MlsRejection.ExtensionDuplicate;
            }

            if (!ExtensionType.IsDefault(extension.Type) && !capabilities.Extensions.AsSpan().Contains(extension.Type))
            {
                return MlsRejection.CapabilitiesLacking;
            }
        }

        return MlsRejection.None;
    }
}

namespace ChatPay.Core.Mls;

/// <summary>
/// The public key that who joins by an external commit encrypts to, RFC 9420 section 12.4.3.2: <c>opaque&lt;V&gt;</c>.
/// </summary>
/// <remarks>
/// ts-mls 1.6.4 writes the key's bare bytes. Both forms are read, which their lengths tell apart: a key with a length
/// before it is one byte longer than a key.
/// </remarks>
public static class ExternalPub
{
    public static Extension ToExtension(ReadOnlySpan<byte> publicKey)
    {
        var writer = new TlsWriter();
        writer.WriteOpaque(publicKey);
        return new Extension { Type = ExtensionType.ExternalPub, Data = writer.ToArray() };
    }

    /// <summary>The key in a GroupInfo's extensions.</summary>
    /// <param name="rejection">
    /// <see cref="MlsRejection.ExtensionMissing"/>, or <see cref="MlsRejection.PublicKeyInvalid"/> for another content
    /// than a key.
    /// </param>
    public static bool TryRead(
        GroupInfo info, MlsCipherSuite suite, out ReadOnlyMemory<byte> publicKey, out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(info);
        ArgumentNullException.ThrowIfNull(suite);
        publicKey = default;
        rejection = MlsRejection.ExtensionMissing;
        foreach (var extension in info.Extensions)
        {
            if (extension.Type == ExtensionType.ExternalPub)
            {
                var reader = new TlsReader(extension.Data);
                var key = extension.Data.Length == suite.PublicKeySize ? extension.Data : reader.ReadOpaque();
                rejection = suite.IsEncryptionKey(key) ? MlsRejection.None : MlsRejection.PublicKeyInvalid;
                publicKey = key;
            }
        }

        return rejection == MlsRejection.None;
    }
}

using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>What RFC 9420 section 12.4.3 asks of a GroupInfo that can be told without the group's secrets.</summary>
public static class GroupInfoValidation
{
    private const string Label = "GroupInfoTBS";

    /// <summary>
    /// Checks version, suite, signature, and that it lets a stranger to the group in by an external commit.
    /// </summary>
    /// <param name="signatureKey">Of the leaf that <see cref="GroupInfo.Signer"/> names.</param>
    public static MlsRejection Check(GroupInfo info, MlsCipherSuite suite, ReadOnlySpan<byte> signatureKey)
    {
        ArgumentNullException.ThrowIfNull(info);
        return Has(info, ExtensionType.ExternalPub) && Has(info, ExtensionType.RatchetTree)
            ? CheckSigned(info, suite, signatureKey)
            : MlsRejection.ExtensionMissing;
    }

    /// <summary>Checks version, suite and signature.</summary>
    /// <param name="signatureKey">Of the leaf that <see cref="GroupInfo.Signer"/> names.</param>
    public static MlsRejection CheckSigned(GroupInfo info, MlsCipherSuite suite, ReadOnlySpan<byte> signatureKey)
    {
        ArgumentNullException.ThrowIfNull(info);
        ArgumentNullException.ThrowIfNull(suite);
        if (info.Context.Version != ProtocolVersion.Mls10)
        {
            return MlsRejection.UnknownVersion;
        }

        if (info.Context.CipherSuite != suite.Id)
        {
            return MlsRejection.UnsupportedCipherSuite;
        }

        if (info.Extensions.Select(static extension => extension.Type).Distinct().Count() != info.Extensions.Count)
        {
            return MlsRejection.ExtensionDuplicate;
        }

        return suite.VerifyWithLabel(signatureKey, Label, info.EncodeToBeSigned(), info.Signature)
            ? MlsRejection.None
            : MlsRejection.SignatureInvalid;
    }

    /// <summary>Signs a GroupInfo whose other members are as they shall be.</summary>
    /// <returns>The signature for <see cref="GroupInfo.Signature"/>.</returns>
    public static byte[] Sign(GroupInfo info, MlsCipherSuite suite, Key key)
    {
        ArgumentNullException.ThrowIfNull(info);
        ArgumentNullException.ThrowIfNull(suite);
        return suite.SignWithLabel(key, Label, info.EncodeToBeSigned());
    }

    private static bool Has(GroupInfo info, ushort type) => info.Extensions.Any(extension => extension.Type == type);
}

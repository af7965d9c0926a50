using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// The two layers of a Welcome, RFC 9420 section 12.4.3.1: the GroupInfo under a key that follows from the joiner secret,
/// and the joiner secret encrypted to each new member's key package.
/// </summary>
internal static class WelcomeSecrets
{
    private const string Label = "Welcome";

    /// <summary>The Welcome's encrypted_group_info.</summary>
    public static byte[] SealGroupInfo(
        MlsCipherSuite suite, ReadOnlySpan<byte> joinerSecret, ReadOnlySpan<byte> pskSecret, GroupInfo info)
    {
        Span<byte> key = stackalloc byte[suite.KeySize];
        Span<byte> nonce = stackalloc byte[suite.NonceSize];
        DeriveKey(suite, joinerSecret, pskSecret, key, nonce);
        var plaintext = TlsCodec.Encode(info);
        var ciphertext = new byte[plaintext.Length + suite.TagSize];
        suite.Seal(key, nonce, [], plaintext, ciphertext);
        CryptographicOperations.ZeroMemory(key);
        return ciphertext;
    }

    /// <summary>Opens and decodes a Welcome's encrypted_group_info; nothing in it is checked further.</summary>
    public static bool TryOpenGroupInfo(
        MlsCipherSuite suite, ReadOnlySpan<byte> joinerSecret, ReadOnlySpan<byte> pskSecret,
        ReadOnlySpan<byte> encryptedGroupInfo, [NotNullWhen(true)] out GroupInfo? info, out MlsRejection rejection)
    {
        info = null;
        rejection = MlsRejection.EncryptedGroupInfoInvalid;
        if (encryptedGroupInfo.Length < suite.TagSize)
        {
            return false;
        }

        Span<byte> key = stackalloc byte[suite.KeySize];
        Span<byte> nonce = stackalloc byte[suite.NonceSize];
        DeriveKey(suite, joinerSecret, pskSecret, key, nonce);
        var plaintext = new byte[encryptedGroupInfo.Length - suite.TagSize];
        var opened = suite.TryOpen(key, nonce, [], encryptedGroupInfo, plaintext);
        CryptographicOperations.ZeroMemory(key);
        return opened && TlsCodec.TryDecode(plaintext, out info, out rejection);
    }

    /// <summary>One new member's part of a Welcome.</summary>
    /// <returns>False where the key package's init key is none.</returns>
    public static bool TrySealGroupSecrets(
        MlsCipherSuite suite, KeyPackage keyPackage, ReadOnlySpan<byte> encryptedGroupInfo, GroupSecrets secrets,
        FillRandom random, [NotNullWhen(true)] out EncryptedGroupSecrets? sealedSecrets)
    {
        var writer = new TlsWriter();
        secrets.Write(writer);
        var encrypted = suite.TryEncryptWithLabel(
            keyPackage.InitKey, Label, encryptedGroupInfo, writer.WrittenSpan, random, out var ciphertext);
        writer.Clear();
        sealedSecrets = encrypted
            ? new EncryptedGroupSecrets { NewMember = suite.KeyPackageRef(keyPackage), Secrets = ciphertext! }
            : null;
        return encrypted;
    }

    /// <summary>Opens and decodes this client's part of a Welcome.</summary>
    /// <param name="keyPackageRef">Of the key package whose keys are given.</param>
    public static bool TryOpenGroupSecrets(
        MlsCipherSuite suite, Welcome welcome, ReadOnlySpan<byte> keyPackageRef, ReadOnlySpan<byte> initPrivateKey,
        ReadOnlySpan<byte> initPublicKey, [NotNullWhen(true)] out GroupSecrets? secrets, out MlsRejection rejection)
    {
        secrets = null;
        if (Find(welcome, keyPackageRef) is not { } own)
        {
            rejection = MlsRejection.KeyPackageOther;
            return false;
        }

        rejection = MlsRejection.GroupSecretsInvalid;
        if (!suite.TryDecryptWithLabel(
            initPrivateKey, initPublicKey, Label, welcome.EncryptedGroupInfo, own.Secrets, out var plaintext))
        {
            return false;
        }

        using (plaintext)
        {
            if (!TlsCodec.TryDecode(plaintext!.Span, out secrets, out rejection))
            {
                return false;
            }
        }

        if (secrets.JoinerSecret.Length == suite.HashSize
            && (secrets.PathSecret is null || secrets.PathSecret.Length == suite.HashSize)
            && secrets.PreSharedKeys.Count <= MlsLimits.PreSharedKeys)
        {
            return true;
        }

        secrets.Dispose();
        secrets = null;
        rejection = MlsRejection.GroupSecretsInvalid;
        return false;
    }

    private static EncryptedGroupSecrets? Find(Welcome welcome, ReadOnlySpan<byte> keyPackageRef)
    {
        foreach (var secrets in welcome.Secrets)
        {
            if (secrets.NewMember.AsSpan().SequenceEqual(keyPackageRef))
            {
                return secrets;
            }
        }

        return null;
    }

    private static void DeriveKey(
        MlsCipherSuite suite, ReadOnlySpan<byte> joinerSecret, ReadOnlySpan<byte> pskSecret, Span<byte> key,
        Span<byte> nonce)
    {
        using var welcome = DeriveWelcomeSecret(suite, joinerSecret, pskSecret);
        suite.ExpandWithLabel(welcome.Span, "key", [], key);
        suite.ExpandWithLabel(welcome.Span, "nonce", [], nonce);
    }

    /// <summary>The welcome_secret, section 8.</summary>
    internal static Secret DeriveWelcomeSecret(
        MlsCipherSuite suite, ReadOnlySpan<byte> joinerSecret, ReadOnlySpan<byte> pskSecret)
    {
        using var member = suite.Extract(joinerSecret, pskSecret);
        return suite.DeriveSecret(member.Span, "welcome");
    }
}

using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.KeyPackages;

/// <param name="Ref">KeyPackageRef, RFC 9420 section 5.2.</param>
/// <param name="Body">The MLSMessage as it was uploaded.</param>
internal sealed record AdmittedKeyPackage(byte[] Ref, byte[] Body, DateTimeOffset NotAfter);

/// <summary>What the server knows of a live device.</summary>
/// <param name="SignatureKey">Ed25519, 32 bytes.</param>
/// <param name="IdentityKeys">Those that may vouch for it; none where its account has no chain in the key log.</param>
/// <param name="IsApproved">Whether the device is in its account's chain.</param>
internal sealed record DeviceKeys(byte[] SignatureKey, IReadOnlyList<byte[]> IdentityKeys, bool IsApproved);

/// <summary>
/// Which key packages the server takes and hands to others: those that every client would accept too, of the uploading
/// device and nobody else. Pure, so the same answer comes for the same bytes and time.
/// </summary>
internal static class KeyPackageAdmission
{
    /// <param name="device">What the server knows of the caller's device.</param>
    /// <returns>The package, or <c>key_package_invalid</c> with the reason in <c>details.reason</c>.</returns>
    public static Result<AdmittedKeyPackage> Admit(
        byte[]? body, Caller caller, DeviceKeys device, DateTimeOffset now, TimeSpan longest, TimeSpan skew)
    {
        if (body is null || body.Length > Limits.KeyPackageBytes)
        {
            return Refuse(MlsRejection.TooLarge, $"A key package has at most {Limits.KeyPackageBytes} bytes.");
        }

        if (!TlsCodec.TryDecode<MlsMessage>(body, out var message, out var rejection))
        {
            return Refuse(rejection, "The bytes are not an MLSMessage.");
        }

        if (message.KeyPackage is not { } keyPackage)
        {
            return Refuse(MlsRejection.WrongKind, "The MLSMessage holds no key package.");
        }

        var suite = MlsCipherSuite.X25519Aes128Gcm;
        if (keyPackage.CipherSuite != suite.Id)
        {
            return Refuse(MlsRejection.UnsupportedCipherSuite, "The cipher suite is not 0x0001.");
        }

        if (!CredentialIdentity.TryRead(keyPackage.LeafNode.Credential, out var identity)
            || identity != new CredentialIdentity(caller.Account, caller.Device))
        {
            return Refuse(MlsRejection.CredentialInvalid, "The credential is not this account and device.");
        }

        if (!keyPackage.LeafNode.SignatureKey.AsSpan().SequenceEqual(device.SignatureKey))
        {
            return Refuse(MlsRejection.PublicKeyInvalid, "The signature key is not this device's.");
        }

        var isVouchedFor = DeviceCredential.TryRead(keyPackage.LeafNode.Credential, out var credential)
            ? device.IdentityKeys.Any(key => credential.IdentityKey.SequenceEqual(key))
                && credential.IsFor(device.SignatureKey)
            : device.IdentityKeys.Count == 0;
        if (!isVouchedFor)
        {
            return Refuse(
                MlsRejection.CredentialInvalid, "The credential has no certificate by an identity key of the account.");
        }

        rejection = KeyPackageValidation.Check(keyPackage);
        if (rejection != MlsRejection.None)
        {
            return Refuse(rejection, "The key package does not hold what RFC 9420 asks of one.");
        }

        rejection = KeyPackageValidation.CheckLifetime(keyPackage.LeafNode.Lifetime, now, longest, skew);
        if (rejection != MlsRejection.None)
        {
            return Refuse(
                rejection, $"The lifetime must have begun and must end within {longest.TotalDays:0} days from now.");
        }

        return new AdmittedKeyPackage(
            suite.KeyPackageRef(keyPackage), body,
            DateTimeOffset.FromUnixTimeSeconds((long)keyPackage.LeafNode.Lifetime!.NotAfter));
    }

    private static Error Refuse(MlsRejection reason, string sentence) => new(
        ErrorCode.KeyPackageInvalid, sentence,
        new Dictionary<string, object>(StringComparer.Ordinal) { ["reason"] = reason.ToString() });
}

using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// What a device's MLS credential holds: account (16) ‖ device (16) ‖ account identity key (32) ‖ certificate (64), which
/// is that key's Ed25519 signature over "chatpay device v1" ‖ account ‖ device ‖ the device's signature key (32).
/// </summary>
/// <remarks>It shows that the identity key vouches for the device; whose that key is, the key log says.</remarks>
public sealed class DeviceCredential
{
    public const int SizeBytes = CredentialIdentity.SizeBytes + KeySize + CertificateSize;

    private const int KeySize = 32;
    private const int CertificateSize = 64;
    private const int CertificateAt = CredentialIdentity.SizeBytes + KeySize;

    private readonly byte[] _bytes;

    private DeviceCredential(byte[] bytes, CredentialIdentity identity) => (_bytes, Identity) = (bytes, identity);

    public CredentialIdentity Identity { get; }

    /// <summary>Ed25519, 32 bytes.</summary>
    public ReadOnlySpan<byte> IdentityKey => _bytes.AsSpan(CredentialIdentity.SizeBytes, KeySize);

    private static ReadOnlySpan<byte> Label => "chatpay device v1"u8;

    /// <summary>Has the identity key vouch for a device.</summary>
    /// <param name="signatureKey">The device's Ed25519 key, 32 bytes.</param>
    /// <exception cref="ArgumentException">A signature key of another size.</exception>
    public static DeviceCredential Issue(CredentialIdentity identity, ReadOnlySpan<byte> signatureKey, Key identityKey)
    {
        ArgumentNullException.ThrowIfNull(identityKey);
        if (signatureKey.Length != KeySize)
        {
            throw new ArgumentException($"A signature key has {KeySize} bytes.", nameof(signatureKey));
        }

        var bytes = new byte[SizeBytes];
        identity.ToBytes().CopyTo(bytes, 0);
        identityKey.PublicKey.Bytes.CopyTo(bytes.AsSpan(CredentialIdentity.SizeBytes));
        SignatureAlgorithm.Ed25519.Sign(identityKey, Signed(identity, signatureKey), bytes.AsSpan(CertificateAt));
        return new DeviceCredential(bytes, identity);
    }

    /// <summary>Reads a credential; whether its certificate is right says <see cref="IsFor"/>.</summary>
    /// <returns>False for another kind or size, and for one that proves nothing.</returns>
    public static bool TryRead(Credential credential, [NotNullWhen(true)] out DeviceCredential? value)
    {
        value = credential is BasicCredential { Identity: { Length: SizeBytes } bytes }
            && CredentialIdentity.TryRead(bytes, out var identity)
                ? new DeviceCredential([.. bytes], identity) : null;
        return value is not null;
    }

    /// <summary>Whether the identity key vouches for the device with this signature key.</summary>
    public bool IsFor(ReadOnlySpan<byte> signatureKey) =>
        SignatureAlgorithm.Ed25519.Verify(IdentityKey, Signed(Identity, signatureKey), _bytes.AsSpan(CertificateAt));

    public BasicCredential ToCredential() => new() { Identity = [.. _bytes] };

    private static byte[] Signed(CredentialIdentity identity, ReadOnlySpan<byte> signatureKey) =>
        [.. Label, .. identity.ToBytes(), .. signatureKey];
}

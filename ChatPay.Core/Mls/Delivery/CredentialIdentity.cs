using ChatPay.Core.Protocol;

namespace ChatPay.Core.Mls;

/// <summary>
/// Whom a ChatPay basic credential names: account (16) ‖ device (16), network order, with which every credential begins.
/// What proves it comes after: see <see cref="DeviceCredential"/>.
/// </summary>
public readonly record struct CredentialIdentity(AccountId Account, DeviceId Device)
{
    public const int SizeBytes = 32;

    private const int IdBytes = 16;

    /// <summary>Reads a credential's identity, with or without what proves it; false for another size.</summary>
    public static bool TryRead(ReadOnlySpan<byte> identity, out CredentialIdentity value)
    {
        var isOne = identity.Length is SizeBytes or DeviceCredential.SizeBytes;
        value = isOne
            ? new CredentialIdentity(
                new AccountId(new Guid(identity[..IdBytes], bigEndian: true)),
                new DeviceId(new Guid(identity[IdBytes..SizeBytes], bigEndian: true)))
            : default;
        return isOne;
    }

    /// <summary>Reads the identity of a basic credential; false for another kind or shape.</summary>
    public static bool TryRead(Credential credential, out CredentialIdentity value)
    {
        if (credential is BasicCredential basic)
        {
            return TryRead(basic.Identity, out value);
        }

        value = default;
        return false;
    }

    public byte[] ToBytes() =>
        [.. Account.Value.ToByteArray(bigEndian: true), .. Device.Value.ToByteArray(bigEndian: true)];

    /// <summary>A credential that proves nothing, of a device that is in no chain of the key log.</summary>
    public BasicCredential ToCredential() => new() { Identity = ToBytes() };
}

using ChatPay.Core.Protocol;

namespace ChatPay.Core.Mls;

/// <summary>What a ChatPay basic credential holds: account (16) ‖ device (16), network order.</summary>
public readonly record struct CredentialIdentity(AccountId Account, DeviceId Device)
{
    public const int SizeBytes = 32;

    private const int IdBytes = 16;

    public static bool TryRead(ReadOnlySpan<byte> identity, out CredentialIdentity value)
    {
        var isOne = identity.Length == SizeBytes;
        value = isOne
            ? new CredentialIdentity(
                new AccountId(new Guid(identity[..IdBytes], bigEndian: true)),
                new DeviceId(new Guid(identity[IdBytes..], bigEndian: true)))
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

    public BasicCredential ToCredential() => new() { Identity = ToBytes() };
}

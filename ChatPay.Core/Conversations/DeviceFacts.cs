using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>What deciding a commit needs to know of a device that it adds.</summary>
/// <param name="SignatureKey">Ed25519, 32 bytes: must be the one in its leaf.</param>
/// <param name="IdentityKeys">
/// Those that may vouch for it: its account's since the last reset, Ed25519, 32 bytes each. None where the account has no
/// chain in the key log.
/// </param>
/// <param name="IsApproved">Whether the device is in its account's chain.</param>
public sealed record DeviceFacts(
    DeviceId Device, AccountId Account, byte[] SignatureKey, bool IsLive, IReadOnlyList<byte[]> IdentityKeys,
    bool IsApproved);

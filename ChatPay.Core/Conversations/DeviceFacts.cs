using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>What deciding a commit needs to know of a device that it adds.</summary>
/// <param name="SignatureKey">Ed25519, 32 bytes: must be the one in its leaf.</param>
public sealed record DeviceFacts(DeviceId Device, AccountId Account, byte[] SignatureKey, bool IsLive);

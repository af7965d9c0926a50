using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>What this device knows of somebody's identity key.</summary>
/// <param name="Account">Whose.</param>
/// <param name="IdentityKey">The one that they show now: Ed25519, 32 bytes; null before a device of theirs showed any.</param>
/// <param name="IsAccepted">Whether messages and money may go to it: true until another key than the first is shown.</param>
/// <param name="IsVerified">Whether safety numbers were compared for this key.</param>
/// <param name="IsLogged">Whether the key log was seen to have it.</param>
/// <param name="SafetyNumber">Sixty digits, the same on the other side; null before both sides have an identity key.</param>
/// <param name="SafetyCode">What the other person scans instead, as the text of a QR code.</param>
public sealed record PersonKeys(
    AccountId Account, byte[]? IdentityKey, bool IsAccepted, bool IsVerified, bool IsLogged, string? SafetyNumber,
    string? SafetyCode);

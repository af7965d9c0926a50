namespace ChatPay.Core.Cryptography;

/// <summary>
/// Fills the destination with cryptographically strong random bytes. The core has no randomness of its own: whoever needs
/// some takes this from the caller, who passes <c>RandomNumberGenerator.Fill</c>.
/// </summary>
public delegate void FillRandom(Span<byte> destination);

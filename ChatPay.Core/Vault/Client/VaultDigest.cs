using System.Security.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// What stands of a registration in the key log: SHA-256 of "chatpay vault v1 digest" ‖ context digest (32) ‖ verifying
/// key (32). A device that knows it tells realms apart even where too few of them agree, and a person sees that a PIN
/// was set.
/// </summary>
public static class VaultDigest
{
    public const int SizeBytes = SHA256.HashSizeInBytes;

    private static ReadOnlySpan<byte> Label => "chatpay vault v1 digest"u8;

    /// <param name="verifyingKey">32 bytes.</param>
    public static byte[] Of(VaultContext context, ReadOnlySpan<byte> verifyingKey)
    {
        ArgumentNullException.ThrowIfNull(context);
        return SHA256.HashData([.. Label, .. context.Digest, .. verifyingKey]);
    }
}

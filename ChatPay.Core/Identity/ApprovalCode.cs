using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Identity;

/// <summary>
/// What a new device shows, as QR code or text, so that another device of the account can approve it: "chatpay:approve:1:"
/// and base64url of account (16) ‖ device (16) ‖ the device's signature key (32) ‖ an X25519 key (32) made for this alone.
/// </summary>
/// <param name="SignatureKey">Ed25519, 32 bytes: it must be the one that the server lists for the device.</param>
/// <param name="SealingKey">X25519, 32 bytes: the account's keys are sealed to it.</param>
public sealed record ApprovalCode(AccountId Account, DeviceId Device, byte[] SignatureKey, byte[] SealingKey)
{
    private const string Prefix = "chatpay:approve:1:";
    private const int IdBytes = 16;
    private const int KeyBytes = 32;
    private const int SizeBytes = (2 * IdBytes) + (2 * KeyBytes);

    /// <summary>Reads a code; spaces around it do not matter, for it may have been typed or pasted.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ApprovalCode? code)
    {
        code = null;
        var trimmed = (text ?? "").AsSpan().Trim();
        Span<byte> bytes = stackalloc byte[SizeBytes];
        if (!trimmed.StartsWith(Prefix, StringComparison.Ordinal)
            || trimmed.Length != Prefix.Length + Base64Url.GetEncodedLength(SizeBytes)
            || !Base64Url.TryDecodeFromChars(trimmed[Prefix.Length..], bytes, out var written) || written != SizeBytes)
        {
            return false;
        }

        code = new ApprovalCode(
            new AccountId(new Guid(bytes[..IdBytes], bigEndian: true)),
            new DeviceId(new Guid(bytes.Slice(IdBytes, IdBytes), bigEndian: true)),
            bytes.Slice(2 * IdBytes, KeyBytes).ToArray(), bytes[^KeyBytes..].ToArray());
        return true;
    }

    public override string ToString() => Prefix + Base64Url.EncodeToString(
    [
        .. Account.Value.ToByteArray(bigEndian: true), .. Device.Value.ToByteArray(bigEndian: true), .. SignatureKey,
        .. SealingKey,
    ]);
}

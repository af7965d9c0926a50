using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>
/// What a QR code for paying says. "chatpay:payme:1:" and base64url of account (16) ‖ identity key (32) is somebody to pay, for
/// good: it names the key, so who scans it from their screen has also compared it. "chatpay:pay:2:" and base64url of the same ‖ a
/// code of the server's (32 random bytes) is one payment, or one asking: whose it is the server is not believed.
/// </summary>
/// <param name="Account">Whose code it is.</param>
/// <param name="IdentityKey">The account's, Ed25519, 32 bytes.</param>
/// <param name="Code">As the server knows it; null where the text is of somebody to pay.</param>
public sealed record PayCodeText(AccountId Account, byte[] IdentityKey, string? Code)
{
    /// <summary>Bytes of a code of the server's.</summary>
    public const int CodeSize = 32;

    private const string PersonPrefix = "chatpay:payme:1:";
    private const string CodePrefix = "chatpay:pay:2:";
    private const int IdBytes = 16;
    private const int KeyBytes = 32;
    private const int PersonBytes = IdBytes + KeyBytes;

    public static string OfPerson(AccountId account, ReadOnlySpan<byte> identityKey) =>
        PersonPrefix + Base64Url.EncodeToString(PersonOf(account, identityKey));

    /// <param name="account">Of whoever shows it.</param>
    /// <param name="identityKey">The account's, Ed25519, 32 bytes.</param>
    /// <param name="code">As the server has given it.</param>
    public static string OfCode(AccountId account, ReadOnlySpan<byte> identityKey, string code) =>
        TryDecode(code, CodeSize, out var bytes)
            ? CodePrefix + Base64Url.EncodeToString([.. PersonOf(account, identityKey), .. bytes])
            : throw new ArgumentException($"A code has {CodeSize} bytes.", nameof(code));

    /// <summary>Reads what was scanned or pasted.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out PayCodeText? code)
    {
        var trimmed = (text ?? "").Trim();
        code = null;
        if (trimmed.StartsWith(CodePrefix, StringComparison.Ordinal)
            && TryDecode(trimmed.AsSpan(CodePrefix.Length), PersonBytes + CodeSize, out var one))
        {
            code = Of(one, Base64Url.EncodeToString(one.AsSpan(PersonBytes)));
        }
        else if (trimmed.StartsWith(PersonPrefix, StringComparison.Ordinal)
            && TryDecode(trimmed.AsSpan(PersonPrefix.Length), PersonBytes, out var person))
        {
            code = Of(person, null);
        }

        return code is not null;
    }

    /// <summary>Whether the text may be a code of the server's.</summary>
    public static bool IsCode(string text) => TryDecode(text, CodeSize, out _);

    private static PayCodeText Of(byte[] bytes, string? code) =>
        new(new(new Guid(bytes.AsSpan(0, IdBytes), bigEndian: true)), bytes[IdBytes..PersonBytes], code);

    private static byte[] PersonOf(AccountId account, ReadOnlySpan<byte> identityKey) => identityKey.Length == KeyBytes
        ? [.. account.Value.ToByteArray(bigEndian: true), .. identityKey]
        : throw new ArgumentException($"An identity key has {KeyBytes} bytes.", nameof(identityKey));

    private static bool TryDecode(ReadOnlySpan<char> text, int size, out byte[] bytes)
    {
        bytes = new byte[size];
        return text.Length == Base64Url.GetEncodedLength(size)
            && Base64Url.TryDecodeFromChars(text, bytes, out var written) && written == size;
    }
}

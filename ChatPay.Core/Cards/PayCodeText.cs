using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>
/// What a QR code for paying says. "chatpay:payme:1:" and base64url of account (16) ‖ identity key (32) is somebody to pay, for
/// good: it names the key, so who scans it from their screen has also compared it. "chatpay:pay:1:" and a code of the server's
/// (32 random bytes) is one payment, or one asking.
/// </summary>
/// <param name="IdentityKey">Ed25519, 32 bytes; null with a code.</param>
/// <param name="Code">As the server knows it; null with an account.</param>
public sealed record PayCodeText(AccountId Account, byte[]? IdentityKey, string? Code)
{
    /// <summary>Bytes of a code of the server's.</summary>
    public const int CodeSize = 32;

    private const string PersonPrefix = "chatpay:payme:1:";
    private const string CodePrefix = "chatpay:pay:1:";
    private const int IdBytes = 16;
    private const int KeyBytes = 32;

    public static string OfPerson(AccountId account, ReadOnlySpan<byte> identityKey) => identityKey.Length == KeyBytes
        ? PersonPrefix + Base64Url.EncodeToString([.. account.Value.ToByteArray(bigEndian: true), .. identityKey])
        : throw new ArgumentException($"An identity key has {KeyBytes} bytes.", nameof(identityKey));

    public static string OfCode(string code) => CodePrefix + code;

    /// <summary>Reads what was scanned or pasted.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out PayCodeText? code)
    {
        var trimmed = (text ?? "").Trim();
        code = null;
        if (trimmed.StartsWith(CodePrefix, StringComparison.Ordinal) && IsCode(trimmed[CodePrefix.Length..]))
        {
            code = new PayCodeText(default, null, trimmed[CodePrefix.Length..]);
        }
        else if (trimmed.StartsWith(PersonPrefix, StringComparison.Ordinal)
            && TryDecode(trimmed.AsSpan(PersonPrefix.Length), IdBytes + KeyBytes, out var person))
        {
            code = new PayCodeText(new(new Guid(person.AsSpan(0, IdBytes), bigEndian: true)), person[IdBytes..], null);
        }

        return code is not null;
    }

    /// <summary>Whether the text may be a code of the server's.</summary>
    public static bool IsCode(string text) => TryDecode(text, CodeSize, out _);

    private static bool TryDecode(ReadOnlySpan<char> text, int size, out byte[] bytes)
    {
        bytes = new byte[size];
        return text.Length == Base64Url.GetEncodedLength(size)
            && Base64Url.TryDecodeFromChars(text, bytes, out var written) && written == size;
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Accounts;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>
/// A PIN or passphrase in the one form in which it is stretched, whoever typed it and on whichever keyboard: the kind
/// (1 byte: 1 for a PIN, 2 for a passphrase) and its UTF-8. A PIN is 4 to 12 digits, of which full-width, Arabic-Indic,
/// Persian and Devanagari ones count as the ASCII ones that they mean, and spaces and hyphens as nothing. Everything
/// else is a passphrase: without the spaces around it and in Normalization Form C.
/// </summary>
public sealed class Pin : IDisposable
{
    private const byte DigitsKind = 1;
    private const byte PassphraseKind = 2;

    /// <summary>Named one by one, because platforms do not agree on what else is space.</summary>
    private static readonly char[] s_spaces = [' ', '\t', '\n', '\r', '\u00A0', '\u2009', '\u202F', '\u3000'];

    private static readonly char[] s_zeros = ['0', '\uFF10', '\u0660', '\u06F0', '\u0966'];

    private readonly Secret _bytes;

    private Pin(Secret bytes) => _bytes = bytes;

    public bool IsPassphrase => Bytes[0] == PassphraseKind;

    internal ReadOnlySpan<byte> Bytes => _bytes.Span;

    /// <summary>The digits in ASCII; empty for a passphrase.</summary>
    internal ReadOnlySpan<byte> Digits => IsPassphrase ? [] : Bytes[1..];

    /// <summary>Reads what was typed. Whether a new PIN may be this one is asked of <see cref="PinPolicy"/>.</summary>
    /// <param name="text">What was typed; nobody can zero a string, so the caller drops it.</param>
    /// <param name="refusal">Why it can be no PIN.</param>
    public static bool TryRead(string? text, [NotNullWhen(true)] out Pin? pin, out PinRefusal refusal)
    {
        pin = null;
        if (text is { Length: > VaultLimits.PinTextMaxChars })
        {
            refusal = PinRefusal.TooLong;
            return false;
        }

        var trimmed = text?.Trim(s_spaces) ?? "";
        if (trimmed.Length == 0)
        {
            refusal = PinRefusal.Empty;
            return false;
        }

        Span<byte> digits = stackalloc byte[VaultLimits.PinTextMaxChars];
        if (TryReadDigits(trimmed, digits, out var count) && count <= VaultLimits.PinMaxDigits)
        {
            refusal = count < VaultLimits.PinMinDigits ? PinRefusal.TooShort : PinRefusal.None;
            pin = refusal == PinRefusal.None ? new Pin(Framed(DigitsKind, digits[..count])) : null;
        }
        else
        {
            refusal = ReadPassphrase(trimmed, out pin);
        }

        CryptographicOperations.ZeroMemory(digits);
        return pin is not null;
    }

    public void Dispose() => _bytes.Dispose();

    internal string PassphraseText() => IsPassphrase ? Encoding.UTF8.GetString(Bytes[1..]) : "";

    private static PinRefusal ReadPassphrase(string text, out Pin? pin)
    {
        pin = null;
        var normal = NormalFormC.Of(text);
        var length = normal.EnumerateRunes().Count();
        if (length is < Limits.PasswordMinChars or > Limits.PasswordMaxChars)
        {
            return length < Limits.PasswordMinChars ? PinRefusal.PassphraseTooShort : PinRefusal.PassphraseTooLong;
        }

        var bytes = Encoding.UTF8.GetBytes(normal);
        pin = new Pin(Framed(PassphraseKind, bytes));
        CryptographicOperations.ZeroMemory(bytes);
        return PinRefusal.None;
    }

    private static bool TryReadDigits(string text, Span<byte> digits, out int count)
    {
        count = 0;
        foreach (var character in text)
        {
            if (character == '-' || s_spaces.Contains(character))
            {
                continue;
            }

            var digit = -1;
            foreach (var zero in s_zeros)
            {
                digit = character >= zero && character <= zero + 9 ? character - zero : digit;
            }

            if (digit < 0)
            {
                return false;
            }

            digits[count++] = (byte)('0' + digit);
        }

        return count > 0;
    }

    private static Secret Framed(byte kind, ReadOnlySpan<byte> text)
    {
        var secret = new Secret(1 + text.Length);
        secret.Span[0] = kind;
        text.CopyTo(secret.Span[1..]);
        return secret;
    }
}

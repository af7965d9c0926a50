using System.Globalization;
using System.Text;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Accounts;

/// <summary>
/// Names that people choose and others see: of an account and of a device. They are free text, except for what makes a line
/// of text lie about itself: control characters, text-direction overrides, invisible characters, towers of accents.
/// </summary>
public static class Names
{
    /// <summary>Combining marks one letter may carry; Vietnamese and pointed Hebrew need up to three.</summary>
    private const int MarksPerLetter = 4;

    /// <summary>The name as it is stored: NFC, without space around it; or <c>display_name_invalid</c>.</summary>
    public static Result<string> DisplayName(string? text) =>
        Check(text, Limits.DisplayNameMaxChars, ErrorCode.DisplayNameInvalid, "A display name");

    /// <summary>The name as it is stored: NFC, without space around it; or <c>device_name_invalid</c>.</summary>
    public static Result<string> DeviceName(string? text) =>
        Check(text, Limits.DeviceNameMaxChars, ErrorCode.DeviceNameInvalid, "A device name");

    private static Result<string> Check(string? text, int maxChars, ErrorCode code, string what)
    {
        // Before any work: no normal form of a longer text has so few characters.
        if (text is null || text.Length > maxChars * 8)
        {
            return new Error(code, $"{what} has 1 to {maxChars} characters.");
        }

        var name = NormalFormC.Of(text.Trim());
        var length = 0;
        var marks = 0;
        var visible = false;
        foreach (var rune in name.EnumerateRunes())
        {
            length++;
            var category = Rune.GetUnicodeCategory(rune);
            if (IsDeceptive(rune, category))
            {
                return new Error(code, $"{what} has no control, invisible or text-direction characters.");
            }

            marks = category is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark ? marks + 1 : 0;
            if (marks > MarksPerLetter)
            {
                return new Error(code, $"{what} has at most {MarksPerLetter} accents on one letter.");
            }

            visible |= Rune.IsLetterOrDigit(rune) || Rune.IsSymbol(rune) || Rune.IsPunctuation(rune);
        }

        if (length < 1 || length > maxChars)
        {
            return new Error(code, $"{what} has 1 to {maxChars} characters.");
        }

        return visible ? name : new Error(code, $"{what} needs at least one visible character.");
    }

    private static bool IsDeceptive(Rune rune, UnicodeCategory category) => category switch
    {
        // Joiners make emoji families and Persian words; the others of their category are invisible or turn text round.
        UnicodeCategory.Format => rune.Value is not (0x200C or 0x200D),
        UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse => true,
        // Letters and symbols by category, blank to the eye: Hangul fillers and the empty Braille pattern.
        _ => rune.Value is 0x115F or 0x1160 or 0x3164 or 0xFFA0 or 0x2800 or 0xFFFD,
    };
}

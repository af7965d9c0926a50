using System.Text;
using ChatPay.Core.Accounts;

namespace ChatPay.Core.Vault;

/// <summary>
/// Which PINs are refused to those who choose one, and why. Ten guesses are all that anybody has, so what matters is
/// what people choose first: the twenty commonest four-digit codes cover a quarter of those in leaked lists.
/// </summary>
/// <remarks>
/// Reasons are looked for in the order in which <see cref="PinRefusal"/> has them; the first is told.
/// </remarks>
public static class PinPolicy
{
    private const int FirstYear = 1900;
    private const int LastYear = 2099;

    /// <summary>From this many digits on, two different ones are too few.</summary>
    private const int ThreeDistinctFrom = 6;

    /// <summary>
    /// Common codes that the other rules let through: favourites of leaked lists and walks over the keypad.
    /// </summary>
    private static readonly string[] s_common =
    [
        "1004", "6969", "1122", "1313", "1342", "2580", "0852", "8520", "0258", "1397", "7931", "1793", "3971", "1739",
        "1478", "8741", "3698", "8963", "1236", "6321", "3214", "4123", "1598", "7532", "3579", "1590", "0420", "4200",
        "1337", "0070", "0007", "2001", "1998", "5683", "7410", "1470", "9630", "0369", "7412", "7896", "9874", "2525",
        "12321", "13579", "24680", "54320", "12341", "11223", "14789", "12580", "09876", "36987", "90210", "42069",
        "112233", "332211", "123321", "321123", "159753", "753159", "147258", "258369", "369258", "852963", "963852",
        "789456", "456123", "147852", "258963", "369852", "741852", "159357", "357159", "123654", "321654", "456852",
        "123789", "987123", "520131", "520520", "142536", "135790", "102030", "100200", "147896", "789632", "159951",
        "696969", "007007", "010203", "131420", "112358", "314159", "271828", "911911", "246810", "124578", "456654",
        "1472583", "8675309", "3141592", "5201314", "1357911",
        "11223344", "44332211", "12344321", "43211234", "14725836", "36925814", "12345679", "31415926", "10203040",
        "147258369", "369258147", "789456123", "741852963", "963852741", "159753456", "123654789", "987456321",
        "314159265", "112233445", "1122334455", "1234554321", "5432112345", "1470258369", "1357924680", "0246813579",
        "3141592653", "11223344556", "112233445566", "123456654321", "147258369000", "789456123000", "123123456456",
    ];

    /// <summary>Whether a new PIN or passphrase may be this one.</summary>
    /// <param name="handle">A passphrase built on the account's own handle is as easy to guess as a common one.</param>
    public static PinRefusal Check(Pin pin, string handle)
    {
        ArgumentNullException.ThrowIfNull(pin);
        ArgumentNullException.ThrowIfNull(handle);
        if (pin.IsPassphrase)
        {
            return PasswordRules.Check(pin.PassphraseText(), handle).IsOk
                ? PinRefusal.None : PinRefusal.PassphraseCommon;
        }

        var digits = pin.Digits;
        return IsCommon(digits) ? PinRefusal.Common
            : IsRepeated(digits) ? PinRefusal.Repeated
            : IsSequential(digits) ? PinRefusal.Sequential
            : IsBirthdayLike(digits) ? PinRefusal.BirthdayLike
            : PinRefusal.None;
    }

    private static bool IsCommon(ReadOnlySpan<byte> digits)
    {
        // All of them are compared, found or not: it is a handful, and says nothing by its time.
        var isCommon = false;
        Span<byte> code = stackalloc byte[VaultLimits.PinMaxDigits];
        foreach (var text in s_common)
        {
            isCommon |= code[..Encoding.ASCII.GetBytes(text, code)].SequenceEqual(digits);
        }

        return isCommon;
    }

    private static bool IsRepeated(ReadOnlySpan<byte> digits)
    {
        for (var unit = 1; unit <= digits.Length / 2; unit++)
        {
            if (digits[unit..].SequenceEqual(digits[..^unit]))
            {
                return true;
            }
        }

        var seen = 0;
        foreach (var digit in digits)
        {
            seen |= 1 << (digit - '0');
        }

        return int.PopCount(seen) < (digits.Length >= ThreeDistinctFrom ? 3 : 2);
    }

    /// <summary>One step between all neighbours, where 0 comes after 9: 1234, 8901, 4321, 2468.</summary>
    private static bool IsSequential(ReadOnlySpan<byte> digits)
    {
        var step = StepBetween(digits[0], digits[1]);
        for (var i = 2; i < digits.Length; i++)
        {
            if (StepBetween(digits[i - 1], digits[i]) != step)
            {
                return false;
            }
        }

        return true;
    }

    private static int StepBetween(byte from, byte to) => (to - from + 10) % 10;

    private static bool IsBirthdayLike(ReadOnlySpan<byte> digits) => digits.Length switch
    {
        4 => IsYear(digits) || IsDay(digits[..2], digits[2..]) || IsDay(digits[2..], digits[..2]),
        6 => IsDay(digits[..2], digits[2..4]) || IsDay(digits[2..4], digits[..2]) || IsDay(digits[4..], digits[2..4])
            || (IsMonth(digits[..2]) && IsYear(digits[2..])) || (IsYear(digits[..4]) && IsMonth(digits[4..])),
        8 => (IsYear(digits[4..]) && (IsDay(digits[..2], digits[2..4]) || IsDay(digits[2..4], digits[..2])))
            || (IsYear(digits[..4]) && (IsDay(digits[6..], digits[4..6]) || IsDay(digits[4..6], digits[6..]))),
        _ => false,
    };

    private static bool IsYear(ReadOnlySpan<byte> digits) => Number(digits) is >= FirstYear and <= LastYear;

    private static bool IsMonth(ReadOnlySpan<byte> digits) => Number(digits) is >= 1 and <= 12;

    private static bool IsDay(ReadOnlySpan<byte> day, ReadOnlySpan<byte> month) =>
        Number(day) >= 1 && Number(day) <= Number(month) switch
        {
            2 => 29,
            4 or 6 or 9 or 11 => 30,
            1 or 3 or 5 or 7 or 8 or 10 or 12 => 31,
            _ => 0,
        };

    private static int Number(ReadOnlySpan<byte> digits)
    {
        var number = 0;
        foreach (var digit in digits)
        {
            number = (number * 10) + (digit - '0');
        }

        return number;
    }
}

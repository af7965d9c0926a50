using System.Collections.Frozen;
using System.Reflection;
using System.Text;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Accounts;

/// <summary>
/// Which passwords are refused. Beyond the length there is one question: would a guesser's list reach it early? Such lists
/// are made of few words and few habits, so the habits are undone first (capitals, 3 for e, digits and signs at the ends,
/// repetition, keyboard walks) and what remains is looked up among the words. Each of the words stands for
/// thousands of entries of a leaked list, and the list fits into one screen.
/// </summary>
public static class PasswordRules
{
    /// <summary>Characters that a password of keyboard walks may have besides them, such as a leading capital X or a !.</summary>
    private const int StrayChars = 2;

    private const int WalkMinChars = 3;
    private const int DistinctMinChars = 5;

    /// <summary>More words than this are a passphrase, unless they repeat.</summary>
    private const int CommonWordsMax = 2;

    private static readonly string[] Rows =
    [
        "`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "azertyuiop", "qsdfghjklm", "wxcvbn,;:!",
        "qwertzuiop", "yxcvbnm", "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
        "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "1a2z3e4r5t6y7u8i9o0p", "147258369", "159753", "789456123",
        "!@#$%^&*()",
    ];

    private static readonly FrozenSet<string> Walks = AllWalks();
    private static readonly FrozenSet<string> Words = LoadWords();
    private static readonly int LongestWord = Words.Max(word => word.Length);

    /// <summary>The password as it is hashed, in Normalization Form C; or why it is refused.</summary>
    /// <param name="handle">A password built on the account's own handle is as easy to guess as a common one.</param>
    public static Result<string> Check(string? password, string handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        if (Normalize(password) is not { } normal)
        {
            return new Error(
                ErrorCode.PasswordLength,
                $"A password has {Limits.PasswordMinChars} to {Limits.PasswordMaxChars} characters.");
        }

        return IsGuessable(normal.ToLowerInvariant(), handle)
            ? new Error(
                ErrorCode.PasswordCommon,
                "This password is among the first that a guesser tries. Take several unrelated words, or a manager's random one.")
            : normal;
    }

    /// <summary>The password in the form it is hashed in, or null if no password has that length.</summary>
    public static string? Normalize(string? password)
    {
        // Before any work: no normal form of a longer text has so few characters.
        if (password is null || password.Length > Limits.PasswordMaxChars * 8)
        {
            return null;
        }

        var normal = NormalFormC.Of(password);
        var length = normal.EnumerateRunes().Count();
        return length is < Limits.PasswordMinChars or > Limits.PasswordMaxChars ? null : normal;
    }

    private static bool IsGuessable(string password, string handle)
    {
        if (password.Distinct().Count() < DistinctMinChars || IsWalks(password))
        {
            return true;
        }

        var unit = RepeatedUnit(password);
        if (unit.Length < Limits.PasswordMinChars && unit.Length < password.Length)
        {
            return true;
        }

        var name = handle.Replace("_", "", StringComparison.Ordinal);
        return Holds(password, name) || Readings(unit).Any(reading => IsFewWords(reading, name));
    }

    /// <summary>The texts that may have been meant: as it stands, without its walks, and with signs read as letters.</summary>
    private static IEnumerable<string> Readings(string text)
    {
        foreach (var reading in (string[])[text, WithoutWalks(text)])
        {
            // Digits behind a word are a number, between its letters they are letters: p4ssw0rd1 is password and a 1.
            var first = reading.AsSpan().IndexOfAnyInRange('a', 'z');
            var last = reading.AsSpan().LastIndexOfAnyInRange('a', 'z');
            var core = first < 0 ? "" : reading[first..(last + 1)];
            yield return reading;
            if (core.Length == 0)
            {
                continue;
            }

            yield return reading.Replace(core, Unleet(core, 'i'), StringComparison.Ordinal);
            yield return reading.Replace(core, Unleet(core, 'l'), StringComparison.Ordinal);
            yield return Unleet(reading, 'i');
        }
    }

    /// <summary>Whether the handle makes up the password but for some characters that anybody would try after it.</summary>
    private static bool Holds(string password, string name)
    {
        var letters = string.Concat(password.Where(char.IsLetterOrDigit));
        return letters.Contains(name, StringComparison.Ordinal) && (name.Length >= 5 || letters.Length - name.Length < 8);
    }

    private static bool IsWalks(string password)
    {
        var stray = 0;
        var index = 0;
        while (index < password.Length)
        {
            var length = LongestWalk(password, index);
            stray += length == 0 ? 1 : 0;
            index += Math.Max(length, 1);
        }

        return stray <= StrayChars;
    }

    private static string WithoutWalks(string password)
    {
        var rest = new StringBuilder(password.Length);
        var index = 0;
        while (index < password.Length)
        {
            var length = LongestWalk(password, index);
            if (length <= WalkMinChars)
            {
                rest.Append(password[index]);
                length = 1;
            }

            index += length;
        }

        return rest.ToString();
    }

    private static int LongestWalk(string password, int start)
    {
        var length = WalkMinChars;
        while (start + length <= password.Length && Walks.Contains(password.Substring(start, length)))
        {
            length++;
        }

        return length == WalkMinChars ? 0 : length - 1;
    }

    /// <summary>The shortest text of which the password is a repetition; the password itself if it is none.</summary>
    private static string RepeatedUnit(string password)
    {
        for (var length = 1; length <= password.Length / 2; length++)
        {
            var repeats = true;
            for (var index = length; index < password.Length && repeats; index++)
            {
                repeats = password[index] == password[index - length];
            }

            if (repeats)
            {
                return password[..length];
            }
        }

        return password;
    }

    /// <summary>
    /// Whether what remains without signs and numbers is at most two common words; the handle counts as one. Words of fewer
    /// than three letters count for nothing, so <c>kb82xd47vf19</c> is no word at all and is not refused here.
    /// </summary>
    private static bool IsFewWords(string password, string name)
    {
        var letters = string.Concat(password.Where(char.IsLetter));
        var others = password.Length - letters.Length;
        return letters.Length >= WalkMinChars && others <= MaxOthers(letters.Length)
            && Split(letters, name, CommonWordsMax);
    }

    /// <summary>A long random number beside a word is no habit; a year or a handful of digits is.</summary>
    private static int MaxOthers(int letters) => letters >= 8 ? 6 : 8;

    private static bool Split(ReadOnlySpan<char> letters, string name, int words)
    {
        if (letters.IsEmpty)
        {
            return true;
        }

        var longest = Math.Min(letters.Length, Math.Max(LongestWord, name.Length));
        for (var length = longest; words > 0 && length >= WalkMinChars; length--)
        {
            var word = letters[..length];
            var known = Words.GetAlternateLookup<ReadOnlySpan<char>>().Contains(word) || word.SequenceEqual(name);
            if (known && Split(letters[length..], name, words - 1))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Letters for the digits and signs that stand for them; 1 and ! are read as i or as l.</summary>
    private static string Unleet(string text, char one) => string.Concat(text.Select(letter => letter switch
    {
        '0' => 'o',
        '3' => 'e',
        '4' or '@' => 'a',
        '5' or '$' => 's',
        '7' or '+' => 't',
        '1' or '!' => one,
        _ => letter,
    }));

    private static FrozenSet<string> AllWalks()
    {
        var walks = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in Rows)
        {
            var there = row + row;
            var back = new string([.. there.Reverse()]);
            for (var start = 0; start < row.Length; start++)
            {
                for (var length = WalkMinChars; length <= row.Length; length++)
                {
                    walks.Add(there.Substring(start, length));
                    walks.Add(back.Substring(start, length));
                }
            }
        }

        return walks.ToFrozenSet(StringComparer.Ordinal);
    }

    private static FrozenSet<string> LoadWords()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Accounts.common-words.txt")
            ?? throw new InvalidOperationException("The list of common words is not embedded.");
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return reader.ReadToEnd()
            .Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word.Length >= WalkMinChars)
            .ToFrozenSet(StringComparer.Ordinal);
    }
}

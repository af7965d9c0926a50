using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Accounts;

/// <summary>
/// A stored password: Argon2id with its parameters and salt beside it, so that old rows still verify after the parameters
/// were raised. The text is the PHC string, <c>$argon2id$v=19$m=19456,t=2,p=1$salt$hash</c>, base64 without padding, as
/// libsodium and every other implementation write it.
/// </summary>
public static class PasswordHash
{
    private const int HashSize = 32;
    private const int TextMaxChars = 256;

    /// <summary>Hashes a password that <see cref="PasswordRules"/> has accepted.</summary>
    /// <param name="salt">16 fresh random bytes.</param>
    public static string Create(string password, in Argon2Parameters parameters, ReadOnlySpan<byte> salt)
    {
        ArgumentNullException.ThrowIfNull(password);
        Span<byte> hash = stackalloc byte[HashSize];
        Derive(password, parameters, salt, hash);
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{Costs(parameters)}{Convert.ToBase64String(salt).TrimEnd('=')}${Convert.ToBase64String(hash).TrimEnd('=')}");
        CryptographicOperations.ZeroMemory(hash);
        return text;
    }

    /// <summary>Whether the password is the one that was hashed. False as well for a text that is no such hash.</summary>
    public static bool Verify(string password, string phcText)
    {
        ArgumentNullException.ThrowIfNull(password);
        ArgumentNullException.ThrowIfNull(phcText);
        if (!TryParse(phcText, out var parameters, out var salt, out var expected))
        {
            return false;
        }

        Span<byte> hash = stackalloc byte[HashSize];
        Derive(password, parameters, salt, hash);
        var same = CryptographicOperations.FixedTimeEquals(hash, expected);
        CryptographicOperations.ZeroMemory(hash);
        return same;
    }

    /// <summary>Whether the text was made with other parameters than these, so that it is time to hash again.</summary>
    public static bool NeedsRehash(string phcText, in Argon2Parameters parameters)
    {
        ArgumentNullException.ThrowIfNull(phcText);
        return !phcText.StartsWith(Costs(parameters), StringComparison.Ordinal);
    }

    private static string Costs(in Argon2Parameters parameters) => string.Create(
        CultureInfo.InvariantCulture,
        $"$argon2id$v=19$m={parameters.MemorySize},t={parameters.NumberOfPasses},p={parameters.DegreeOfParallelism}$");

    private static void Derive(
        string password, in Argon2Parameters parameters, ReadOnlySpan<byte> salt, Span<byte> hash)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(password)];
        try
        {
            Encoding.UTF8.GetBytes(password, bytes);
            new Argon2id(parameters).DeriveBytes(bytes, salt, hash);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static bool TryParse(string text, out Argon2Parameters parameters, out byte[] salt, out byte[] hash)
    {
        parameters = default;
        salt = hash = [];
        var fields = text.Length <= TextMaxChars ? text.Split('$') : [];
        if (fields is not ["", "argon2id", "v=19", var costs, var saltText, var hashText]
            || costs.Split(',') is not [var memory, var passes, var lanes]
            || !TryNumber(memory, "m=", out var memorySize)
            || !TryNumber(passes, "t=", out var numberOfPasses)
            || !TryNumber(lanes, "p=", out var degreeOfParallelism))
        {
            return false;
        }

        parameters = new Argon2Parameters(degreeOfParallelism, memorySize, numberOfPasses);
        return Argon2id.AreValid(parameters)
            && TryBytes(saltText, Argon2id.SaltSize, out salt)
            && TryBytes(hashText, HashSize, out hash);
    }

    private static bool TryNumber(string text, string prefix, out int number)
    {
        number = 0;
        return text.StartsWith(prefix, StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private static bool TryBytes(string text, int size, out byte[] bytes)
    {
        bytes = new byte[size];
        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        return Convert.TryFromBase64String(padded, bytes, out var written) && written == size;
    }
}

using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Identity;

/// <summary>One side of a comparison: an account and its identity key, Ed25519, 32 bytes.</summary>
public sealed record Identified(AccountId Account, byte[] IdentityKey)
{
    private const int IdBytes = 16;
    private const int KeyBytes = 32;

    internal const int SizeBytes = IdBytes + KeyBytes;

    internal byte[] ToBytes() => IdentityKey is { Length: KeyBytes }
        ? [.. Account.Value.ToByteArray(bigEndian: true), .. IdentityKey]
        : throw new InvalidOperationException($"An identity key has {KeyBytes} bytes.");
}

/// <summary>
/// Sixty digits by which two people see that they have each other's identity keys: the same on both sides, and another
/// number for any other key. Half of it is of each person: SHA-512 of "chatpay safety v1" ‖ account (16) ‖ identity key (32),
/// hashed again 5,200 times with the key after it; six times five bytes of it make five digits each. The lower half comes
/// first.
/// </summary>
public static class SafetyNumber
{
    public const int Digits = 60;

    private const string Prefix = "chatpay:safety:1:";
    private const int Iterations = 5200;
    private const int Groups = 6;
    private const int GroupBytes = 5;
    private const int GroupDigits = 5;
    private const long GroupModulus = 100_000;

    private static ReadOnlySpan<byte> Label => "chatpay safety v1"u8;

    /// <summary>Sixty digits; people read them in twelve groups of five.</summary>
    public static string Of(Identified one, Identified other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        var (mine, theirs) = (HalfOf(one), HalfOf(other));
        return string.CompareOrdinal(mine, theirs) <= 0 ? mine + theirs : theirs + mine;
    }

    /// <summary>What one shows to be scanned.</summary>
    public static string CodeOf(Identified own, Identified other)
    {
        ArgumentNullException.ThrowIfNull(own);
        ArgumentNullException.ThrowIfNull(other);
        return Prefix + Base64Url.EncodeToString([.. own.ToBytes(), .. other.ToBytes()]);
    }

    /// <summary>
    /// Whether what was scanned from the other person's screen says the same as what is known here; null where it is no such
    /// code at all.
    /// </summary>
    public static bool? Matches(string? scanned, Identified own, Identified other)
    {
        ArgumentNullException.ThrowIfNull(own);
        ArgumentNullException.ThrowIfNull(other);
        var text = (scanned ?? "").AsSpan().Trim();
        Span<byte> bytes = stackalloc byte[2 * Identified.SizeBytes];
        if (!text.StartsWith(Prefix, StringComparison.Ordinal)
            || text.Length != Prefix.Length + Base64Url.GetEncodedLength(bytes.Length)
            || !Base64Url.TryDecodeFromChars(text[Prefix.Length..], bytes, out var written) || written != bytes.Length)
        {
            return null;
        }

        return bytes[..Identified.SizeBytes].SequenceEqual(other.ToBytes())
            && bytes[Identified.SizeBytes..].SequenceEqual(own.ToBytes());
    }

    private static string HalfOf(Identified person)
    {
        var key = person.IdentityKey;
        var hash = SHA512.HashData([.. Label, .. person.ToBytes()]);
        var input = new byte[SHA512.HashSizeInBytes + key.Length];
        key.CopyTo(input, SHA512.HashSizeInBytes);
        for (var i = 0; i < Iterations; i++)
        {
            hash.CopyTo(input, 0);
            SHA512.HashData(input, hash);
        }

        var half = new StringBuilder(Groups * GroupDigits);
        for (var group = 0; group < Groups; group++)
        {
            var number = 0L;
            foreach (var value in hash.AsSpan(group * GroupBytes, GroupBytes))
            {
                number = (number << 8) | value;
            }

            half.Append((number % GroupModulus).ToString("D5", CultureInfo.InvariantCulture));
        }

        return half.ToString();
    }
}

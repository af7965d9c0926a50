using System.Runtime.InteropServices;

namespace ChatPay.Core.Cryptography;

/// <summary>How much work one Argon2 derivation is.</summary>
/// <param name="DegreeOfParallelism">Lanes; libsodium computes with exactly one.</param>
/// <param name="MemorySize">Memory in kibibytes.</param>
/// <param name="NumberOfPasses">Passes over that memory.</param>
public readonly record struct Argon2Parameters(int DegreeOfParallelism, int MemorySize, int NumberOfPasses);

/// <summary>
/// Argon2id, version 1.3: turns a low-entropy secret into bytes at a cost in memory and time that its guesser pays as well.
/// </summary>
/// <remarks>
/// Reference: RFC 9106. Password: any length. Salt: exactly 16 bytes, passed in. Output: 16 to 64 bytes. Memory: 8 KiB to
/// 1 GiB; passes: 1 to 100; one lane. The bounds are narrower than libsodium's so that parameters read from a damaged row
/// cannot exhaust the machine. A derivation allocates its memory at once and frees it before it returns.
/// </remarks>
public sealed class Argon2id
{
    public const int SaltSize = 16;
    public const int MinCount = 16;
    public const int MaxCount = 64;
    public const int MinMemorySize = 8;
    public const int MaxMemorySize = 1024 * 1024;
    public const int MinNumberOfPasses = 1;
    public const int MaxNumberOfPasses = 100;

    private readonly Argon2Parameters _parameters;

    /// <exception cref="ArgumentOutOfRangeException">A parameter is outside the bounds above.</exception>
    public Argon2id(in Argon2Parameters parameters)
    {
        if (!AreValid(parameters))
        {
            throw new ArgumentOutOfRangeException(nameof(parameters), parameters, "Outside the bounds of Argon2id.");
        }

        Sodium.Initialize();
        _parameters = parameters;
    }

    /// <summary>Whether the parameters are within the bounds above; for those that come from outside.</summary>
    public static bool AreValid(in Argon2Parameters parameters) =>
        parameters.DegreeOfParallelism == 1
        && parameters.MemorySize is >= MinMemorySize and <= MaxMemorySize
        && parameters.NumberOfPasses is >= MinNumberOfPasses and <= MaxNumberOfPasses;

    /// <summary>Fills <paramref name="bytes"/> from the password.</summary>
    /// <exception cref="ArgumentException">Salt or output have the wrong length.</exception>
    /// <exception cref="InvalidOperationException">The memory could not be had.</exception>
    public void DeriveBytes(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, Span<byte> bytes)
    {
        if (salt.Length != SaltSize)
        {
            throw new ArgumentException($"The salt has {salt.Length} bytes instead of {SaltSize}.", nameof(salt));
        }

        if (bytes.Length is < MinCount or > MaxCount)
        {
            throw new ArgumentException($"Derives {MinCount} to {MaxCount} bytes, not {bytes.Length}.", nameof(bytes));
        }

        DeriveBytesCore(password, salt, bytes);
    }

    private void DeriveBytesCore(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, Span<byte> bytes)
    {
        var outcome = Sodium.PasswordHash(
            bytes, (ulong)bytes.Length, password, (ulong)password.Length, salt,
            (ulong)_parameters.NumberOfPasses, (nuint)_parameters.MemorySize * 1024, Sodium.Argon2id13);
        if (outcome != 0)
        {
            throw new InvalidOperationException($"Argon2id could not have {_parameters.MemorySize} KiB.");
        }
    }
}

public static partial class Sodium
{
    /// <summary><c>crypto_pwhash_ALG_ARGON2ID13</c>.</summary>
    internal const int Argon2id13 = 2;

    [LibraryImport(Library, EntryPoint = "crypto_pwhash")]
    internal static partial int PasswordHash(
        Span<byte> output, ulong outputLength, ReadOnlySpan<byte> password, ulong passwordLength, ReadOnlySpan<byte> salt,
        ulong operationsLimit, nuint memoryLimitBytes, int algorithm);
}

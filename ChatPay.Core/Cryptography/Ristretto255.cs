using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// The group ristretto255 and the numbers that its elements are multiplied by.
///
/// Reference: RFC 9496; libsodium's crypto_core_ristretto255 and crypto_scalarmult_ristretto255. NSec has no such group,
/// so this is the raw arithmetic, for protocols that are built on it, such as the oblivious functions of RFC 9497.
/// Sizes: an element 32 bytes, a scalar 32, what is mapped to an element or reduced to a scalar 64.
/// Strictness: an element has one encoding; all other bytes, and the identity, which hides nothing, are refused wherever
/// an element is taken or given. A scalar is below the group's order.
/// Time: it depends on whether bytes are an element or a scalar, never on which one.
/// </summary>
public static partial class Ristretto255
{
    /// <summary>Size of an element in bytes.</summary>
    public const int ElementSize = 32;

    /// <summary>Size of a scalar in bytes.</summary>
    public const int ScalarSize = 32;

    /// <summary>Size in bytes of what <see cref="MapToElement"/> and <see cref="ReduceToScalar"/> take.</summary>
    public const int UniformSize = 64;

    /// <summary>Whether the bytes are the encoding of an element that is not the identity.</summary>
    public static bool IsElement(ReadOnlySpan<byte> element)
    {
        Sodium.Initialize();
        return element.Length == ElementSize && element.ContainsAnyExcept((byte)0) && IsValidPoint(element) == 1;
    }

    /// <summary>Whether the bytes are the encoding of a scalar, which has only one; zero is one too.</summary>
    public static bool IsScalar(ReadOnlySpan<byte> scalar)
    {
        if (scalar.Length != ScalarSize)
        {
            return false;
        }

        Sodium.Initialize();
        Span<byte> zero = stackalloc byte[ScalarSize];
        Span<byte> reduced = stackalloc byte[ScalarSize];
        zero.Clear();
        ScalarAdd(reduced, scalar, zero);
        var isReduced = CryptographicOperations.FixedTimeEquals(reduced, scalar);
        CryptographicOperations.ZeroMemory(reduced);
        return isReduced;
    }

    /// <summary>The one-way map, section 4.3.4: an element of which nobody knows the logarithm.</summary>
    /// <param name="uniform">64 bytes that look random, such as a hash.</param>
    /// <exception cref="ArgumentException">A span of another size.</exception>
    public static void MapToElement(ReadOnlySpan<byte> uniform, Span<byte> element)
    {
        CheckSize(uniform, UniformSize);
        CheckSize(element, ElementSize);
        Sodium.Initialize();
        Require(FromHash(element, uniform));
    }

    /// <summary>The generator times a scalar; false for zero.</summary>
    /// <exception cref="ArgumentException">A span of another size, or no scalar.</exception>
    public static bool TryMultiplyBase(ReadOnlySpan<byte> scalar, Span<byte> product)
    {
        CheckScalar(scalar);
        CheckSize(product, ElementSize);
        return ScalarMultBase(product, scalar) == 0;
    }

    /// <summary>An element times a scalar; false where the element is none, or the scalar zero.</summary>
    /// <exception cref="ArgumentException">A span of another size, or no scalar.</exception>
    public static bool TryMultiply(ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> element, Span<byte> product)
    {
        CheckScalar(scalar);
        CheckSize(product, ElementSize);
        return IsElement(element) && ScalarMult(product, scalar, element) == 0;
    }

    /// <summary>The sum of two elements; false where one is none, or the sum is the identity.</summary>
    /// <exception cref="ArgumentException"><paramref name="sum"/> has another size.</exception>
    public static bool TryAdd(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> sum)
    {
        CheckSize(sum, ElementSize);
        return IsElement(first) && IsElement(second) && Add(sum, first, second) == 0
            && sum.ContainsAnyExcept((byte)0);
    }

    /// <summary>One element less another; false where one is none, or the difference is the identity.</summary>
    /// <exception cref="ArgumentException"><paramref name="difference"/> has another size.</exception>
    public static bool TrySubtract(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> difference)
    {
        CheckSize(difference, ElementSize);
        return IsElement(first) && IsElement(second) && Subtract(difference, first, second) == 0
            && difference.ContainsAnyExcept((byte)0);
    }

    /// <summary>A scalar that is as random as the 64 bytes are, section 4.4.</summary>
    /// <exception cref="ArgumentException">A span of another size.</exception>
    public static void ReduceToScalar(ReadOnlySpan<byte> uniform, Span<byte> scalar)
    {
        CheckSize(uniform, UniformSize);
        CheckSize(scalar, ScalarSize);
        Sodium.Initialize();
        ScalarReduce(scalar, uniform);
    }

    /// <exception cref="ArgumentException">A span of another size, or no scalar.</exception>
    public static void AddScalars(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> sum)
    {
        CheckScalar(first);
        CheckScalar(second);
        CheckSize(sum, ScalarSize);
        ScalarAdd(sum, first, second);
    }

    /// <exception cref="ArgumentException">A span of another size, or no scalar.</exception>
    public static void SubtractScalars(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> difference)
    {
        CheckScalar(first);
        CheckScalar(second);
        CheckSize(difference, ScalarSize);
        ScalarSubtract(difference, first, second);
    }

    /// <exception cref="ArgumentException">A span of another size, or no scalar.</exception>
    public static void MultiplyScalars(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> product)
    {
        CheckScalar(first);
        CheckScalar(second);
        CheckSize(product, ScalarSize);
        ScalarMultiply(product, first, second);
    }

    /// <summary>The scalar that gives one when multiplied; false for zero, which has none.</summary>
    /// <exception cref="ArgumentException">A span of another size, or no scalar.</exception>
    public static bool TryInvertScalar(ReadOnlySpan<byte> scalar, Span<byte> inverse)
    {
        CheckScalar(scalar);
        CheckSize(inverse, ScalarSize);
        return ScalarInvert(inverse, scalar) == 0;
    }

    private static void CheckScalar(ReadOnlySpan<byte> scalar)
    {
        if (!IsScalar(scalar))
        {
            throw new ArgumentException("A scalar is 32 bytes and below the group's order.", nameof(scalar));
        }
    }

    private static void CheckSize(ReadOnlySpan<byte> bytes, int sizeBytes)
    {
        if (bytes.Length != sizeBytes)
        {
            throw new ArgumentException($"There are {bytes.Length} bytes instead of {sizeBytes}.", nameof(bytes));
        }
    }

    private static void Require(int outcome)
    {
        if (outcome != 0)
        {
            throw new InvalidOperationException("libsodium could not map to an element.");
        }
    }

    [LibraryImport("libsodium", EntryPoint = "crypto_core_ristretto255_is_valid_point")]
    private static partial int IsValidPoint(ReadOnlySpan<byte> element);

    [LibraryImport("libsodium", EntryPoint = "crypto_core_ristretto255_from_hash")]
    private static partial int FromHash(Span<byte> element, ReadOnlySpan<byte> uniform);

    [LibraryImport("libsodium", EntryPoint = "crypto_core_ristretto255_add")]
    private static partial int Add(Span<byte> sum, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second);

    [LibraryImport("libsodium", EntryPoint = "crypto_core_ristretto255_sub")]
    private static partial int Subtract(Span<byte> difference, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second);

    [LibraryImport("libsodium", EntryPoint = "crypto_scalarmult_ristretto255")]
    private static partial int ScalarMult(Span<byte> product, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> element);

    [LibraryImport("libsodium", EntryPoint = "crypto_scalarmult_ristretto255_base")]
    private static partial int ScalarMultBase(Span<byte> product, ReadOnlySpan<byte> scalar);

    [LibraryImport("libsodium", EntryPoint = "crypto_core_ristretto255_scalar_reduce")]
    private static partial void ScalarReduce(Span<byte> scalar, ReadOnlySpan<byte> uniform);

    [LibraryImport("libsodium", EntryPoint = "crypto_core_ristretto255_scalar_add")]
    private static partial void ScalarAdd(Span<byte> sum, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second);

    [LibraryImport("libsodium", EntryPoint = "crypto_core_ristretto255_scalar_sub")]
    private static partial void ScalarSubtract(
        Span<byte> difference, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second);

    [LibraryImport("libsodium", EntryPoint = "crypto_core_ristretto255_scalar_mul")]
    private static partial void ScalarMultiply(
        Span<byte> product, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second);

    [LibraryImport("libsodium", EntryPoint = "crypto_core_ristretto255_scalar_invert")]
    private static partial int ScalarInvert(Span<byte> inverse, ReadOnlySpan<byte> scalar);
}

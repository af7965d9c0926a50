using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// Shamir's sharing of a ristretto255 scalar: shares 1 to n are the values of a random polynomial whose value at zero
/// is the secret, so that any t of them give the secret, by Lagrange's interpolation, and fewer say nothing.
///
/// Reference: Shamir, "How to share a secret", 1979. Sizes: a share is 32 bytes; n is at most
/// <see cref="VaultLimits.Realms"/>. What multiplies an element by each share and interpolates the products has
/// multiplied it by the secret: so evaluates a threshold of realms what none of them could.
/// </summary>
internal static class SecretSharing
{
    private const int Size = Ristretto255.ScalarSize;

    /// <summary>
    /// Fills <paramref name="shares"/> with share 1 to n, one after the other; the caller zeroes them.
    /// </summary>
    /// <param name="secret">A scalar.</param>
    /// <param name="threshold">How many shares are needed: 1 to n.</param>
    /// <param name="shares">n times 32 bytes.</param>
    /// <exception cref="ArgumentException">No scalar, or no such sharing.</exception>
    public static void Split(ReadOnlySpan<byte> secret, int threshold, FillRandom random, Span<byte> shares)
    {
        var count = shares.Length / Size;
        if (shares.Length % Size != 0 || count is 0 or > VaultLimits.Realms || threshold < 1 || threshold > count)
        {
            throw new ArgumentException("There are 1 to 16 shares, and no larger threshold.", nameof(threshold));
        }

        if (!Ristretto255.IsScalar(secret))
        {
            throw new ArgumentException("What is shared is a scalar.", nameof(secret));
        }

        using var coefficients = new Secret(threshold * Size);
        secret.CopyTo(coefficients.Span);
        for (var i = 1; i < threshold; i++)
        {
            Oprf.RandomScalar(random, coefficients.Span.Slice(i * Size, Size));
        }

        Span<byte> x = stackalloc byte[Size];
        for (var index = 1; index <= count; index++)
        {
            // Horner's rule, from the highest coefficient down.
            ScalarOf(index, x);
            var share = shares.Slice((index - 1) * Size, Size);
            share.Clear();
            for (var i = threshold - 1; i >= 0; i--)
            {
                Ristretto255.MultiplyScalars(share, x, share);
                Ristretto255.AddScalars(share, coefficients.Span.Slice(i * Size, Size), share);
            }
        }
    }

    /// <summary>The secret that shares give; the caller zeroes it.</summary>
    /// <param name="indices">One byte each, 1 to n, none twice.</param>
    /// <param name="shares">The shares of these indices, one after the other.</param>
    /// <param name="rejection">Why not.</param>
    public static bool TryCombineScalars(
        int threshold, ReadOnlySpan<byte> indices, ReadOnlySpan<byte> shares, Span<byte> secret,
        out VaultRejection rejection)
    {
        secret.Clear();
        if (!AreUsable(threshold, indices, shares, out rejection))
        {
            return false;
        }

        Span<byte> term = stackalloc byte[Size];
        for (var i = 0; i < indices.Length; i++)
        {
            var share = shares.Slice(i * Size, Size);
            if (!Ristretto255.IsScalar(share))
            {
                rejection = VaultRejection.ScalarInvalid;
                break;
            }

            Coefficient(indices, i, term);
            Ristretto255.MultiplyScalars(term, share, term);
            Ristretto255.AddScalars(secret, term, secret);
        }

        CryptographicOperations.ZeroMemory(term);
        return rejection == VaultRejection.None;
    }

    /// <summary>The element that its products with the shares give: the element times the secret.</summary>
    /// <param name="indices">One byte each, 1 to n, none twice.</param>
    /// <param name="products">The products with the shares of these indices, one after the other.</param>
    /// <param name="rejection">Why not.</param>
    public static bool TryCombineElements(
        int threshold, ReadOnlySpan<byte> indices, ReadOnlySpan<byte> products, Span<byte> product,
        out VaultRejection rejection)
    {
        if (!AreUsable(threshold, indices, products, out rejection))
        {
            return false;
        }

        Span<byte> coefficient = stackalloc byte[Size];
        Span<byte> term = stackalloc byte[Size];
        Span<byte> sum = stackalloc byte[Size];
        for (var i = 0; i < indices.Length; i++)
        {
            var element = products.Slice(i * Size, Size);
            if (!VaultPoints.IsElement(element, out rejection))
            {
                return false;
            }

            Coefficient(indices, i, coefficient);
            var isMultiplied = Ristretto255.TryMultiply(coefficient, element, term);
            if (i == 0)
            {
                term.CopyTo(sum);
            }

            // The identity on the way is as unlikely as a guessed key, and at the end it is no value.
            if (!isMultiplied || (i > 0 && !Ristretto255.TryAdd(sum, term, sum)))
            {
                rejection = VaultRejection.PointIdentity;
                return false;
            }
        }

        sum.CopyTo(product);
        return true;
    }

    /// <summary>
    /// Lagrange's coefficient of one index among several, for the value at zero: ∏ x_j / (x_j - x_i).
    /// </summary>
    internal static void Coefficient(ReadOnlySpan<byte> indices, int position, Span<byte> coefficient)
    {
        Span<byte> own = stackalloc byte[Size];
        Span<byte> other = stackalloc byte[Size];
        Span<byte> denominator = stackalloc byte[Size];
        ScalarOf(indices[position], own);
        ScalarOf(1, coefficient);
        ScalarOf(1, denominator);
        for (var i = 0; i < indices.Length; i++)
        {
            if (i != position)
            {
                ScalarOf(indices[i], other);
                Ristretto255.MultiplyScalars(coefficient, other, coefficient);
                Ristretto255.SubtractScalars(other, own, other);
                Ristretto255.MultiplyScalars(denominator, other, denominator);
            }
        }

        if (!Ristretto255.TryInvertScalar(denominator, denominator))
        {
            throw new ArgumentException("No index occurs twice.", nameof(indices));
        }

        Ristretto255.MultiplyScalars(coefficient, denominator, coefficient);
    }

    private static bool AreUsable(
        int threshold, ReadOnlySpan<byte> indices, ReadOnlySpan<byte> values, out VaultRejection rejection)
    {
        rejection = values.Length != indices.Length * Size ? VaultRejection.LengthWrong
            : indices.Length < threshold || indices.IsEmpty ? VaultRejection.SharesTooFew
            : VaultRejection.None;
        var seen = 0;
        foreach (var index in indices)
        {
            if (rejection == VaultRejection.None)
            {
                rejection = index is 0 or > VaultLimits.Realms ? VaultRejection.IndexInvalid
                    : (seen & (1 << index)) != 0 ? VaultRejection.IndexDuplicate
                    : VaultRejection.None;
                seen |= 1 << (index & 31);
            }
        }

        return rejection == VaultRejection.None;
    }

    private static void ScalarOf(int number, Span<byte> scalar)
    {
        scalar.Clear();
        scalar[0] = (byte)number;
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>
/// SHA-256 over a card's terms and its encrypted details. It stands in the card's row and in the message's
/// authenticated data, so that nobody can show one thing and settle another. The salt keeps the memo from being guessed
/// from it.
/// </summary>
public static class DetailCommitment
{
    private static ReadOnlySpan<byte> Label => "chatpay card v1"u8;

    /// <param name="salt">32 random bytes of the author's, sent with the memo inside the encrypted message.</param>
    /// <param name="memo">At most <see cref="Limits.CardMemoMaxChars"/> UTF-16 units; may be empty.</param>
    /// <returns>32 bytes.</returns>
    /// <exception cref="ArgumentException">The salt or memo has the wrong length.</exception>
    public static byte[] Of(CardTerms terms, ReadOnlySpan<byte> salt, string memo)
    {
        ArgumentNullException.ThrowIfNull(terms);
        ArgumentNullException.ThrowIfNull(memo);
        if (salt.Length != Limits.CardSaltBytes)
        {
            throw new ArgumentException("The salt has 32 bytes.", nameof(salt));
        }

        if (memo.Length > Limits.CardMemoMaxChars)
        {
            throw new ArgumentException("The memo is too long.", nameof(memo));
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[4];
        var memoBytes = Encoding.UTF8.GetBytes(memo);
        hash.AppendData(salt);
        BinaryPrimitives.WriteInt32BigEndian(number, memoBytes.Length);
        hash.AppendData(number);
        hash.AppendData(memoBytes);

        // Items belong to later kinds; an empty list is part of the encoding already.
        BinaryPrimitives.WriteInt32BigEndian(number, 0);
        hash.AppendData(number);
        var details = hash.GetHashAndReset();

        hash.AppendData(Label);
        hash.AppendData(terms.Encode());
        hash.AppendData(details);
        return hash.GetHashAndReset();
    }

    /// <summary>Whether decrypted details are the ones the card was posted with. Hostile input gives false.</summary>
    public static bool Matches(
        ReadOnlySpan<byte> detailCommit, CardTerms terms, ReadOnlySpan<byte> salt, string? memo) =>
        memo is { Length: <= Limits.CardMemoMaxChars } && salt.Length == Limits.CardSaltBytes
        && CryptographicOperations.FixedTimeEquals(detailCommit, Of(terms, salt, memo));
}

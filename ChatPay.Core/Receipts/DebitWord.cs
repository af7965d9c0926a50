using System.Text;
using ChatPay.Core.Cards;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Receipts;

/// <summary>
/// A payer's word as it was signed: <see cref="DebitStatement"/>'s encoding, read without knowing the kind of its card, so that
/// receipts of kinds that come later are read too.
/// </summary>
/// <param name="AmountMinor">The most that it lets leave the account.</param>
/// <param name="Terms">The encoding of the card's terms.</param>
public sealed record DebitWord(
    AccountId Payer, DeviceId Device, Guid Nonce, CardActionKind Action, int Version, long AmountMinor, DateTimeOffset ExpiresAt,
    byte[] DetailCommit, byte[] Terms)
{
    private const byte EncodingVersion = 1;
    private const long ExpiryMax = 1L << 37;

    private static ReadOnlySpan<byte> Label => "chatpay debit v1"u8;

    /// <returns>Null for what is no statement.</returns>
    public static DebitWord? TryRead(ReadOnlySpan<byte> bytes)
    {
        var reader = new EncodingReader(bytes);
        var isLabelled = reader.Take(Label.Length).SequenceEqual(Label);
        var (version, payer, device, nonce) = (reader.Byte(), reader.Id(), reader.Id(), reader.Id());
        var (action, cardVersion, amount, expiresAt) =
            ((CardActionKind)reader.Byte(), reader.Int32(), reader.Int64(), reader.Int64());
        var (commit, terms) = (reader.Take(Limits.DetailCommitBytes).ToArray(), reader.Counted().ToArray());
        return isLabelled && version == EncodingVersion && reader.IsComplete && expiresAt is >= 0 and < ExpiryMax
            && Enum.IsDefined(action)
                ? new(
                    new(payer), new(device), nonce, action, cardVersion, amount,
                    DateTimeOffset.FromUnixTimeSeconds(expiresAt), commit, terms)
                : null;
    }

    /// <summary>Whether a device's key signed these bytes.</summary>
    public static bool IsSigned(ReadOnlySpan<byte> statement, ReadOnlySpan<byte> deviceKey, ReadOnlySpan<byte> signature) =>
        SignatureAlgorithm.Ed25519.Verify(deviceKey, statement, signature);
}

/// <summary>What the terms of every kind of card begin with: docs/PROTOCOL.md, section Cards.</summary>
/// <param name="Payer">Zeros where the kind names none.</param>
/// <param name="Payee">Zeros where the kind names none.</param>
/// <param name="AmountMinor">The most that one movement of the card's money can be.</param>
public sealed record TermsHead(
    CardKind Kind, CardId Card, ConversationId Conversation, AccountId Payer, AccountId Payee, long AmountMinor, string Asset)
{
    private const byte EncodingVersion = 1;

    /// <returns>Null for what are no terms.</returns>
    public static TermsHead? TryRead(ReadOnlySpan<byte> terms)
    {
        var reader = new EncodingReader(terms);
        var (version, kind, card, conversation) = (reader.Byte(), (CardKind)reader.Byte(), reader.Id(), reader.Id());
        var (payer, payee, amount) = (reader.Id(), reader.Id(), reader.Int64());
        reader.Int32();
        var asset = Encoding.ASCII.GetString(reader.Take(reader.Byte()));
        return version == EncodingVersion && !reader.Failed && Enum.IsDefined(kind)
            ? new(kind, new(card), new(conversation), new(payer), new(payee), amount, asset)
            : null;
    }
}

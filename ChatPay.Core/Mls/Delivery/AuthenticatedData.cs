using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Mls;

/// <summary>
/// What a ChatPay application message binds besides its content, in the clear: <c>0x01 ‖ clientId(16)</c>, or for a card
/// <c>0x02 ‖ clientId(16) ‖ cardId(16) ‖ detailCommit(32)</c>.
/// </summary>
/// <param name="Card">Null for anything but a card.</param>
public sealed record AuthenticatedData(ClientMessageId ClientId, CardBinding? Card = null)
{
    private const byte PlainTag = 1;
    private const byte CardTag = 2;
    private const int IdBytes = 16;
    private const int CommitBytes = 32;
    private const int PlainBytes = 1 + IdBytes;
    private const int CardBytes = PlainBytes + IdBytes + CommitBytes;

    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out AuthenticatedData? value)
    {
        value = bytes switch
        {
            [PlainTag, ..] when bytes.Length == PlainBytes => new AuthenticatedData(ReadClientId(bytes)),
            [CardTag, ..] when bytes.Length == CardBytes => new AuthenticatedData(
                ReadClientId(bytes),
                new CardBinding(
                    new CardId(new Guid(bytes.Slice(PlainBytes, IdBytes), bigEndian: true)),
                    bytes[(PlainBytes + IdBytes)..].ToArray())),
            _ => null,
        };
        return value is not null;
    }

    /// <exception cref="InvalidOperationException">The card's commitment is not 32 bytes.</exception>
    public byte[] Encode()
    {
        var clientId = ClientId.Value.ToByteArray(bigEndian: true);
        if (Card is null)
        {
            return [PlainTag, .. clientId];
        }

        return Card.DetailCommit.Length == CommitBytes
            ? [CardTag, .. clientId, .. Card.Card.Value.ToByteArray(bigEndian: true), .. Card.DetailCommit]
            : throw new InvalidOperationException("A detail commitment has 32 bytes.");
    }

    private static ClientMessageId ReadClientId(ReadOnlySpan<byte> bytes) =>
        new(new Guid(bytes.Slice(1, IdBytes), bigEndian: true));
}

/// <param name="DetailCommit">SHA-256 over the card's terms and details, 32 bytes.</param>
public sealed record CardBinding(CardId Card, byte[] DetailCommit);

using System.Buffers.Binary;
using System.Text;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>
/// What settles when a card does: immutable from the moment it is posted, known to the ledger, and bound together with
/// the encrypted details by the <see cref="DetailCommitment"/>.
/// </summary>
public sealed record CardTerms(
    CardKind Kind, CardId Card, ConversationId Conversation, AccountId Payer, AccountId Payee, Money Money,
    int LifetimeSeconds)
{
    private const byte EncodingVersion = 1;

    /// <summary>Who posted it: the payer of a transfer, the payee of a request.</summary>
    public AccountId Author => Kind == CardKind.Transfer ? Payer : Payee;

    /// <summary>The other of the two.</summary>
    public AccountId Other => Kind == CardKind.Transfer ? Payee : Payer;

    /// <summary>The payer's ledger account, whose row lock guards the card's hold.</summary>
    public LedgerAccountId PayerAccount => LedgerAccountId.Of(Payer, Money.Asset);

    public LedgerAccountId PayeeAccount => LedgerAccountId.Of(Payee, Money.Asset);

    /// <summary>The canonical encoding of docs/PROTOCOL.md, section Cards: 79 bytes and the asset's code.</summary>
    public byte[] Encode()
    {
        const int AssetAt = 79;
        var asset = Encoding.ASCII.GetBytes(Money.Asset.Value);
        var bytes = new byte[AssetAt + asset.Length];
        bytes[0] = EncodingVersion;
        bytes[1] = (byte)Kind;
        Write(Card.Value, bytes.AsSpan(2));
        Write(Conversation.Value, bytes.AsSpan(18));
        Write(Payer.Value, bytes.AsSpan(34));
        Write(Payee.Value, bytes.AsSpan(50));
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(66), Money.Amount.Value);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(74), LifetimeSeconds);
        bytes[78] = (byte)asset.Length;
        asset.CopyTo(bytes, AssetAt);
        return bytes;
    }

    private static void Write(Guid id, Span<byte> destination) => id.TryWriteBytes(destination, bigEndian: true, out _);
}

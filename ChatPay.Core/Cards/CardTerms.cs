using System.Buffers.Binary;
using System.Text;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>
/// What settles when a card does: immutable from the moment it is posted, known to the ledger, and bound together with
/// the encrypted details by the <see cref="DetailCommitment"/>.
/// </summary>
/// <param name="Payer">Nobody (zeros) for a split, whose plan names its payers.</param>
/// <param name="Payee">Nobody for a packet that is for everybody.</param>
/// <param name="Plan">Null where the kind needs none, and for a transfer that is held until it is accepted.</param>
public sealed record CardTerms(
    CardKind Kind, CardId Card, ConversationId Conversation, AccountId Payer, AccountId Payee, Money Money,
    int LifetimeSeconds, CardPlan? Plan = null)
{
    private const byte EncodingVersion = 1;

    /// <summary>Nobody, where a kind has no single payer or payee.</summary>
    public static AccountId Nobody => default;

    /// <summary>Who posted it: the one whose money it is about, or who asks for money.</summary>
    public AccountId Author => Kind is CardKind.Request or CardKind.Split ? Payee : Payer;

    /// <summary>The other of the two; nobody where there are several or none.</summary>
    public AccountId Other => Kind is CardKind.Request or CardKind.Split ? Payer : Payee;

    /// <summary>Who must be in the conversation beside the author.</summary>
    public IEnumerable<AccountId> Others =>
        Kind == CardKind.Split ? (Plan?.Shares ?? []).Select(share => share.Account)
        : Other == Nobody ? []
        : [Other];

    /// <summary>Which state machine it goes through.</summary>
    public CardForm Form => (Kind, Plan?.Delivery) switch
    {
        (CardKind.Transfer, null) => CardForm.Transfer,
        (CardKind.Transfer, CardDelivery.AtOnce) => CardForm.TransferAtOnce,
        (CardKind.Transfer, CardDelivery.Delayed) => CardForm.TransferDelayed,
        (CardKind.Request, _) => CardForm.Request,
        (CardKind.Split, _) => CardForm.Split,
        (CardKind.Packet, _) => CardForm.Packet,
        (CardKind.Mandate, _) => CardForm.Mandate,
        _ => CardForm.None,
    };

    /// <summary>The payer's ledger account, whose row lock guards the card's hold.</summary>
    public LedgerAccountId PayerAccount => LedgerAccountId.Of(Payer, Money.Asset);

    public LedgerAccountId PayeeAccount => LedgerAccountId.Of(Payee, Money.Asset);

    /// <summary>What this person is asked for by a split; null for nobody whom it asks.</summary>
    public CardShare? ShareOf(AccountId account) => Plan?.Shares?.FirstOrDefault(share => share.Account == account);

    /// <summary>
    /// The canonical encoding of docs/PROTOCOL.md, section Cards: 79 bytes, the asset's code, and the plan where there is one.
    /// </summary>
    public byte[] Encode()
    {
        const int AssetAt = 79;
        var asset = Encoding.ASCII.GetBytes(Money.Asset.Value);
        var plan = CardPlans.Encode(Kind, Plan);
        var bytes = new byte[AssetAt + asset.Length + plan.Length];
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
        plan.CopyTo(bytes, AssetAt + asset.Length);
        return bytes;
    }

    private static void Write(Guid id, Span<byte> destination) => id.TryWriteBytes(destination, bigEndian: true, out _);
}

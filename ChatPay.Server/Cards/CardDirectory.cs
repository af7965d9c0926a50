using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Cards;

/// <summary>Whom and where a card is between; none of it ever changes.</summary>
/// <param name="Payer">Nobody where there are several.</param>
/// <param name="Payee">Nobody where it is for everybody.</param>
internal sealed record CardPlace(
    CardId Id, AccountId Payer, AccountId Payee, ConversationId Conversation, AccountId Author)
{
    /// <summary>The other side of one; null where there is no single one.</summary>
    public AccountId? OtherThan(AccountId party) =>
        (Payer == party ? Payee : Payer) is var other && other == default ? null : other;
}

/// <summary>Which cards are between whom, for the other features.</summary>
internal sealed class CardDirectory(CardStore cards)
{
    /// <summary>A card, whoever asks: the caller knows who may see what of it. Null where there is none.</summary>
    public Task<Card?> FindAsync(CardId card, CancellationToken cancellationToken) =>
        cards.FindAsync(card, cancellationToken);

    /// <summary>The cards that exist, by id; the others are left out.</summary>
    public async Task<IReadOnlyDictionary<CardId, CardPlace>> GetAsync(
        IReadOnlyCollection<CardId> ids, CancellationToken cancellationToken) =>
        ids.Count == 0
            ? new Dictionary<CardId, CardPlace>()
            : (await cards.ReadPlacesAsync(ids, cancellationToken)).ToDictionary(place => place.Id);
}

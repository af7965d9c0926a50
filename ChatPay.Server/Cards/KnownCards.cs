using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Cards;

/// <summary>
/// Cards as this node has read or posted them, for whoever needs to know of one what never changes: its terms, its commitment
/// and its hold. Whoever acts on a card looks here before the command queues, which would otherwise be a query for each of
/// ten thousand claims of one packet. State, version and sums may be old; those are decided on under the card's lock.
/// </summary>
internal sealed class KnownCards(TimeProvider time)
{
    private const int Kept = 16_384;

    private readonly GenerationCache<CardId, Card> _cards = new(
        Timeout.InfiniteTimeSpan, Kept, time, weightOf: WeightOf);

    public Card? Find(CardId card) => _cards.TryGet(card, out var known) ? known : null;

    /// <param name="card">Committed: what was only decided may never come true.</param>
    public void Put(Card card) => _cards.Set(card.Terms.Card, card);

    /// <summary>Whether what was known of a card is what its locked row says; what is not is forgotten.</summary>
    public bool IsStill(Card known, Card locked)
    {
        if (known.Terms == locked.Terms && known.HoldId == locked.HoldId
            && known.DetailCommit.AsSpan().SequenceEqual(locked.DetailCommit))
        {
            return true;
        }

        _cards.Remove(known.Terms.Card);
        return false;
    }

    /// <summary>Another database may be in the place of the one that all of it was read from.</summary>
    public void Clear() => _cards.Clear();

    /// <summary>A split of a hundred people is several times as large as a transfer.</summary>
    private static int WeightOf(Card card) => 1 + ((card.Terms.Plan?.Shares?.Count ?? 0) / 8);
}

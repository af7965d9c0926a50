using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Cards;

/// <summary>
/// Cards as this node has read, posted or changed them. Whoever acts on a card looks here before the command queues, which would
/// otherwise be a query for each of ten thousand claims of one packet. Terms, commitment and hold never change. State, version
/// and sums may be old: whatever is decided on them is committed only if the row still has the version and state it had here.
/// </summary>
internal sealed class KnownCards(TimeProvider time)
{
    private const int Kept = 16_384;

    private readonly GenerationCache<CardId, Card> _cards = new(
        Timeout.InfiniteTimeSpan, Kept, time, weightOf: WeightOf);

    public Card? Find(CardId card) => _cards.TryGet(card, out var known) ? known : null;

    /// <param name="card">Committed: what was only decided may never come true.</param>
    public void Put(Card card)
    {
        // Whoever has read it may come behind somebody who has changed it since.
        if (Find(card.Terms.Card) is not { } newer || newer.Version <= card.Version)
        {
            _cards.Set(card.Terms.Card, card);
        }
    }

    public void Forget(CardId card) => _cards.Remove(card);

    /// <summary>Whether what was known of a card is what its locked row says; what is not is forgotten.</summary>
    public bool IsStill(Card known, Card locked)
    {
        if (known.Terms == locked.Terms && known.HoldId == locked.HoldId
            && known.DetailCommit.AsSpan().SequenceEqual(locked.DetailCommit))
        {
            return true;
        }

        Forget(known.Terms.Card);
        return false;
    }

    /// <summary>Another database may be in the place of the one that all of it was read from.</summary>
    public void Clear() => _cards.Clear();

    /// <summary>A split of a hundred people is several times as large as a transfer.</summary>
    private static int WeightOf(Card card) => 1 + ((card.Terms.Plan?.Shares?.Count ?? 0) / 8);
}

using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Cards;

/// <summary>
/// Cards that are decided on as this node remembers them, without a lock. The transaction fails where a card's row no longer has
/// the version and state that were decided on, or where a new card's id is taken; what proved wrong is forgotten, and everything
/// is decided again on locked rows.
/// </summary>
internal sealed partial class CardRows
{
    private readonly Dictionary<CardId, Card> _remembered = [];
    private readonly HashSet<CardId> _absent = [];

    /// <summary>As the cards were when this batch came to them.</summary>
    private readonly Dictionary<CardId, Card> _before = [];

    public override bool IsSpeculative => Trusted.Any();

    /// <summary>
    /// Whether a batch before this one decided on a card without a lock that this one is to lock: the lock would come between
    /// that decision and its commit.
    /// </summary>
    public override bool WaitsForEarlier =>
        _needed.Count > 0 && set.Earlier.Any(earlier => earlier.Rows<CardRows>().Trusted.Any(_needed.Contains));

    /// <summary>Cards come to their end at a time.</summary>
    public override bool NeedsClock => _remembered.Count + _absent.Count > 0;

    private IEnumerable<CardId> Trusted => _remembered.Keys.Where(card => !_needed.Contains(card));

    /// <summary>
    /// Asks for a card of which a node knows all there is to know: one without parts, at the version that is acted on. It is
    /// locked all the same where the attempt locks, where a batch before this one has to do with it, or where another command
    /// asks for that by <see cref="Need"/>.
    /// </summary>
    public void NeedRemembered(Card card)
    {
        var id = card.Terms.Card;
        if (set.Locks || set.Earlier.Any(earlier => earlier.Rows<CardRows>().Concerns(id)))
        {
            Need(id);
        }
        else if (_remembered.TryAdd(id, card))
        {
            _found[id] = card;
            _before[id] = card;
        }
    }

    /// <summary>Expects that there is no such card. If there is, its insert fails, and it is loaded.</summary>
    public void NeedAbsent(CardId card)
    {
        if (set.Locks || known.Find(card) is not null)
        {
            Need(card);
        }
        else
        {
            _absent.Add(card);
        }
    }

    /// <summary>Whether the card was asked for by <see cref="Need"/>.</summary>
    public bool IsLocked(CardId card) => _needed.Contains(card);

    public override void Abandoned()
    {
        foreach (var card in Trusted)
        {
            known.Forget(card);
        }
    }

    private bool Concerns(CardId card) => _needed.Contains(card) || _remembered.ContainsKey(card);
}

using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;

namespace ChatPay.Server.Cards;

/// <summary>
/// Cards in a batch. A card's row lock guards its state; its terms never change, so they are known before the lock and
/// name the ledger accounts that are needed.
/// </summary>
internal sealed partial class CardRows : WriteRows
{
    private readonly HashSet<CardId> _needed = [];
    private readonly HashSet<AccountId> _neededCounts = [];
    private readonly Dictionary<CardId, Card> _found = [];
    private readonly Dictionary<AccountId, int> _openCounts = [];
    private readonly HashSet<CardId> _created = [];
    private readonly HashSet<CardId> _changed = [];

    public override int LockOrder => 200;

    /// <summary>Locks the card's row, if there is one.</summary>
    public void Need(CardId card) => _needed.Add(card);

    /// <summary>Counts the author's open cards.</summary>
    public void NeedOpenCount(AccountId author) => _neededCounts.Add(author);

    /// <summary>The card as earlier commands of the batch left it; null where there is none.</summary>
    public Card? Find(CardId card) => _needed.Contains(card)
        ? _found.GetValueOrDefault(card)
        : throw new InvalidOperationException("The command did not ask for this card.");

    /// <summary>Not locked: nodes that post for one author at the same instant may each add one too many.</summary>
    public int OpenCount(AccountId author) => _openCounts.GetValueOrDefault(author);

    public void Create(Card card)
    {
        _found.Add(card.Terms.Card, card);
        _created.Add(card.Terms.Card);
        _openCounts[card.Terms.Author] = OpenCount(card.Terms.Author) + 1;
    }

    public void Change(Card card)
    {
        if (!_found.TryGetValue(card.Terms.Card, out var before) || card.Version != before.Version + 1)
        {
            throw new InvalidOperationException("A card changes one version at a time, under its lock.");
        }

        _found[card.Terms.Card] = card;
        if (!_created.Contains(card.Terms.Card))
        {
            _changed.Add(card.Terms.Card);
        }
    }
}

internal sealed class CardRowsFactory : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new CardRows();
}

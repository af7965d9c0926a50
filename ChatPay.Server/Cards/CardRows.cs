using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;

namespace ChatPay.Server.Cards;

/// <summary>
/// Cards in a batch. A card's row lock guards its state and its parts; its terms never change, so they are known before the lock
/// and name the ledger accounts that are needed. What needs nothing but the row may do without the lock, see
/// <see cref="NeedRemembered"/>.
/// </summary>
internal sealed partial class CardRows(WriteSet set, KnownCards known) : WriteRows
{
    private readonly HashSet<CardId> _needed = [];
    private readonly HashSet<PartKey> _neededParts = [];
    private readonly HashSet<AccountId> _neededCounts = [];
    private readonly Dictionary<CardId, Card> _found = [];
    private readonly Dictionary<PartKey, CardPart> _parts = [];
    private readonly Dictionary<AccountId, int> _openCounts = [];
    private readonly HashSet<CardId> _created = [];
    private readonly HashSet<CardId> _changed = [];
    private readonly HashSet<PartKey> _createdParts = [];
    private readonly HashSet<PartKey> _changedParts = [];
    private readonly List<(CardId Card, CardState State, DateTimeOffset At)> _closedParts = [];

    public override int LockOrder => 200;

    /// <summary>A draw is authorised by its mandate, which the transfer's insert looks for.</summary>
    public override int WriteOrder => 90;

    public override bool HoldsRows => _needed.Count > 0;

    /// <summary>Locks the card's row, if there is one.</summary>
    public void Need(CardId card) => _needed.Add(card);

    /// <summary>Loads the account's part of the card, whose row is needed too.</summary>
    public void NeedPart(CardId card, AccountId account) => _neededParts.Add(new(card, account));

    /// <summary>Counts the author's open cards.</summary>
    public void NeedOpenCount(AccountId author) => _neededCounts.Add(author);

    /// <summary>The card as earlier commands of the batch left it; null where there is none.</summary>
    public Card? Find(CardId card) => _needed.Contains(card) || _remembered.ContainsKey(card) || _absent.Contains(card)
        ? _found.GetValueOrDefault(card)
        : throw new InvalidOperationException("The command did not ask for this card.");

    /// <summary>Whether what the command was prepared with still is what the card's row says.</summary>
    public bool IsStill(Card prepared, Card locked) => known.IsStill(prepared, locked);

    /// <summary>The account's part of the card as earlier commands of the batch left it; null where there is none.</summary>
    public CardPart? FindPart(CardId card, AccountId account) => _neededParts.Contains(new(card, account))
        ? _parts.GetValueOrDefault(new(card, account))
        : throw new InvalidOperationException("The command did not ask for this part.");

    /// <summary>Under a lock of the author's, which all nodes take.</summary>
    public int OpenCount(AccountId author) => _openCounts.GetValueOrDefault(author);

    /// <summary>A new card; a split comes with a part for each share.</summary>
    public void Create(Card card)
    {
        var id = card.Terms.Card;
        _found.Add(id, card);
        _created.Add(id);
        if (card.IsOpen)
        {
            _openCounts[card.Terms.Author] = OpenCount(card.Terms.Author) + 1;
        }

        foreach (var (place, share) in (card.Terms.Plan?.Shares ?? []).Index())
        {
            var key = new PartKey(id, share.Account);
            _parts.Add(key, new CardPart(share.Account, place, share.AmountMinor, CardState.Open, card.CreatedAt));
            _createdParts.Add(key);
        }
    }

    public void Change(CardMove move)
    {
        var card = move.Card;
        var id = card.Terms.Card;
        if (!_found.TryGetValue(id, out var before) || card.Version != before.Version + 1)
        {
            throw new InvalidOperationException("A card changes one version at a time, under its lock.");
        }

        _found[id] = card;
        if (!_created.Contains(id))
        {
            _changed.Add(id);
        }

        if (move.Part is { } part)
        {
            Put(new(id, part.Account), part);
        }
        else if (!card.IsOpen && card.Terms.Kind == CardKind.Split)
        {
            ClosePartsOf(card);
        }
    }

    public override void Committed()
    {
        foreach (var card in _found.Values)
        {
            known.Put(card);
        }
    }

    private void Put(PartKey key, CardPart part)
    {
        if (!_parts.ContainsKey(key))
        {
            _createdParts.Add(key);
        }
        else if (!_createdParts.Contains(key))
        {
            _changedParts.Add(key);
        }

        _parts[key] = part;
    }

    /// <summary>What nobody has answered ends with the card.</summary>
    private void ClosePartsOf(Card card)
    {
        _closedParts.Add((card.Terms.Card, card.State, card.ClosedAt!.Value));
        foreach (var (key, part) in _parts.ToArray())
        {
            if (key.Card == card.Terms.Card && part.State == CardState.Open)
            {
                _parts[key] = part with { State = card.State, At = card.ClosedAt.Value };
            }
        }
    }

    private readonly record struct PartKey(CardId Card, AccountId Account);
}

internal sealed class CardRowsFactory(KnownCards known) : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new CardRows(set, known);

    public void DatabaseLost() => known.Clear();
}

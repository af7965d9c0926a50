using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using Npgsql;

namespace ChatPay.Server.Cards;

/// <summary>
/// Cards in a batch, and the outcomes kept under idempotency keys. A card's row lock guards its state; its terms never
/// change, so they are known before the lock and name the ledger accounts to lock first.
/// </summary>
internal sealed partial class CardRows(WriteSet set) : WriteRows
{
    private readonly HashSet<CardId> _needed = [];
    private readonly HashSet<ActionKey> _neededActions = [];
    private readonly HashSet<AccountId> _neededCounts = [];
    private readonly Dictionary<CardId, Card> _found = [];
    private readonly Dictionary<ActionKey, StoredAction> _actions = [];
    private readonly Dictionary<AccountId, int> _openCounts = [];
    private readonly HashSet<CardId> _created = [];
    private readonly HashSet<CardId> _changed = [];
    private readonly List<(ActionKey Key, StoredAction Action)> _newActions = [];

    public override int LockOrder => 200;

    /// <summary>Locks the card's row, if there is one.</summary>
    public void Need(CardId card) => _needed.Add(card);

    /// <summary>Loads the outcome kept under a key, if there is one.</summary>
    public void NeedAction(AccountId actor, Guid idempotencyKey) => _neededActions.Add(new(actor, idempotencyKey));

    /// <summary>Counts the author's open cards.</summary>
    public void NeedOpenCount(AccountId author) => _neededCounts.Add(author);

    /// <summary>The card as earlier commands of the batch left it; null where there is none.</summary>
    public Card? Find(CardId card) => _needed.Contains(card)
        ? _found.GetValueOrDefault(card)
        : throw new InvalidOperationException("The command did not ask for this card.");

    /// <summary>The outcome kept under a key, by earlier batches or this one.</summary>
    public StoredAction? FindAction(AccountId actor, Guid idempotencyKey)
    {
        var key = new ActionKey(actor, idempotencyKey);
        return _neededActions.Contains(key)
            ? _actions.GetValueOrDefault(key)
            : throw new InvalidOperationException("The command did not ask for this idempotency key.");
    }

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

    /// <summary>Keeps an outcome under its key for good.</summary>
    public void Keep(AccountId actor, Guid idempotencyKey, StoredAction action)
    {
        var key = new ActionKey(actor, idempotencyKey);
        _actions.Add(key, action);
        _newActions.Add((key, action));
    }

    private static void Add(NpgsqlBatch batch, string sql, params object[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        batch.BatchCommands.Add(command);
    }

    private readonly record struct ActionKey(AccountId Actor, Guid IdempotencyKey);
}

/// <param name="Payload">What was asked under the key.</param>
/// <param name="Status">0, or the number of the error.</param>
/// <param name="Reply">A <see cref="CardActReply"/> or an <see cref="ErrorBody"/>, as JSON.</param>
internal sealed record StoredAction(CardId Card, PayloadHash Payload, int Status, string Reply);

internal sealed class CardRowsFactory : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new CardRows(set);
}

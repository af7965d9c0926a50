using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using Npgsql;
using NpgsqlTypes;

namespace ChatPay.Server.Cards;

/// <summary>
/// Outcomes kept under idempotency keys. They are loaded after every lock of the batch has been taken: two nodes that
/// are sent the same action wait for each other on one of those locks, and the second must see what the first kept. Where
/// nothing is locked, keys are expected to be new: what is kept under a key that is not cannot be inserted.
/// </summary>
internal sealed class CardActionRows(WriteSet set) : WriteRows
{
    private readonly HashSet<ActionKey> _needed = [];
    private readonly HashSet<ActionKey> _expectedNew = [];
    private readonly Dictionary<ActionKey, StoredAction> _found = [];
    private readonly List<(ActionKey Key, StoredAction Action)> _kept = [];

    public override int LockOrder => 400;

    /// <summary>What a batch before this one may be keeping under the same key is not there to be loaded yet.</summary>
    public override bool WaitsForEarlier =>
        _needed.Count > 0 && set.Earlier.Any(earlier => _needed.Any(earlier.Rows<CardActionRows>().Concerns));

    /// <summary>Loads the outcome kept under a key, if there is one.</summary>
    public void Need(AccountId actor, Guid idempotencyKey) => _needed.Add(new(actor, idempotencyKey));

    /// <summary>
    /// Expects that nothing is kept under a key; it is loaded all the same where a batch before this one has to do with it. If
    /// there is something, the transaction fails, and it is loaded.
    /// </summary>
    public void NeedNew(AccountId actor, Guid idempotencyKey)
    {
        var key = new ActionKey(actor, idempotencyKey);
        (set.Earlier.Any(earlier => earlier.Rows<CardActionRows>().Concerns(key)) ? _needed : _expectedNew).Add(key);
    }

    /// <summary>The outcome kept under a key, by earlier batches or this one.</summary>
    public StoredAction? Find(AccountId actor, Guid idempotencyKey)
    {
        var key = new ActionKey(actor, idempotencyKey);
        return Concerns(key)
            ? _found.GetValueOrDefault(key)
            : throw new InvalidOperationException("The command did not ask for this idempotency key.");
    }

    /// <summary>Keeps an outcome under its key for good.</summary>
    public void Keep(AccountId actor, Guid idempotencyKey, StoredAction action)
    {
        var key = new ActionKey(actor, idempotencyKey);
        _found.Add(key, action);
        _kept.Add((key, action));
    }

    public override void AddLoads(NpgsqlBatch batch)
    {
        if (_needed.Count > 0)
        {
            batch.Add("""
                select a.actor_id, a.idempotency_key, a.card_id, a.payload_hash, a.status, a.reply
                from unnest($1::uuid[], $2::uuid[]) as k (actor_id, idempotency_key)
                join card_action a using (actor_id, idempotency_key)
                """,
                _needed.Select(key => key.Actor.Value).ToArray(),
                _needed.Select(key => key.IdempotencyKey).ToArray());
        }
    }

    public override async Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken)
    {
        if (_needed.Count > 0)
        {
            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                _found.Add(new(new(rows.GetGuid(0)), rows.GetGuid(1)), new(
                    new(rows.GetGuid(2)), PayloadHash.From(rows.GetFieldValue<byte[]>(3)), rows.GetInt32(4),
                    rows.GetFieldValue<byte[]>(5)));
            }
        }
    }

    public override void AddWrites(NpgsqlBatch batch)
    {
        // Of these the insert says whether they are new; of those that nothing is kept under, somebody has to.
        ActionKey[] unkept = [.. _expectedNew.Where(key => !_needed.Contains(key) && !_found.ContainsKey(key))];
        if (unkept.Length > 0)
        {
            batch.Add("""
                select expect_rows(count(*), 0)
                from unnest($1::uuid[], $2::uuid[]) as k (actor_id, idempotency_key)
                join card_action a using (actor_id, idempotency_key)
                """,
                unkept.Select(key => key.Actor.Value).ToArray(),
                unkept.Select(key => key.IdempotencyKey).ToArray());
        }

        if (_kept.Count > 0)
        {
            batch.Add("""
                insert into card_action (actor_id, idempotency_key, card_id, payload_hash, status, reply, created_at)
                select actor_id, idempotency_key, card_id, payload_hash, status, reply, $7
                from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $5::integer[], $6::text[])
                    as a (actor_id, idempotency_key, card_id, payload_hash, status, reply)
                """,
                _kept.Select(row => row.Key.Actor.Value).ToArray(),
                _kept.Select(row => row.Key.IdempotencyKey).ToArray(),
                _kept.Select(row => row.Action.Card.Value).ToArray(),
                _kept.Select(row => row.Action.Payload.ToArray()).ToArray(),
                _kept.Select(row => row.Action.Status).ToArray(),
                SqlArray.Nullable(_kept.Select(row => row.Action.Reply), NpgsqlDbType.Text),
                set.Now);
        }
    }

    private bool Concerns(ActionKey key) => _needed.Contains(key) || _expectedNew.Contains(key);

    private readonly record struct ActionKey(AccountId Actor, Guid IdempotencyKey);
}

/// <param name="Payload">What was asked under the key.</param>
/// <param name="Status">0, or the number of the error.</param>
/// <param name="Reply">A <see cref="CardActReply"/> or an <see cref="ErrorBody"/>, as JSON in UTF-8.</param>
internal sealed record StoredAction(CardId Card, PayloadHash Payload, int Status, byte[] Reply);

internal sealed class CardActionRowsFactory : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new CardActionRows(set);
}

using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Cards;

internal sealed partial class CardRows
{
    public override void AddWrites(NpgsqlBatch batch)
    {
        AddCreated(batch);
        AddChanged(batch);
    }

    private void AddCreated(NpgsqlBatch batch)
    {
        if (_created.Count == 0)
        {
            return;
        }

        var cards = _created.Select(id => _found[id]).ToArray();
        batch.Add("""
            insert into card (id, kind, conversation_id, author_id, payer_id, payee_id, amount_minor, asset,
                lifetime_seconds, detail_commit, state, version, hold_id, created_at, expires_at, closed_at)
            select * from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[],
                $7::bigint[], $8::text[], $9::integer[], $10::bytea[], $11::smallint[], $12::integer[], $13::uuid[],
                $14::timestamptz[], $15::timestamptz[], $16::timestamptz[])
            """,
            cards.Select(card => card.Terms.Card.Value).ToArray(),
            cards.Select(card => (short)card.Terms.Kind).ToArray(),
            cards.Select(card => card.Terms.Conversation.Value).ToArray(),
            cards.Select(card => card.Terms.Author.Value).ToArray(),
            cards.Select(card => card.Terms.Payer.Value).ToArray(),
            cards.Select(card => card.Terms.Payee.Value).ToArray(),
            cards.Select(card => card.Terms.Money.Amount.Value).ToArray(),
            cards.Select(card => card.Terms.Money.Asset.Value).ToArray(),
            cards.Select(card => card.Terms.LifetimeSeconds).ToArray(),
            cards.Select(card => card.DetailCommit).ToArray(),
            cards.Select(card => (short)card.State).ToArray(),
            cards.Select(card => card.Version).ToArray(),
            cards.Select(card => card.HoldId?.Value).ToArray(),
            cards.Select(card => card.CreatedAt).ToArray(),
            cards.Select(card => card.ExpiresAt).ToArray(),
            cards.Select(card => card.ClosedAt).ToArray());
    }

    private void AddChanged(NpgsqlBatch batch)
    {
        if (_changed.Count == 0)
        {
            return;
        }

        var cards = _changed.Select(id => _found[id]).ToArray();
        batch.Add("""
            update card c set state = u.state, version = u.version, closed_at = u.closed_at
            from unnest($1::uuid[], $2::smallint[], $3::integer[], $4::timestamptz[])
                as u (id, state, version, closed_at)
            where c.id = u.id
            """,
            cards.Select(card => card.Terms.Card.Value).ToArray(),
            cards.Select(card => (short)card.State).ToArray(),
            cards.Select(card => card.Version).ToArray(),
            cards.Select(card => card.ClosedAt).ToArray());
    }
}

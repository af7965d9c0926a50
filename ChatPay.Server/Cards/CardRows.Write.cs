using ChatPay.Core.Cards;
using ChatPay.Server.Database;
using Npgsql;
using NpgsqlTypes;

namespace ChatPay.Server.Cards;

internal sealed partial class CardRows
{
    public override void AddWrites(NpgsqlBatch batch)
    {
        AddCreated(batch);
        AddChanged(batch);
        AddUnchanged(batch);
        AddParts(batch);
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
                lifetime_seconds, detail_commit, state, version, hold_id, created_at, expires_at, closed_at, plan, answered,
                paid_minor, refunded_minor, settlement_id, reminded_at, period_start, period_minor, seed)
            select id, kind, conversation_id, author_id, payer_id, payee_id, amount_minor, asset,
                lifetime_seconds, detail_commit, state, version, hold_id, created_at, expires_at, closed_at, plan::jsonb,
                answered, paid_minor, refunded_minor, settlement_id, reminded_at, period_start, period_minor, seed
            from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[],
                $7::bigint[], $8::text[], $9::integer[], $10::bytea[], $11::smallint[], $12::integer[], $13::uuid[],
                $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::text[], $18::integer[], $19::bigint[],
                $20::bigint[], $21::uuid[], $22::timestamptz[], $23::timestamptz[], $24::bigint[], $25::bytea[])
                as c (id, kind, conversation_id, author_id, payer_id, payee_id, amount_minor, asset,
                lifetime_seconds, detail_commit, state, version, hold_id, created_at, expires_at, closed_at, plan, answered,
                paid_minor, refunded_minor, settlement_id, reminded_at, period_start, period_minor, seed)
            """,
            cards.Select(card => card.Terms.Card.Value).ToArray(),
            cards.Select(card => (short)card.Terms.Kind).ToArray(),
            cards.Select(card => card.Terms.Conversation.Value).ToArray(),
            cards.Select(card => card.Terms.Author.Value).ToArray(),
            cards.Select(card => CardRow.IdOf(card.Terms.Payer)).ToArray(),
            cards.Select(card => CardRow.IdOf(card.Terms.Payee)).ToArray(),
            cards.Select(card => card.Terms.Money.Amount.Value).ToArray(),
            cards.Select(card => card.Terms.Money.Asset.Value).ToArray(),
            cards.Select(card => card.Terms.LifetimeSeconds).ToArray(),
            cards.Select(card => card.DetailCommit).ToArray(),
            States(cards),
            cards.Select(card => card.Version).ToArray(),
            cards.Select(card => card.HoldId?.Value).ToArray(),
            cards.Select(card => card.CreatedAt).ToArray(),
            cards.Select(card => card.ExpiresAt).ToArray(),
            cards.Select(card => card.ClosedAt).ToArray(),
            SqlArray.Nullable(cards.Select(CardRow.PlanOf), NpgsqlDbType.Text),
            cards.Select(card => card.Tally.Answered).ToArray(),
            cards.Select(card => card.Tally.PaidMinor).ToArray(),
            cards.Select(card => card.Tally.RefundedMinor).ToArray(),
            cards.Select(card => card.Tally.Settlement?.Value).ToArray(),
            cards.Select(card => card.Tally.RemindedAt).ToArray(),
            cards.Select(card => card.Tally.PeriodStart).ToArray(),
            cards.Select(card => card.Tally.PeriodMinor).ToArray(),
            SqlArray.Nullable(cards.Select(card => card.Seed), NpgsqlDbType.Bytea));
    }

    /// <summary>
    /// In the order of their ids, so that two nodes never wait for each other in a circle. A version or state that is not the one
    /// decided on is somebody else's doing, where the card was not locked; then the transaction fails and is tried again with
    /// locks.
    /// </summary>
    private void AddChanged(NpgsqlBatch batch)
    {
        if (_changed.Count == 0)
        {
            return;
        }

        var cards = _changed.Select(id => _found[id]).OrderBy(card => card.Terms.Card.Value).ToArray();
        batch.Add("""
            with written as (
                update card c set state = u.state, version = u.version, closed_at = u.closed_at, answered = u.answered,
                    paid_minor = u.paid_minor, refunded_minor = u.refunded_minor, settlement_id = u.settlement_id,
                    reminded_at = u.reminded_at, period_start = u.period_start, period_minor = u.period_minor
                from unnest($1::uuid[], $2::smallint[], $3::integer[], $4::timestamptz[], $5::integer[], $6::bigint[],
                    $7::bigint[], $8::uuid[], $9::timestamptz[], $10::timestamptz[], $11::bigint[], $12::integer[],
                    $13::smallint[])
                    as u (id, state, version, closed_at, answered, paid_minor, refunded_minor, settlement_id, reminded_at,
                        period_start, period_minor, old_version, old_state)
                where c.id = u.id and c.version = u.old_version and c.state = u.old_state
                returning 1
            )
            select expect_rows((select count(*) from written), $14)
            """,
            cards.Select(card => card.Terms.Card.Value).ToArray(),
            States(cards),
            cards.Select(card => card.Version).ToArray(),
            cards.Select(card => card.ClosedAt).ToArray(),
            cards.Select(card => card.Tally.Answered).ToArray(),
            cards.Select(card => card.Tally.PaidMinor).ToArray(),
            cards.Select(card => card.Tally.RefundedMinor).ToArray(),
            cards.Select(card => card.Tally.Settlement?.Value).ToArray(),
            cards.Select(card => card.Tally.RemindedAt).ToArray(),
            cards.Select(card => card.Tally.PeriodStart).ToArray(),
            cards.Select(card => card.Tally.PeriodMinor).ToArray(),
            cards.Select(card => _before[card.Terms.Card].Version).ToArray(),
            States(cards.Select(card => _before[card.Terms.Card])),
            (long)cards.Length);
    }

    /// <summary>A refusal changes no card, but it must be right about the one it looked at.</summary>
    private void AddUnchanged(NpgsqlBatch batch)
    {
        Card[] cards = [.. Trusted.Where(id => !_changed.Contains(id)).Select(id => _before[id])];
        if (cards.Length > 0)
        {
            batch.Add("""
                select expect_rows(count(c.id), $4)
                from unnest($1::uuid[], $2::integer[], $3::smallint[]) as u (id, version, state)
                join card c on c.id = u.id and c.version = u.version and c.state = u.state
                """,
                cards.Select(card => card.Terms.Card.Value).ToArray(),
                cards.Select(card => card.Version).ToArray(),
                States(cards),
                (long)cards.Length);
        }
    }

    private void AddParts(NpgsqlBatch batch)
    {
        if (_createdParts.Count > 0)
        {
            AddParts(batch, _createdParts, """
                insert into card_part (card_id, account_id, place, amount_minor, state, at)
                select * from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::bigint[], $5::smallint[], $6::timestamptz[])
                """);
        }

        if (_changedParts.Count > 0)
        {
            AddParts(batch, _changedParts, """
                update card_part p set state = u.state, at = u.at
                from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::bigint[], $5::smallint[], $6::timestamptz[])
                    as u (card_id, account_id, place, amount_minor, state, at)
                where p.card_id = u.card_id and p.account_id = u.account_id
                """);
        }

        if (_closedParts.Count > 0)
        {
            batch.Add("""
                update card_part p set state = u.state, at = u.at
                from unnest($1::uuid[], $2::smallint[], $3::timestamptz[]) as u (card_id, state, at)
                where p.card_id = u.card_id and p.state = 6
                """,
                _closedParts.Select(closed => closed.Card.Value).ToArray(),
                _closedParts.Select(closed => (short)closed.State).ToArray(),
                _closedParts.Select(closed => closed.At).ToArray());
        }
    }

    private void AddParts(NpgsqlBatch batch, IReadOnlyCollection<PartKey> keys, string sql)
    {
        var parts = keys.Select(key => (key.Card, Part: _parts[key])).ToArray();
        batch.Add(
            sql,
            parts.Select(row => row.Card.Value).ToArray(),
            parts.Select(row => row.Part.Account.Value).ToArray(),
            parts.Select(row => row.Part.Place).ToArray(),
            parts.Select(row => row.Part.AmountMinor).ToArray(),
            parts.Select(row => (short)row.Part.State).ToArray(),
            parts.Select(row => row.Part.At).ToArray());
    }

    private static short[] States(IEnumerable<Card> cards) => [.. cards.Select(card => (short)card.State)];
}

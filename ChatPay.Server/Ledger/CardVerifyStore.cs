using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Npgsql;
using static System.FormattableString;

namespace ChatPay.Server.Ledger;

/// <summary>Verifies that cards say what their money says.</summary>
internal sealed class CardVerifyStore(NpgsqlConnection connection, VerifyFindings findings)
{
    /// <summary>
    /// Each card's state is what its money says: held exactly while its hold is open and whole, accepted or paid
    /// exactly where one credit of its amount went from payer to payee, and no money moved otherwise.
    /// </summary>
    public async Task<string> CheckCardsAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select c.id, c.kind, c.state, c.payer_id, c.payee_id, c.amount_minor, c.asset, h.account_id,
                h.remaining_minor, h.state, m.credits, m.amount_minor, m.debit_id, m.credit_id, m.asset, m.hold_id,
                c.hold_id
            from card c
            left join hold h on h.transfer_id = c.hold_id
            left join lateral (
                select count(*) as credits, min(t.amount_minor) as amount_minor,
                    min(t.debit_id::text)::uuid as debit_id,
                    min(t.credit_id::text)::uuid as credit_id, min(t.asset) as asset,
                    min(t.hold_id::text)::uuid as hold_id
                from transfer t where t.card_id = c.id and t.status = 0 and t.kind in (1, 3)
            ) m on true
            order by c.id
            """,
            connection);
        var cards = 0L;
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                cards++;
                if (Judge(reader) is { } finding)
                {
                    await findings.AddAsync($"card {reader.GetGuid(0)}: {finding}");
                }
            }
        }

        await using var strays = new NpgsqlCommand(
            """
            select t.id, t.card_id from transfer t
            where t.card_id is not null and t.status = 0 and not exists (select 1 from card c where c.id = t.card_id)
            order by t.id
            """,
            connection);
        await using var stray = await strays.ExecuteReaderAsync(cancellationToken);
        while (await stray.ReadAsync(cancellationToken))
        {
            await findings.AddAsync(
                $"transfer {stray.GetGuid(0)}: belongs to card {stray.GetGuid(1)}, which does not exist");
        }

        return Invariant($"{cards} cards");
    }

    private static string? Judge(NpgsqlDataReader row)
    {
        var (kind, state) = ((CardKind)row.GetInt16(1), (CardState)row.GetInt16(2));
        var asset = AssetCode.Parse(row.GetString(6));
        var payer = LedgerAccountId.Of(new AccountId(row.GetGuid(3)), asset).Value;
        var payee = LedgerAccountId.Of(new AccountId(row.GetGuid(4)), asset).Value;
        var credits = row.GetInt64(10);
        var settles = state is CardState.Accepted or CardState.Paid;
        if (credits != (settles ? 1 : 0))
        {
            return Invariant($"it is {state} and has {credits} applied credits");
        }

        if (settles && (row.GetInt64(11) != row.GetInt64(5) || row.GetGuid(12) != payer || row.GetGuid(13) != payee
            || row.GetString(14) != asset.Value || (row.IsDBNull(15) ? null : (Guid?)row.GetGuid(15)) != HoldOf(row)))
        {
            return "its credit is not of its amount from its payer to its payee";
        }

        if (kind == CardKind.Request)
        {
            return state is CardState.Held or CardState.Accepted ? $"a request cannot be {state}" : null;
        }

        HoldState? expected = state switch
        {
            CardState.Held => HoldState.Open,
            CardState.Accepted => HoldState.Captured,
            CardState.Declined or CardState.Cancelled => HoldState.Released,
            CardState.Expired => HoldState.Expired,
            _ => null,
        };
        if (expected is null)
        {
            return $"a transfer cannot be {state}";
        }

        if (row.IsDBNull(7) || row.GetGuid(7) != payer)
        {
            return "its hold is not on its payer's account";
        }

        var hold = (HoldState)row.GetInt16(9);
        if (hold != expected)
        {
            return $"it is {state} and its hold is {hold}";
        }

        return hold == HoldState.Open && row.GetInt64(8) != row.GetInt64(5)
            ? Invariant($"its hold has {row.GetInt64(8)} of {row.GetInt64(5)}")
            : null;
    }

    private static Guid? HoldOf(NpgsqlDataReader row) => row.IsDBNull(16) ? null : row.GetGuid(16);
}

using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Cards;

/// <summary>
/// When a mandate was last drawn on for more than there was. That refusal tells the payee something of the payer's balance, and
/// leaves the payer without a trace; so the next draw waits, lest a balance be found by trying sums.
/// </summary>
/// <remarks>The refusals are the kept outcomes of actions. The card's lock, which comes first, makes nodes take turns.</remarks>
internal sealed class DrawRefusalRows : WriteRows
{
    private readonly HashSet<CardId> _needed = [];
    private readonly Dictionary<CardId, DateTimeOffset> _last = [];

    public override int LockOrder => 440;

    public void Need(CardId card) => _needed.Add(card);

    /// <summary>Null where the mandate may be drawn on; else <c>too_many_requests</c>.</summary>
    public Error? Check(CardId card, DateTimeOffset now)
    {
        var wait = _last.TryGetValue(card, out var last)
            ? last.AddSeconds(Limits.MandateRetrySeconds) - now : TimeSpan.Zero;
        return wait <= TimeSpan.Zero
            ? null : TooMany.Requests("There was not enough money a short while ago. Draw again later.", wait);
    }

    /// <summary>There was not enough; kept by the command that was refused.</summary>
    public void Refused(CardId card, DateTimeOffset now) => _last[card] = now;

    public override void AddLoads(NpgsqlBatch batch)
    {
        if (_needed.Count > 0)
        {
            batch.Add(
                """
                select k.card_id, (
                    select max(created_at) from card_action a where a.card_id = k.card_id and a.status = 4006)
                from unnest($1::uuid[]) as k (card_id)
                """,
                _needed.Select(card => card.Value).ToArray());
        }
    }

    public override async Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken)
    {
        if (_needed.Count > 0)
        {
            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                if (!rows.IsDBNull(1))
                {
                    _last.Add(new(rows.GetGuid(0)), rows.GetFieldValue<DateTimeOffset>(1));
                }
            }
        }
    }

    public override void AddWrites(NpgsqlBatch batch)
    {
        // The outcomes of actions are kept by themselves.
    }
}

internal sealed class DrawRefusalRowsFactory : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new DrawRefusalRows();
}

using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Conversations;

/// <summary>Delivered and read marks, written many at a time.</summary>
internal sealed class ReceiptStore(NpgsqlDataSource dataSource)
{
    /// <summary>
    /// Raises marks: never above the conversation's head, never down, only of members. Both stated here, because
    /// receipts do not go through the write path.
    /// </summary>
    /// <param name="node">Who raises them, and tells its own connections; other nodes find them by the round.</param>
    /// <returns>Those that rose.</returns>
    public async Task<IReadOnlyList<Receipt>> RaiseAsync(
        IReadOnlyCollection<Receipt> marks, Guid node, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            with raised as (
                insert into receipt as r (conversation_id, device_id, account_id, delivered, read)
                select k.conversation_id, k.device_id, k.account_id, least(k.delivered, c.head), least(k.read, c.head)
                from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[])
                    as k (conversation_id, device_id, account_id, delivered, read)
                join conversation c on c.id = k.conversation_id
                join member m on m.conversation_id = k.conversation_id and m.account_id = k.account_id and m.left_seq is null
                order by k.conversation_id, k.device_id
                on conflict (conversation_id, device_id) do update
                set delivered = greatest(r.delivered, excluded.delivered), read = greatest(r.read, excluded.read)
                where excluded.delivered > r.delivered or excluded.read > r.read
                returning r.conversation_id, r.account_id, r.device_id, r.delivered, r.read
            ), noted as (
                insert into receipt_round (node_id, conversation_ids, account_ids, device_ids, delivered, read)
                select $6, array_agg(conversation_id), array_agg(account_id), array_agg(device_id), array_agg(delivered),
                    array_agg(read)
                from raised having count(*) > 0
            )
            select conversation_id, account_id, device_id, delivered, read from raised
            """);
        command.Add(marks.Select(mark => mark.Conversation.Value).ToArray());
        command.Add(marks.Select(mark => mark.Device.Value).ToArray());
        command.Add(marks.Select(mark => mark.Account.Value).ToArray());
        command.Add(marks.Select(mark => mark.Delivered).ToArray());
        command.Add(marks.Select(mark => mark.Read).ToArray());
        command.Add(node);
        var raised = new List<Receipt>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            raised.Add(new(
                new(reader.GetGuid(0)), new(reader.GetGuid(1)), new(reader.GetGuid(2)), reader.GetInt64(3),
                reader.GetInt64(4)));
        }

        return raised;
    }
}

using ChatPay.Core.Cards;
using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using Npgsql;

namespace ChatPay.Server.Cards;

/// <summary>Reads cards without locks; writing goes through the write path alone.</summary>
internal sealed class CardStore(NpgsqlDataSource dataSource)
{
    /// <summary>Null where there is none. State and version may be old when they are looked at.</summary>
    public async Task<Card?> FindAsync(CardId card, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand($"select {CardRow.Columns} from card where id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = card.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? CardRow.Read(reader) : null;
    }

    /// <summary>A card for somebody who is in its conversation.</summary>
    public async Task<Result<CardView>> ReadForMemberAsync(
        CardId card, AccountId account, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"""
            select {CardRow.Columns}, m.left_seq is null
            from card join member m using (conversation_id)
            where card.id = $1 and m.account_id = $2
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = card.Value });
        command.Parameters.Add(new NpgsqlParameter { Value = account.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            return CardErrors.Unknown();
        }

        return reader.GetBoolean(15) ? CardRow.Read(reader).ToView() : ConversationErrors.NotMember();
    }

    /// <summary>Those of the cards that exist.</summary>
    public async Task<IReadOnlyList<CardPlace>> ReadPlacesAsync(
        IReadOnlyCollection<CardId> ids, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select id, payer_id, payee_id, conversation_id from card where id = any($1)");
        command.Parameters.Add(new NpgsqlParameter { Value = ids.Select(id => id.Value).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var places = new List<CardPlace>(ids.Count);
        while (await reader.ReadAsync(cancellationToken))
        {
            places.Add(new CardPlace(
                new(reader.GetGuid(0)), new(reader.GetGuid(1)), new(reader.GetGuid(2)), new(reader.GetGuid(3))));
        }

        return places;
    }

    /// <summary>Open cards whose time is up by the database's clock, the longest overdue first.</summary>
    public async Task<IReadOnlyList<Card>> ReadOverdueAsync(int limit, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"""
            select {CardRow.Columns} from card
            where closed_at is null and expires_at <= clock_timestamp()
            order by expires_at limit $1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var cards = new List<Card>();
        while (await reader.ReadAsync(cancellationToken))
        {
            cards.Add(CardRow.Read(reader));
        }

        return cards;
    }
}

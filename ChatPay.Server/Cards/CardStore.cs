using ChatPay.Core.Cards;
using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
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

        if (!reader.GetBoolean(CardRow.Count))
        {
            return ConversationErrors.NotMember();
        }

        var found = CardRow.Read(reader);
        await reader.CloseAsync();
        var parts = found.Terms.Kind is CardKind.Split or CardKind.Packet
            ? await ReadPartsAsync(card, -1, Limits.CardPartsPage, cancellationToken) : null;
        return CardPrivacy.For(found.ToView(parts), account);
    }

    /// <summary>Parts of a card, by place.</summary>
    /// <param name="after">The place before the first one; -1 for the beginning.</param>
    public async Task<IReadOnlyList<CardPart>> ReadPartsAsync(
        CardId card, int after, int limit, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"select {CardPartRow.Columns} from card_part where card_id = $1 and place > $2 order by place limit $3",
            card.Value, after, limit);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var parts = new List<CardPart>();
        while (await reader.ReadAsync(cancellationToken))
        {
            parts.Add(CardPartRow.Read(reader));
        }

        return parts;
    }

    /// <summary>Those of the cards that exist.</summary>
    public async Task<IReadOnlyList<CardPlace>> ReadPlacesAsync(
        IReadOnlyCollection<CardId> ids, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select id, payer_id, payee_id, conversation_id, author_id from card where id = any($1)");
        command.Parameters.Add(new NpgsqlParameter { Value = ids.Select(id => id.Value).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var places = new List<CardPlace>(ids.Count);
        while (await reader.ReadAsync(cancellationToken))
        {
            places.Add(new CardPlace(
                new(reader.GetGuid(0)), PartyOf(1), PartyOf(2), new(reader.GetGuid(3)), new(reader.GetGuid(4))));
        }

        return places;

        AccountId PartyOf(int column) => reader.IsDBNull(column) ? CardTerms.Nobody : new(reader.GetGuid(column));
    }

    /// <summary>Open cards whose time is up by the database's clock, the longest overdue first.</summary>
    /// <param name="after">The last one of the page before; null for the first.</param>
    public async Task<IReadOnlyList<Card>> ReadOverdueAsync(Card? after, int limit, CancellationToken cancellationToken)
    {
        // The statement's time: an index can be asked for it, which for a clock that moves it cannot.
        await using var command = dataSource.CreateCommand(
            $"""
            select {CardRow.Columns} from card
            where closed_at is null and expires_at <= statement_timestamp() and (expires_at, id) > ($1, $2)
            order by expires_at, id limit $3
            """,
            after?.ExpiresAt ?? DateTimeOffset.MinValue, after?.Terms.Card.Value ?? Guid.Empty, limit);
        return await ReadCardsAsync(command, cancellationToken);
    }

    /// <summary>An account's own cards that hold its money, the first to end first.</summary>
    public async Task<IReadOnlyList<Card>> ReadHoldingAsync(
        AccountId account, int limit, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"""
            select {CardRow.Columns} from card
            where author_id = $1 and closed_at is null and hold_id is not null
            order by expires_at limit $2
            """,
            account.Value, limit);
        return await ReadCardsAsync(command, cancellationToken);
    }

    /// <summary>How many of an account's own cards are open.</summary>
    public async Task<int> CountOpenAsync(AccountId account, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select count(*)::integer from card where author_id = $1 and closed_at is null", account.Value);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>
    /// How long it is until the next card ends, by the database's clock; null where none is open.
    /// </summary>
    public async Task<TimeSpan?> ReadNextDueAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select min(expires_at) - statement_timestamp() from card
            where closed_at is null and expires_at > statement_timestamp()
            """);
        return await command.ExecuteScalarAsync(cancellationToken) as TimeSpan?;
    }

    /// <summary>Splits that were posted long enough ago, and of which nobody was reminded.</summary>
    public async Task<IReadOnlyList<Card>> ReadToRemindAsync(
        TimeSpan age, int limit, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            $"""
            select {CardRow.Columns} from card
            where kind = 3 and closed_at is null and reminded_at is null and created_at <= statement_timestamp() - $1
                and expires_at > statement_timestamp()
            order by created_at limit $2
            """,
            age, limit);
        return await ReadCardsAsync(command, cancellationToken);
    }

    private static async Task<IReadOnlyList<Card>> ReadCardsAsync(
        NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var cards = new List<Card>();
        while (await reader.ReadAsync(cancellationToken))
        {
            cards.Add(CardRow.Read(reader));
        }

        return cards;
    }
}

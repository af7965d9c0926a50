using System.Text.Json;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>What a run left behind, checked on what is stored and told, after the last act.</summary>
internal sealed class CardHistoryAudit(
    MoneyFixture money, NaiveCards model, IReadOnlyList<WalletHolder> people, ConversationId conversation)
{
    private static readonly JsonSerializerOptions s_json = ProtocolJson.Create();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The conversation's log as it is stored, after an event.</summary>
    public static async Task<IReadOnlyList<Event>> ReadLogAsync(MoneyFixture money, ConversationId conversation, long after)
    {
        await using var command = money.DataSource.CreateCommand(
            $"select {EventRow.Columns} from event where conversation_id = $1 and seq > $2 order by seq");
        command.Parameters.Add(new NpgsqlParameter { Value = conversation.Value });
        command.Parameters.Add(new NpgsqlParameter { Value = after });
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var events = new List<Event>();
        while (await reader.ReadAsync(Cancellation))
        {
            events.Add(EventRow.Read(reader));
        }

        return events;
    }

    public async Task CheckAsync()
    {
        await money.AssertCleanAsync();
        await CheckMoneyAsync();
        foreach (var told in (await ReadLogAsync(money, conversation, 0)).ToLookup(logged => logged.Card!.Id))
        {
            await CheckHistoryAsync(model.Cards[told.Key], [.. told]);
        }

        await CheckAuthorisationsAsync();
    }

    private async Task CheckMoneyAsync()
    {
        var sum = 0L;
        foreach (var person in people)
        {
            var (balance, held) = await money.BalanceAsync(person);
            Assert.Equal((model.Balances[person.Account], 0L), (balance, held));
            sum += balance;
        }

        Assert.Equal(10_000L * people.Count, sum);
    }

    /// <summary>
    /// The events are the card's whole story: versions rise one change at a time, it ends once, the last one is the card as it
    /// is stored, and the parts that they told of are those that it has.
    /// </summary>
    private async Task CheckHistoryAsync(NaiveCard card, IReadOnlyList<Event> told)
    {
        Assert.Equal((EventKind.Card, 1), (told[0].Kind, told[0].Card!.Version));
        Assert.All(told.Skip(1), logged => Assert.Equal(EventKind.CardChanged, logged.Kind));
        Assert.All(told.Zip(told.Skip(1)), pair =>
        {
            var (earlier, later) = (pair.First.Card!, pair.Second.Card!);
            var changes = card.Post.Kind == CardKind.Packet && later.Progress?.Parts is { } parts ? parts.Count : 1;
            Assert.Equal(earlier.Version + changes, later.Version);
            Assert.True(CardTransitions.CanFollow(
                CardSigner.TermsOf(later).Form, earlier.State, later.State), $"{earlier.State} to {later.State}");
            Assert.Equal(CardSigner.TermsOf(earlier), CardSigner.TermsOf(later));
        });
        Assert.Equal(
            card.Post.Plan?.Delivery == CardDelivery.AtOnce ? 0 : 1,
            told.Zip(told.Skip(1)).Count(pair =>
                CardTransitions.IsOpen(pair.First.Card!.State) && !CardTransitions.IsOpen(pair.Second.Card!.State)));

        var stored = (await money.Cards.ReadAsync(
            people.First(person => person.Account == card.Author).Caller, card.Id, Cancellation)).Value;
        Assert.Equal((card.State, card.Version), (stored.State, stored.Version));
        Assert.Equal(Plain(stored), Plain(told[^1].Card!));
        CheckParts(card, told, stored);
    }

    private static void CheckParts(NaiveCard card, IReadOnlyList<Event> told, CardView stored)
    {
        var merged = told.Select(logged => logged.Card!).Aggregate(CardParts.Merge);
        var parts = card.Post.Kind == CardKind.Split ? CardParts.OfSplit(merged) : merged.Progress?.Parts ?? [];
        Assert.Equal(stored.Progress?.Parts ?? [], parts);
        Assert.Equal(
            card.Answers.Select(answer => (answer.Key, answer.Value.State, answer.Value.AmountMinor)).ToHashSet(),
            parts.Where(part => card.Answers.ContainsKey(part.Account))
                .Select(part => (part.Account, part.State, part.AmountMinor)).ToHashSet());
        if (card.Post.Kind is CardKind.Split or CardKind.Packet)
        {
            Assert.Equal(
                stored.Progress!.PaidMinor, parts.Where(part => part.State == CardState.Paid).Sum(part => part.AmountMinor));
        }

        Assert.True(CardParts.AreFair(merged, told[0].Card!.Progress?.SeedCommit));
        Assert.Equal(card.Post.Plan?.Packet == PacketMode.Random, stored.Progress?.Seed is not null);
        Assert.All(told.Where(logged => CardTransitions.IsOpen(logged.Card!.State)), logged =>
            Assert.Null(logged.Card!.Progress?.Seed));
        if (card.Post.Kind == CardKind.Mandate)
        {
            Assert.Equal(stored.Progress!.PaidMinor, told.Sum(logged => logged.Card!.Progress!.DrawnMinor ?? 0));
        }
    }

    /// <summary>
    /// Each debit that somebody made has a statement over exactly that debit, signed by that person's device; each draw is on a
    /// mandate for which its payer signed.
    /// </summary>
    private async Task CheckAuthorisationsAsync()
    {
        await using var connection = await money.DataSource.OpenConnectionAsync(Cancellation);
        var debits = (await connection.QueryAsync<(
            Guid Transfer, Guid Card, Guid Actor, long Amount, byte[]? Statement, byte[]? Signature)>(
            """
            select t.id, t.card_id, t.actor_id, t.amount_minor, a.statement, a.signature
            from transfer t join card c on c.id = t.card_id
                join ledger_account d on d.id = t.debit_id
                left join card_authorisation a on a.transfer_id = t.id
            where c.conversation_id = @id and t.status = 0 and t.actor_id = d.owner_id and t.hold_id is null
            """,
            new { id = conversation.Value })).AsList();
        Assert.NotEmpty(debits);
        foreach (var debit in debits)
        {
            AssertSigned(new(debit.Card), new(debit.Actor), debit.Amount, debit.Statement, debit.Signature);
        }

        var mandates = (await connection.QueryAsync<(Guid Card, byte[]? Statement, byte[]? Signature)>(
            """
            select c.id, a.statement, a.signature from card c left join card_authorisation a on a.card_id = c.id
            where c.conversation_id = @id and c.kind = 5
            """,
            new { id = conversation.Value })).AsList();
        foreach (var mandate in mandates)
        {
            var card = model.Cards[new(mandate.Card)];
            AssertSigned(card.Id, card.Author, card.Post.AmountMinor, mandate.Statement, mandate.Signature);
        }
    }

    private void AssertSigned(CardId id, AccountId payer, long amountMinor, byte[]? encoded, byte[]? signature)
    {
        var card = model.Cards[id];
        Assert.NotNull(encoded);
        var statement = DebitStatement.TryRead(encoded, CardSigner.TermsOf(id, card.Post), card.Post.DetailCommit);
        Assert.Equal((payer, amountMinor), (statement!.Payer, statement.AmountMinor));
        var person = people.Single(person => person.Account == payer);
        Assert.True(statement.IsSignedBy(TestMls.PublicKeyOf(person.Signer.Key), signature));
    }

    /// <summary>The card without what is only of one event or only of the whole.</summary>
    private static string Plain(CardView card) => JsonSerializer.Serialize(
        card with { Progress = card.Progress is { } progress ? progress with { Parts = null, DrawnMinor = null } : null },
        s_json);
}

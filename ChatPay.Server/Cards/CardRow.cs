using System.Text.Json;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Npgsql;

namespace ChatPay.Server.Cards;

/// <summary>How a card is stored.</summary>
internal static class CardRow
{
    public const string Columns =
        "card.id, card.kind, card.conversation_id, card.payer_id, card.payee_id, card.amount_minor, card.asset, "
        + "card.lifetime_seconds, card.detail_commit, card.state, card.version, card.hold_id, card.created_at, card.expires_at, "
        + "card.closed_at, card.plan, card.answered, card.paid_minor, card.refunded_minor, card.settlement_id, card.reminded_at, "
        + "card.period_start, card.period_minor, card.seed";

    /// <summary>How many <see cref="Columns"/> there are: whatever else is selected comes after them.</summary>
    public const int Count = 24;

    private static readonly JsonSerializerOptions s_json = ProtocolJson.Create();

    /// <summary>Reads <see cref="Columns"/> in that order.</summary>
    public static Card Read(NpgsqlDataReader row) => new(
        new CardTerms(
            (CardKind)row.GetInt16(1), new(row.GetGuid(0)), new(row.GetGuid(2)), Party(row, 3), Party(row, 4),
            Money.Of(row.GetInt64(5), AssetCode.Parse(row.GetString(6))), row.GetInt32(7), ReadPlan(row, 15)),
        row.GetFieldValue<byte[]>(8), (CardState)row.GetInt16(9), row.GetInt32(10), Transfer(row, 11),
        row.GetFieldValue<DateTimeOffset>(12), row.GetFieldValue<DateTimeOffset>(13), Time(row, 14))
    {
        Tally = new CardTally(
            row.GetInt32(16), row.GetInt64(17), row.GetInt64(18), Transfer(row, 19), Time(row, 20), Time(row, 21),
            row.GetInt64(22)),
        Seed = row.IsDBNull(23) ? null : row.GetFieldValue<byte[]>(23),
    };

    public static string? PlanOf(Card card) =>
        card.Terms.Plan is { } plan ? JsonSerializer.Serialize(plan, s_json) : null;

    public static CardPlan? ParsePlan(string? json) =>
        json is null ? null : JsonSerializer.Deserialize<CardPlan>(json, s_json);

    /// <summary>Nobody is stored as null.</summary>
    public static Guid? IdOf(AccountId party) => party == CardTerms.Nobody ? null : party.Value;

    private static AccountId Party(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? CardTerms.Nobody : new(row.GetGuid(column));

    private static TransferId? Transfer(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : new TransferId(row.GetGuid(column));

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);

    private static CardPlan? ReadPlan(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : ParsePlan(row.GetString(column));
}

/// <summary>How a part of a card is stored.</summary>
internal static class CardPartRow
{
    public const string Columns = "account_id, place, amount_minor, state, at";

    /// <summary>Reads <see cref="Columns"/> in that order.</summary>
    /// <param name="first">The first one's place in the row.</param>
    public static CardPart Read(NpgsqlDataReader row, int first = 0) => new(
        new(row.GetGuid(first)), row.GetInt32(first + 1), row.GetInt64(first + 2), (CardState)row.GetInt16(first + 3),
        row.GetFieldValue<DateTimeOffset>(first + 4));
}

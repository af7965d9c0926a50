using System.Text.Json.Serialization;

namespace ChatPay.Core.Protocol;

/// <summary><c>GET /v1/wallet/{asset}/activity?from=&amp;to=</c>: what came and went, by person and by month.</summary>
/// <param name="From">Where it begins: later than asked for where there would be more than can be looked through.</param>
/// <param name="People">Those with whom money moved, the latest first; at most <see cref="Limits.ActivityPeople"/>.</param>
/// <param name="Months">In UTC, the latest first; those without any are left out.</param>
public sealed record WalletActivity(
    string Asset, int Exponent, DateTimeOffset? From, IReadOnlyList<PersonActivity> People, IReadOnlyList<MonthActivity> Months);

/// <param name="InMinor">What came from them.</param>
/// <param name="OutMinor">What went to them.</param>
public sealed record PersonActivity(
    AccountView Person,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long InMinor,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long OutMinor,
    int Count, DateTimeOffset LastAt);

/// <param name="Month">As <c>2026-11</c>.</param>
public sealed record MonthActivity(
    string Month,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long InMinor,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long OutMinor);

/// <summary><c>GET /v1/wallet/holds</c>: what of the caller's waits, and when it returns.</summary>
/// <param name="AmountMinor">What is left of it.</param>
/// <param name="ReturnsAt">When it returns; of a delayed transfer when it arrives.</param>
/// <param name="Payee">Who it is for, where that is one person.</param>
public sealed record WalletHold(
    CardId Card, CardKind Kind, CardDelivery? Delivery, ConversationId Conversation, AccountView? Payee, string Asset,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AmountMinor,
    DateTimeOffset ReturnsAt);

/// <summary><c>GET /v1/wallet/limits</c>: what the server lets the caller do.</summary>
/// <param name="OpenCards">How many of the caller's cards are open.</param>
/// <param name="OpenCardsMax">How many may be.</param>
/// <param name="RequestsPerMinute">
/// People whom the caller may ask for money, by requests and splits, after <paramref name="RequestBurst"/> at once; on all nodes
/// together.
/// </param>
/// <param name="AmountMaxMinor">The most that one card may be about.</param>
public sealed record WalletLimits(
    int OpenCards, int OpenCardsMax, int RequestsPerMinute, int RequestBurst,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AmountMaxMinor,
    int CardLifetimeMaxSeconds, int MandateMaxSeconds);

public enum PayCodeKind
{
    /// <summary>Its owner is to be paid: a request to whoever scans it.</summary>
    PayMe = 1,

    /// <summary>Its owner pays: whoever scans it may ask them, once and within a minute.</summary>
    Payer = 2,
}

/// <summary><c>POST /v1/pay-codes</c>.</summary>
/// <param name="AmountMinor">With <see cref="PayCodeKind.PayMe"/> only, and there needed.</param>
/// <param name="LifetimeSeconds">60 to 86,400; of a payer's code always 60.</param>
public sealed record NewPayCode(
    PayCodeKind Kind,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long? AmountMinor = null,
    string? Asset = null, int LifetimeSeconds = 60);

/// <summary>A code as its owner, or whoever scanned it, sees it.</summary>
/// <param name="Code">What is shown, 32 random bytes as base64url.</param>
/// <param name="ScannedBy">Once somebody has; a code serves one person.</param>
public sealed record PayCodeView(
    string Code, PayCodeKind Kind, AccountView Owner,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long? AmountMinor,
    string? Asset, DateTimeOffset ExpiresAt, AccountView? ScannedBy);

using System.Text.Json.Serialization;

namespace ChatPay.Core.Protocol;

/// <param name="Exponent">How many decimals one unit has: EUR 2, JPY 0, KWD 3.</param>
public sealed record AssetView(string Code, int Exponent);

/// <summary>Amounts are strings on the wire: minor units in 64 bits do not fit a JavaScript number.</summary>
/// <param name="BalanceMinor">What the account owns, held or not.</param>
/// <param name="HeldMinor">What waits in holds; available = balance − held.</param>
public sealed record WalletBalance(
    string Asset,
    int Exponent,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long BalanceMinor,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long HeldMinor);

/// <summary><c>GET /v1/wallet</c>.</summary>
public sealed record WalletReply(IReadOnlyList<WalletBalance> Balances, bool Sandbox);

/// <summary><c>GET /v1/wallet/{asset}/balance?at=</c>.</summary>
/// <param name="AvailableMinor">balance − held.</param>
/// <param name="Version">Of the entry that was in force; 0 before the first.</param>
/// <param name="At">The instant this is true for: the one asked for, or now.</param>
public sealed record WalletBalanceAt(
    string Asset,
    int Exponent,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long BalanceMinor,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long HeldMinor,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AvailableMinor,
    long Version,
    DateTimeOffset At);

/// <summary><c>GET /v1/wallet/{asset}/statement?before=&amp;limit=</c>, newest first.</summary>
/// <param name="Before">Cursor of the next page, or null at the end.</param>
public sealed record StatementPage(IReadOnlyList<StatementEntry> Entries, long? Before);

/// <param name="Version">The account's version after this entry: the cursor.</param>
/// <param name="PostedMinor">Change of the balance, signed.</param>
/// <param name="HeldMinor">Change of the held amount, signed.</param>
/// <param name="Counterparty">The other side, where it is a person.</param>
public sealed record StatementEntry(
    long Version, Guid Transfer, string Kind,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long PostedMinor,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long HeldMinor,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long BalanceAfterMinor,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long HeldAfterMinor,
    AccountView? Counterparty, CardId? Card, ConversationId? Conversation, DateTimeOffset At);

/// <summary><c>GET /v1/wallet/{asset}/export?format=json</c>: a whole statement, oldest entry first.</summary>
/// <param name="Account">The ledger account.</param>
/// <param name="From">The beginning asked for, or null for the first entry.</param>
/// <param name="To">The end, which is not within; the present where none was asked for.</param>
/// <param name="Opening">What there was just before the first entry.</param>
/// <param name="Closing">What there was after the last one.</param>
public sealed record StatementExport(
    Guid Account, AccountView Owner, string Asset, int Exponent, DateTimeOffset? From, DateTimeOffset To,
    StatementBalance Opening, StatementBalance Closing, IReadOnlyList<StatementEntry> Entries);

/// <param name="Version">Of the entry in force; 0 before the first.</param>
public sealed record StatementBalance(
    long Version,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long BalanceMinor,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long HeldMinor);

public enum CardKind
{
    /// <summary>
    /// The author pays one person: held until accepted, declined, cancelled or expired, unless its plan says that it arrives at
    /// once or after a delay.
    /// </summary>
    Transfer = 1,

    /// <summary>The author asks one person to be paid.</summary>
    Request = 2,

    /// <summary>The author asks several people for their shares of a bill.</summary>
    Split = 3,

    /// <summary>The author sets money aside, in shares, for whoever of the conversation takes one; or for one person.</summary>
    Packet = 4,

    /// <summary>The author lets one person draw on their account, up to a maximum per period, until some time.</summary>
    Mandate = 5,
}

public enum CardState
{
    /// <summary>Transfer: the money waits in a hold.</summary>
    Held = 1,

    Accepted = 2,
    Declined = 3,
    Cancelled = 4,
    Expired = 5,

    /// <summary>Request: nobody has paid yet. Split: some share is not answered. Packet: some share is not taken.</summary>
    Open = 6,

    Paid = 7,

    /// <summary>Packet: every share was taken.</summary>
    Exhausted = 8,

    /// <summary>Mandate: the payee may draw.</summary>
    Active = 9,

    /// <summary>Split: every share was answered, not all of them by paying.</summary>
    Settled = 10,
}

public enum CardActionKind
{
    /// <summary>Creates the card; version 0.</summary>
    Post = 1,

    /// <summary>Transfer: the payee takes the money.</summary>
    Accept = 2,

    /// <summary>The other side refuses; held money returns. Split: one's own share. Mandate: the payee gives it up.</summary>
    Decline = 3,

    /// <summary>
    /// The author takes the card back; held money returns. Split: only what is not paid. Mandate: the payer ends it.
    /// </summary>
    Cancel = 4,

    /// <summary>Request and split: the payer pays.</summary>
    Pay = 5,

    /// <summary>Packet: takes a share.</summary>
    Claim = 6,

    /// <summary>Whoever received the money of a transfer or request gives some of it back.</summary>
    Refund = 7,

    /// <summary>Mandate: the payee takes money within its bounds.</summary>
    Draw = 8,

    /// <summary>Request: the author reminds the payer, once.</summary>
    Remind = 9,
}

/// <summary>When the money of a transfer arrives.</summary>
public enum CardDelivery
{
    /// <summary>At once: it cannot be taken back.</summary>
    AtOnce = 1,

    /// <summary>By itself after the card's lifetime; the payer can cancel until then.</summary>
    Delayed = 2,
}

/// <summary>How a packet is divided.</summary>
public enum PacketMode
{
    /// <summary>Equally; the first ones have one unit more where it does not divide.</summary>
    Fixed = 1,

    /// <summary>By chance, from a seed that is committed to when it is posted and shown when it is over.</summary>
    Random = 2,
}

public enum MandatePeriod
{
    Day = 1,
    Week = 2,
    Month = 3,
}

/// <summary>Whom a split asks for how much.</summary>
public sealed record CardShare(
    AccountId Account,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AmountMinor);

/// <summary>What the terms of a kind have beside parties and amount; the other members are null.</summary>
/// <param name="Delivery">Transfer; null for one that is held until it is accepted.</param>
/// <param name="Shares">Split: 1 to <see cref="Limits.SplitShares"/> people, each once, in the order shown.</param>
/// <param name="OwnMinor">Split: what the author bears; it is part of no sum and moves nothing.</param>
/// <param name="Packet">Packet.</param>
/// <param name="Count">Packet: into how many shares, 1 to <see cref="Limits.PacketShares"/>.</param>
/// <param name="Period">Mandate: what the amount is the maximum of.</param>
public sealed record CardPlan(
    CardDelivery? Delivery = null,
    IReadOnlyList<CardShare>? Shares = null,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long? OwnMinor = null,
    PacketMode? Packet = null, int? Count = null, MandatePeriod? Period = null)
{
    /// <summary>By what it says, also of its shares.</summary>
    public bool Equals(CardPlan? other) =>
        other is not null && Delivery == other.Delivery && OwnMinor == other.OwnMinor && Packet == other.Packet
        && Count == other.Count && Period == other.Period
        && (Shares?.Count ?? 0) == (other.Shares?.Count ?? 0)
        && (Shares ?? []).Zip(other.Shares ?? []).All(pair => pair.First == pair.Second);

    public override int GetHashCode() => HashCode.Combine(Delivery, OwnMinor, Packet, Count, Period, Shares?.Count);
}

/// <summary>One person's part of a split, or one taken share of a packet.</summary>
/// <param name="State">Open, paid, declined, cancelled or expired; a packet's shares are paid.</param>
/// <param name="Place">From 0: of a split its place among the shares, of a packet the order in which it was taken.</param>
/// <param name="At">When it got its state.</param>
public sealed record CardPart(
    AccountId Account, int Place,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AmountMinor,
    CardState State, DateTimeOffset At);

/// <summary>How far a card has come beside its state; members that do not concern its kind are null.</summary>
/// <param name="Answered">Split: how many shares are not open any more. Packet: how many are taken.</param>
/// <param name="PaidMinor">Split and packet: what was paid or taken so far. Mandate: what was drawn in all.</param>
/// <param name="Parts">
/// Split and packet: those that changed by this event, or all of them where there is no event. A long list is read in pages
/// from <c>/v1/cards/{id}/parts</c>.
/// </param>
/// <param name="RefundedMinor">Transfer and request: what was given back of it.</param>
/// <param name="RemindedAt">Request and split: when a reminder was sent.</param>
/// <param name="PeriodMinor">Mandate: what was drawn since <paramref name="PeriodStart"/>.</param>
/// <param name="DrawnMinor">Mandate: what this event's draw took.</param>
/// <param name="SeedCommit">Random packet: SHA-256 of "chatpay packet v1" and the seed, 32 bytes.</param>
/// <param name="Seed">Random packet, once it is over: 32 bytes, from which anybody computes the shares again.</param>
public sealed record CardProgress(
    int? Answered = null,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long? PaidMinor = null,
    IReadOnlyList<CardPart>? Parts = null,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long? RefundedMinor = null,
    DateTimeOffset? RemindedAt = null,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long? PeriodMinor = null,
    DateTimeOffset? PeriodStart = null,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long? DrawnMinor = null,
    byte[]? SeedCommit = null, byte[]? Seed = null);

/// <summary>A card as members see it: terms and state, never memo or items.</summary>
/// <param name="Payer">Zeros for a split, which has several.</param>
/// <param name="Payee">Zeros for a packet that is for everybody.</param>
/// <param name="AmountMinor">
/// Transfer, request and packet: the whole. Split: the sum of its shares. Mandate: the most that may be drawn in a period.
/// </param>
/// <param name="LifetimeSeconds">Of a delayed transfer the delay.</param>
/// <param name="DetailCommit">SHA-256 binding terms and encrypted details, 32 bytes.</param>
/// <param name="Version">1 when posted; each change adds one. Actions name the version they act on.</param>
/// <param name="Hidden">
/// True for a member who is not concerned: then parties, amount, asset and commitment are left empty, and there is neither plan
/// nor progress.
/// </param>
public sealed record CardView(
    CardId Id, CardKind Kind, ConversationId Conversation, AccountId Author, AccountId Payer, AccountId Payee,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AmountMinor,
    string Asset, int LifetimeSeconds, byte[] DetailCommit, CardState State, int Version,
    DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? ClosedAt,
    CardPlan? Plan = null, CardProgress? Progress = null, bool? Hidden = null);

/// <summary><c>GET /v1/cards/{id}/parts?after=&amp;limit=</c>, by place.</summary>
/// <param name="After">Cursor of the next page, or null at the end.</param>
public sealed record CardPartsPage(IReadOnlyList<CardPart> Parts, int? After);

/// <param name="Version">The version acted on; 0 for <see cref="CardActionKind.Post"/>.</param>
/// <param name="IdempotencyKey">Unique per actor: the same key with the same action gets the stored outcome.</param>
/// <param name="Post">With <see cref="CardActionKind.Post"/> only.</param>
/// <param name="AmountMinor">
/// How much, with <see cref="CardActionKind.Refund"/> and <see cref="CardActionKind.Draw"/>, and only with them.
/// </param>
/// <param name="Authorisation">With every action that takes the actor's money, and with no other.</param>
public sealed record CardActRequest(
    CardId Card, int Version, CardActionKind Action, Guid IdempotencyKey, CardPost? Post = null,
    CardAuthorisation? Authorisation = null,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long? AmountMinor = null);

/// <summary>
/// The actor's device's word that the money may go; what it is over is docs/PROTOCOL.md's, section Authorisation. A retry may
/// bring another one under the same key.
/// </summary>
/// <param name="ExpiresAt">Seconds since the Unix epoch; at most <see cref="Limits.AuthorisationMaxSeconds"/> ahead.</param>
/// <param name="Signature">Ed25519 by the calling device, 64 bytes.</param>
public sealed record CardAuthorisation(long ExpiresAt, byte[] Signature);

/// <summary>The terms and the encrypted message of a new card.</summary>
/// <param name="Payer">As <see cref="CardView.Payer"/>.</param>
/// <param name="Body">
/// MLSMessage with a PrivateMessage whose authenticated data is the card's (see docs/PROTOCOL.md).
/// </param>
public sealed record CardPost(
    CardKind Kind, ConversationId Conversation, AccountId Payer, AccountId Payee,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AmountMinor,
    string Asset, int LifetimeSeconds, byte[] DetailCommit, ClientMessageId ClientId, long Epoch, byte[] Body,
    CardPlan? Plan = null);

/// <param name="Seq">Where the change stands in the conversation's log.</param>
public sealed record CardActReply(CardView Card, long Seq, DateTimeOffset At);

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
    /// <summary>The author pays: held until accepted, declined, cancelled or expired.</summary>
    Transfer = 1,

    /// <summary>The author asks to be paid.</summary>
    Request = 2,
}

public enum CardState
{
    /// <summary>Transfer: the money waits in a hold.</summary>
    Held = 1,

    Accepted = 2,
    Declined = 3,
    Cancelled = 4,
    Expired = 5,

    /// <summary>Request: nobody has paid yet.</summary>
    Open = 6,

    Paid = 7,
}

public enum CardActionKind
{
    /// <summary>Creates the card; version 0.</summary>
    Post = 1,

    /// <summary>Transfer: the payee takes the money.</summary>
    Accept = 2,

    /// <summary>The other side refuses; held money returns.</summary>
    Decline = 3,

    /// <summary>The author takes the card back; held money returns.</summary>
    Cancel = 4,

    /// <summary>Request: the payer pays.</summary>
    Pay = 5,
}

/// <summary>A card as members see it: terms and state, never memo or items.</summary>
/// <param name="Version">1 when posted; each change adds one. Actions name the version they act on.</param>
/// <param name="DetailCommit">SHA-256 binding terms and encrypted details, 32 bytes.</param>
public sealed record CardView(
    CardId Id, CardKind Kind, ConversationId Conversation, AccountId Author, AccountId Payer, AccountId Payee,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AmountMinor,
    string Asset, int LifetimeSeconds, byte[] DetailCommit, CardState State, int Version,
    DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? ClosedAt);

/// <param name="Version">The version acted on; 0 for <see cref="CardActionKind.Post"/>.</param>
/// <param name="IdempotencyKey">Unique per actor: the same key with the same action gets the stored outcome.</param>
/// <param name="Post">With <see cref="CardActionKind.Post"/> only.</param>
/// <param name="Authorisation">With every action that takes the actor's money, and with no other.</param>
public sealed record CardActRequest(
    CardId Card, int Version, CardActionKind Action, Guid IdempotencyKey, CardPost? Post = null,
    CardAuthorisation? Authorisation = null);

/// <summary>
/// The actor's device's word that the money may go; what it is over is docs/PROTOCOL.md's, section Authorisation. A retry may
/// bring another one under the same key.
/// </summary>
/// <param name="ExpiresAt">Seconds since the Unix epoch; at most <see cref="Limits.AuthorisationMaxSeconds"/> ahead.</param>
/// <param name="Signature">Ed25519 by the calling device, 64 bytes.</param>
public sealed record CardAuthorisation(long ExpiresAt, byte[] Signature);

/// <summary>The terms and the encrypted message of a new card.</summary>
/// <param name="Body">
/// MLSMessage with a PrivateMessage whose authenticated data is the card's (see docs/PROTOCOL.md).
/// </param>
public sealed record CardPost(
    CardKind Kind, ConversationId Conversation, AccountId Payer, AccountId Payee,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AmountMinor,
    string Asset, int LifetimeSeconds, byte[] DetailCommit, ClientMessageId ClientId, long Epoch, byte[] Body);

/// <param name="Seq">Where the change stands in the conversation's log.</param>
public sealed record CardActReply(CardView Card, long Seq, DateTimeOffset At);

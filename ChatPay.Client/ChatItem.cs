using System.Text.Json.Serialization;
using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>
/// Something that happened in a conversation, decrypted and checked: what <see cref="ChatPayDevice.ReceiveAsync"/> and
/// <see cref="ChatConversation.HistoryAsync"/> consist of.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "item")]
[JsonDerivedType(typeof(TextMessage), "text")]
[JsonDerivedType(typeof(CardPosted), "card")]
[JsonDerivedType(typeof(CardChanged), "cardChanged")]
[JsonDerivedType(typeof(ConversationStarted), "started")]
[JsonDerivedType(typeof(MembersChanged), "members")]
[JsonDerivedType(typeof(GroupRenamed), "renamed")]
[JsonDerivedType(typeof(RetentionSet), "retention")]
[JsonDerivedType(typeof(Unreadable), "unreadable")]
[JsonDerivedType(typeof(HistoryMissing), "missing")]
[JsonDerivedType(typeof(NotSent), "notSent")]
public abstract record ChatItem
{
    /// <summary>Where it happened.</summary>
    public required ConversationId Conversation { get; init; }

    /// <summary>Its place in the conversation's log; 0 for what has none.</summary>
    public required long Seq { get; init; }

    /// <summary>The server's time.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Whose doing it was; null for the server's own, such as an expiry.</summary>
    public AccountView? By { get; init; }

    /// <summary>Which of their devices; null where no device is named.</summary>
    public DeviceId? Device { get; init; }

    /// <summary>Whether this account did it, with this device or another one.</summary>
    public bool IsOwn { get; init; }

    /// <summary>
    /// Whether <see cref="ChatPayDevice.ReceiveAsync"/> may have given this before: the program ended before it asked
    /// for the next one.
    /// </summary>
    [JsonIgnore]
    public bool IsRepeated { get; init; }

    /// <summary>The id that its sender chose for the message; null where it is none, or was stored before ids were.</summary>
    [JsonInclude]
    internal ClientMessageId? ClientId { get; init; }

    /// <summary>Whether the message says that it is not to be kept; null where it does not.</summary>
    [JsonInclude]
    internal bool? Expires { get; init; }

    [JsonIgnore]
    internal long Position { get; init; }

    /// <summary>Among whose items that place is.</summary>
    [JsonIgnore]
    internal object? Origin { get; init; }

    /// <summary>
    /// The id for a message in answer to this one: always the same for the same purpose, so that a program that has to
    /// answer again after a crash does not say it twice.
    /// </summary>
    /// <param name="purpose">Tells several answers to one item apart; any text.</param>
    /// <example>
    /// <code>await conversation.SendTextAsync("Hello!", item.ReplyId("greeting"), cancellationToken);</code>
    /// </example>
    public ClientMessageId ReplyId(string purpose) =>
        new(ClientIds.Derived(Conversation.Value, Seq, "chatpay reply " + purpose));

    /// <summary>The id for a card in answer to this item: always the same for the same purpose.</summary>
    /// <param name="purpose">Tells several cards in answer to one item apart; any text.</param>
    /// <example>
    /// <code>
    /// var options = new CardOptions { Id = item.CardId("coffee") };
    /// await conversation.RequestMoneyAsync(payer, price, "Coffee", options, cancellationToken);
    /// </code>
    /// </example>
    public CardId CardId(string purpose) => new(ClientIds.Derived(Conversation.Value, Seq, "chatpay card " + purpose));
}

/// <summary>Somebody said something.</summary>
public sealed record TextMessage : ChatItem
{
    /// <summary>What; at most 8,000 UTF-16 units.</summary>
    public required string Text { get; init; }

    /// <summary>The id that its sender chose.</summary>
    public required ClientMessageId Id { get; init; }
}

/// <summary>Somebody posted a card.</summary>
public sealed record CardPosted : ChatItem
{
    /// <summary>The card as it was then.</summary>
    public required ChatCard Card { get; init; }
}

/// <summary>A card's state moved on.</summary>
public sealed record CardChanged : ChatItem
{
    /// <summary>The card as it was after that.</summary>
    public required ChatCard Card { get; init; }
}

/// <summary>
/// This account is in a conversation from here on: <see cref="ChatItem.By"/> created it, or added this account. It
/// happened since this device signed in; conversations from before are in <see cref="ChatPayDevice.Conversations"/>.
/// </summary>
public sealed record ConversationStarted : ChatItem
{
    /// <summary>Direct or group.</summary>
    public required ConversationKind Kind { get; init; }

    /// <summary>Who was in it at that moment, this account too.</summary>
    public required IReadOnlyList<MemberView> Members { get; init; }
}

/// <summary>Members came, went, or changed their roles or devices.</summary>
public sealed record MembersChanged : ChatItem
{
    /// <summary>Accounts that came.</summary>
    public required IReadOnlyList<AccountView> Added { get; init; }

    /// <summary>Accounts that an owner removed.</summary>
    public required IReadOnlyList<AccountView> Removed { get; init; }

    /// <summary>Accounts that left by themselves.</summary>
    public required IReadOnlyList<AccountView> Left { get; init; }

    /// <summary>Accounts that became owners or ceased to be.</summary>
    public required IReadOnlyList<RoleChange> Roles { get; init; }

    /// <summary>Devices that came, of accounts that were there before or came with them.</summary>
    public required IReadOnlyList<DeviceId> DevicesAdded { get; init; }

    /// <summary>Devices that went or were revoked.</summary>
    public required IReadOnlyList<DeviceId> DevicesRemoved { get; init; }
}

/// <summary>A group has another name than before.</summary>
public sealed record GroupRenamed : ChatItem
{
    /// <summary>The new name; at most 64 UTF-16 units.</summary>
    public required string Name { get; init; }

    /// <summary>The name before.</summary>
    public required string Before { get; init; }
}

/// <summary>For how long the server keeps the conversation's log.</summary>
public sealed record RetentionSet : ChatItem
{
    /// <summary>In days; null for the server's default.</summary>
    public int? Days { get; init; }
}

/// <summary>A message, or whatever a newer server has in its log, shown as a warning in place of its content.</summary>
public sealed record Unreadable : ChatItem
{
    /// <summary>Why.</summary>
    public required UnreadableReason Reason { get; init; }
}

/// <summary>Why a message is not shown.</summary>
public enum UnreadableReason
{
    /// <summary>It does not decrypt, or is not what its sender's signature covers.</summary>
    Failed = 1,

    /// <summary>It, or its content, is of a version or type to come.</summary>
    NewerVersion = 2,

    /// <summary>Another device sent it than the one that the server names.</summary>
    SenderMismatch = 3,
}

/// <summary>
/// The server had removed a part of the log, by the conversation's retention, before this device came for it.
/// </summary>
public sealed record HistoryMissing : ChatItem
{
    /// <summary>The first seq that is missing; <see cref="ChatItem.Seq"/> is the last.</summary>
    public required long From { get; init; }
}

/// <summary>
/// Something that this device had on its way when the program ended, and that was refused afterwards. Nobody waits for
/// its outcome any more, so it comes this way.
/// </summary>
public sealed record NotSent : ChatItem
{
    /// <summary>The message's id.</summary>
    public required ClientMessageId Id { get; init; }

    /// <summary>The card, if it was one.</summary>
    public CardId? Card { get; init; }

    /// <summary>The server's error, or <see cref="ClientErrors.OutcomeUnknown"/>.</summary>
    public required ErrorBody Error { get; init; }
}

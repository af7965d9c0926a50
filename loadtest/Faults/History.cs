using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Faults;

/// <summary>One event of a conversation's log, as a device was handed it or as the database has it.</summary>
/// <param name="Card">Of a card posted or changed.</param>
internal readonly record struct LogEntry(
    long Seq, EventKind Kind, DeviceId? Device, ClientMessageId? ClientId, CardEntry? Card = null)
{
    public static LogEntry Of(Event e) => new(
        e.Seq, e.Kind, e.Device, e.ClientId,
        e.Card is { } card ? new CardEntry(card.Id, card.State, card.Version) : null);
}

internal readonly record struct CardEntry(CardId Id, CardState State, int Version)
{
    public bool IsTerminal => State is not (CardState.Held or CardState.Open);
}

/// <summary>What one device sent as one message: by this it is known again.</summary>
internal readonly record struct MessageName(ConversationId Conversation, DeviceId Device, ClientMessageId ClientId);

/// <summary>Everything that a run has to be judged by, once it is over.</summary>
internal sealed record History
{
    /// <summary>Every message that was ever handed to the SDK, acknowledged or not.</summary>
    public required IReadOnlySet<MessageName> Attempted { get; init; }

    /// <summary>Where the server said that each stands.</summary>
    public required IReadOnlyDictionary<MessageName, long> Acknowledged { get; init; }

    /// <summary>What the server said each card action led to, and where that stands.</summary>
    public required IReadOnlyList<(ConversationId Conversation, long Seq, CardEntry Card)> CardsAcknowledged { get; init; }

    /// <summary>The logs in the database.</summary>
    public required IReadOnlyDictionary<ConversationId, IReadOnlyList<LogEntry>> Database { get; init; }

    /// <summary>The cards' rows in the database.</summary>
    public required IReadOnlyDictionary<CardId, CardEntry> Cards { get; init; }

    /// <summary>What each device was handed, in the order in which it was, of the conversations that its account is in.</summary>
    public required IReadOnlyDictionary<DeviceId, IReadOnlyDictionary<ConversationId, IReadOnlyList<LogEntry>>> Devices
    { get; init; }
}

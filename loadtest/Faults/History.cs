using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Faults;

/// <summary>One event of a conversation's log, as a device was handed it or as the database has it.</summary>
/// <param name="Card">Of a card posted or changed.</param>
/// <param name="Epoch">In which it stands; a commit in the one that it ends.</param>
/// <param name="Members">Of a commit or a change of members that brought or took somebody.</param>
internal readonly record struct LogEntry(
    long Seq, EventKind Kind, DeviceId? Device, ClientMessageId? ClientId, CardEntry? Card = null, long Epoch = 0,
    MembersEntry? Members = null)
{
    public static LogEntry Of(Event e) => new(
        e.Seq, e.Kind, e.Device, e.ClientId,
        e.Card is { } card ? new CardEntry(card.Id, card.State, card.Version) : null, e.Epoch, MembersEntry.Of(e.Members));
}

/// <summary>Whom an event made a member, and whom it made one no longer, as text that compares.</summary>
internal readonly record struct MembersEntry(string Came, string Gone)
{
    public static MembersEntry? Of(MembersChange? change)
    {
        if (change is null || change.Added.Count + change.Removed.Count + change.Left.Count == 0)
        {
            return null;
        }

        return new(
            string.Join(' ', change.Added.Select(one => one.Account)), string.Join(' ', change.Removed.Concat(change.Left)));
    }

    public bool Brings(AccountId account) => Came.Contains(account.ToString(), StringComparison.Ordinal);

    public bool Takes(AccountId account) => Gone.Contains(account.ToString(), StringComparison.Ordinal);
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

    /// <summary>Where the server said that each commit stands, and which epoch it ended.</summary>
    public required IReadOnlyList<(ConversationId Conversation, long Seq, long Epoch)> CommitsAcknowledged { get; init; }

    /// <summary>The logs in the database.</summary>
    public required IReadOnlyDictionary<ConversationId, IReadOnlyList<LogEntry>> Database { get; init; }

    /// <summary>The cards' rows in the database.</summary>
    public required IReadOnlyDictionary<CardId, CardEntry> Cards { get; init; }

    /// <summary>Whose each device is.</summary>
    public required IReadOnlyDictionary<DeviceId, AccountId> Accounts { get; init; }

    /// <summary>Who was in each conversation from its beginning.</summary>
    public required IReadOnlyDictionary<ConversationId, IReadOnlySet<AccountId>> Founders { get; init; }

    /// <summary>
    /// Devices that had to begin anew because the database had another history: those are not handed what was before the
    /// last time that their account came in.
    /// </summary>
    public required IReadOnlySet<DeviceId> BegunAnew { get; init; }

    /// <summary>What each device was handed, in the order in which it was, of the conversations that its account is in.</summary>
    public required IReadOnlyDictionary<DeviceId, IReadOnlyDictionary<ConversationId, IReadOnlyList<LogEntry>>> Devices
    { get; init; }
}

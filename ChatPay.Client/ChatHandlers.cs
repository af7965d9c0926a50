using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>
/// What to do with the server's pushes; what has no handler is passed over. Handlers run one at a time, in the order the
/// server sent, and one that takes long delays the rest.
/// </summary>
public sealed record ChatHandlers
{
    /// <summary>Committed events, in seq order per conversation; a gap calls for a sync.</summary>
    public Action<IReadOnlyList<Event>>? Events { get; init; }

    /// <summary>Conversations that the account has just come into.</summary>
    public Action<IReadOnlyList<ConversationView>>? Heads { get; init; }

    /// <summary>Messages for this device alone, to be acknowledged.</summary>
    public Action<IReadOnlyList<DeviceMessage>>? DeviceMessages { get; init; }

    /// <summary>Delivered and read marks that rose.</summary>
    public Action<IReadOnlyList<Receipt>>? Receipts { get; init; }

    /// <summary>Typing signals.</summary>
    public Action<IReadOnlyList<EphemeralSignal>>? Ephemeral { get; init; }

    /// <summary>Watched accounts that came or went.</summary>
    public Action<IReadOnlyList<PresenceView>>? Presence { get; init; }

    /// <summary>Balances that changed.</summary>
    public Action<IReadOnlyList<WalletBalance>>? WalletChanged { get; init; }

    /// <summary>What the server asks of the connection: resync, reconnect, upgrade, or that it is revoked.</summary>
    public Action<ControlSignal>? Control { get; init; }

    /// <summary>A guess of the account's PIN was counted or ended, a wait began or ended, or its chain of keys grew.</summary>
    public Action<KeysSignal>? Keys { get; init; }

    /// <summary>The connection ended; the exception says why, and is null where this side closed it.</summary>
    public Action<Exception?>? Closed { get; init; }
}

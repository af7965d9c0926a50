using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>
/// Something of the moment, which may be lost and is not kept: see <see cref="ChatPayDevice.SignalsAsync"/>.
/// </summary>
public abstract record ChatSignal;

/// <summary>Somebody is typing, or has stopped.</summary>
/// <param name="Conversation">Where.</param>
/// <param name="Account">Who.</param>
/// <param name="Active">Whether they are typing.</param>
/// <param name="Lasts">How long this is true for unless it is said again.</param>
public sealed record TypingSignal(ConversationId Conversation, AccountId Account, bool Active, TimeSpan Lasts)
    : ChatSignal;

/// <summary>A device has received or read more than before.</summary>
/// <param name="Receipt">Up to which seq.</param>
public sealed record ReceiptSignal(Receipt Receipt) : ChatSignal;

/// <summary>A watched account came or went.</summary>
/// <param name="Presence">Whether it is there.</param>
public sealed record PresenceSignal(PresenceView Presence) : ChatSignal;

/// <summary>The account's balances changed.</summary>
/// <param name="Balances">Those that did, as of the change.</param>
public sealed record WalletSignal(IReadOnlyList<ChatBalance> Balances) : ChatSignal;

/// <summary>The connection came, went, or waits.</summary>
/// <param name="State">What the session is doing.</param>
/// <param name="RetryIn">How long it waits before the next attempt, where it does.</param>
public sealed record ConnectionSignal(ChatSessionState State, TimeSpan? RetryIn) : ChatSignal;

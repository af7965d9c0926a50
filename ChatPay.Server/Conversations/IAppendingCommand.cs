using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;

namespace ChatPay.Server.Conversations;

/// <summary>
/// A command that appends one event to a conversation's log, and nothing else to the conversation. It may be decided on what
/// this node remembers of the conversation; see <see cref="ConversationRows.NeedForAppending"/>.
/// </summary>
internal interface IAppendingCommand
{
    ConversationId Conversation { get; }

    /// <summary>Whose places in the conversation it is decided on.</summary>
    IReadOnlyList<AccountId> Places { get; }

    /// <summary>What a message of it is known by; null where it appends none.</summary>
    MessageKey? Message { get; }

    /// <summary>Whether nothing about the conversation speaks against it; what does is looked at under its lock.</summary>
    bool IsInOrder(ConversationState conversation);

    /// <summary>Asks for all that it takes where the conversation has to be locked.</summary>
    void NeedLocked(WriteSet set);
}

using System.Collections.Immutable;
using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Conversations;

/// <summary>A conversation as a batch left it: what it takes to append a message to its log.</summary>
/// <param name="Members">Those that were asked for, not all.</param>
internal sealed record KnownConversation(
    ConversationId Id, ConversationKind Kind, long Head, long Epoch, DateTimeOffset CreatedAt, int? RetentionDays,
    ImmutableDictionary<AccountId, Member> Members)
{
    /// <summary>For one batch to decide on; its members are to be loaded into it.</summary>
    public ConversationState ToState() => new(Id, Kind, Head, Epoch, CreatedAt) { RetentionDays = RetentionDays };
}

/// <summary>
/// The conversations this node has decided on lately, as it left them, and which messages it has appended. Either may be
/// wrong: another node may have moved on, or a batch may not have been committed. So whatever is decided on it is
/// committed only if the conversation's row still has the head and epoch it had here, and if no other event has the
/// message's id; what proves wrong is forgotten.
/// </summary>
/// <remarks>Two generations stand in for an order of use: when the younger is full, the older is dropped.</remarks>
internal sealed class ConversationCache(IOptions<ConversationOptions> options)
{
    private readonly Lock _lock = new();
    private Dictionary<ConversationId, KnownConversation> _young = [];
    private Dictionary<ConversationId, KnownConversation> _old = [];
    private HashSet<MessageKey> _youngMessages = [];
    private HashSet<MessageKey> _oldMessages = [];

    /// <summary>What is known of the conversation; null for nothing.</summary>
    public KnownConversation? Find(ConversationId conversation)
    {
        lock (_lock)
        {
            return _young.GetValueOrDefault(conversation) ?? _old.GetValueOrDefault(conversation);
        }
    }

    /// <summary>Whether this node has appended the message lately, or tried to.</summary>
    public bool Knows(MessageKey message)
    {
        lock (_lock)
        {
            return _youngMessages.Contains(message) || _oldMessages.Contains(message);
        }
    }

    public void Put(IEnumerable<ConversationState> states, IEnumerable<MessageKey> messages)
    {
        var most = options.Value.CachedConversations / 2;
        if (most == 0)
        {
            return;
        }

        lock (_lock)
        {
            foreach (var state in states)
            {
                // Members of before are only true of the log that this was decided on the end of.
                var before = _young.GetValueOrDefault(state.Id) ?? _old.GetValueOrDefault(state.Id);
                var members = before?.Head == state.LoadedHead
                    ? before.Members
                    : ImmutableDictionary<AccountId, Member>.Empty;
                _young[state.Id] = new(
                    state.Id, state.Kind, state.Head, state.Epoch, state.CreatedAt, state.RetentionDays,
                    members.SetItems(
                        from member in state.Members
                        where !ReferenceEquals(members.GetValueOrDefault(member.Account), member)
                        select KeyValuePair.Create(member.Account, member)));
            }

            _youngMessages.UnionWith(messages);
            if (_young.Count > most)
            {
                (_young, _old) = ([], _young);
            }

            if (_youngMessages.Count > most)
            {
                (_youngMessages, _oldMessages) = ([], _youngMessages);
            }
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            (_young, _old) = ([], []);
        }
    }

    public void Forget(IEnumerable<ConversationId> conversations)
    {
        lock (_lock)
        {
            foreach (var id in conversations)
            {
                _young.Remove(id);
                _old.Remove(id);
            }
        }
    }
}

/// <summary>What a message is known by: a device uses an id once in a conversation.</summary>
internal readonly record struct MessageKey(ConversationId Conversation, DeviceId Device, ClientMessageId ClientId);

using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Conversations;

/// <summary>
/// Messages to conversations that this node remembers. Such a batch reads nothing: it is decided on the cache, and its
/// transaction fails where a conversation's row no longer has the head and epoch that were decided on, or where an event
/// has the message's id already. Every change of members, epoch or log moves the head, so that is all there is to check.
/// </summary>
internal sealed partial class ConversationRows
{
    private readonly List<(AccountId Account, DeviceId Device, SendRequest Request)> _messages = [];
    private readonly Dictionary<ConversationId, KnownConversation> _trusted = [];

    public override bool IsSpeculative => _trusted.Count > 0;

    /// <summary>
    /// Whether a batch before this one decided on a conversation without a lock that this one is to lock: the lock would
    /// come between that decision and its commit.
    /// </summary>
    public override bool WaitsForEarlier => set.Earlier
        .Select(earlier => earlier.Rows<ConversationRows>()._trusted)
        .Any(unlocked => unlocked.Count > 0 && _needed.Any(unlocked.ContainsKey));

    public override void Declared()
    {
        _trusted.Clear();
        _found.Clear();
        var conversations = _messages.Select(message => message.Request.Conversation).Distinct();
        var heard = registry.Delivered(set.Locks ? [] : conversations)
            .ToDictionary(cursor => cursor.Conversation, cursor => cursor.Seq);
        foreach (var messages in _messages.GroupBy(message => message.Request.Conversation))
        {
            if (set.Locks || _needed.Contains(messages.Key) || !TryTrust(messages.Key, messages, heard))
            {
                foreach (var (account, device, request) in messages)
                {
                    NeedMember(request.Conversation, account);
                    NeedDuplicateCheck(request.Conversation, device, request.ClientId);
                }
            }
        }
    }

    /// <summary>
    /// Before the events, so that two nodes meet at the conversation's row and nowhere else; and in the order of their ids, so
    /// that they never wait for each other in a circle.
    /// </summary>
    private void AddTrusted(NpgsqlBatch batch)
    {
        if (_trusted.Count == 0)
        {
            return;
        }

        KnownConversation[] before = [.. _trusted.Values.OrderBy(known => known.Id.Value)];
        batch.Add("""
            with written as (
                update conversation c set head = u.head
                from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) as u (id, head, old_head, old_epoch)
                where c.id = u.id and c.head = u.old_head and c.epoch = u.old_epoch
                returning 1
            )
            select expect_rows((select count(*) from written), $5)
            """,
            before.Select(known => known.Id.Value).ToArray(),
            before.Select(known => _found[known.Id].Head).ToArray(),
            before.Select(known => known.Head).ToArray(),
            before.Select(known => known.Epoch).ToArray(),
            (long)before.Length);
    }

    /// <summary>Decides on what is known if every message is appended by it.</summary>
    /// <param name="heard">How far the logs are that somebody here hears.</param>
    private bool TryTrust(
        ConversationId conversation, IEnumerable<(AccountId Account, DeviceId Device, SendRequest Request)> messages,
        Dictionary<ConversationId, long> heard)
    {
        // Whoever hears it may have been told by another node what the cache has not been.
        if (cache.Find(conversation) is not { } known || heard.GetValueOrDefault(conversation) > known.Head)
        {
            return false;
        }

        var state = known.ToState();
        foreach (var (account, device, request) in messages)
        {
            if (known.Members.GetValueOrDefault(account) is not { } member
                || cache.Knows(new(conversation, device, request.ClientId)))
            {
                return false;
            }

            state.Load(member);
            if (SendRules.Refusal(state, account, request) is not null)
            {
                return false;
            }
        }

        _trusted.Add(conversation, known);
        _found.Add(conversation, state);
        return true;
    }
}

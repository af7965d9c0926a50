using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Conversations;

/// <summary>
/// Messages and cards to conversations that this node remembers. Of those nothing is read: they are decided on the cache, and
/// the transaction fails where a conversation's row no longer has the head and epoch that were decided on, or where an event
/// has the message's id already. Every change of members, epoch or log moves the head, so that is all there is to check.
/// </summary>
internal sealed partial class ConversationRows
{
    private readonly List<IAppendingCommand> _appending = [];
    private readonly Dictionary<ConversationId, KnownConversation> _trusted = [];

    /// <summary>Whether a batch before this one, not committed yet, has to do with any of them.</summary>
    private bool _follows;

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
        if (!set.Locks && _appending.Count > 0)
        {
            TrustWhatIsKnown();
        }

        _follows = set.Earlier.Any(earlier => earlier.Rows<ConversationRows>()._found.Keys.Any(_trusted.ContainsKey));

        foreach (var command in _appending)
        {
            if (!_trusted.ContainsKey(command.Conversation))
            {
                command.NeedLocked(set);
            }
        }
    }

    /// <summary>Whether all that the batch appends to it has been found to be in order; nothing else goes there.</summary>
    public bool IsTrusted(ConversationId conversation) => _trusted.ContainsKey(conversation);

    /// <summary>
    /// Where another batch must be committed first: written beside it, this one might come to the rows before it and find them
    /// as they were.
    /// </summary>
    public override void AddLastWrites(NpgsqlBatch batch)
    {
        if (_follows)
        {
            AddTrusted(batch);
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

    /// <summary>Decides on what is known of a conversation, if all that is appended to it is in order by that.</summary>
    private void TrustWhatIsKnown()
    {
        HashSet<ConversationId> loaded = [];

        // Whoever hears a conversation may have been told by another node what the cache has not been.
        var heard = registry.Delivered(_appending.Select(command => command.Conversation).Distinct())
            .ToDictionary(cursor => cursor.Conversation, cursor => cursor.Seq);
        foreach (var command in _appending)
        {
            var conversation = command.Conversation;
            if (loaded.Contains(conversation))
            {
                continue;
            }

            if (!_trusted.TryGetValue(conversation, out var known)
                && !_needed.Contains(conversation)
                && cache.Find(conversation) is { } found
                && heard.GetValueOrDefault(conversation) <= found.Head)
            {
                known = found;
                _trusted.Add(conversation, known);
                _found.Add(conversation, known.ToState());
            }

            if (known is null || !IsInOrder(known, command))
            {
                loaded.Add(conversation);
                _trusted.Remove(conversation);
                _found.Remove(conversation);
            }
        }
    }

    private bool IsInOrder(KnownConversation known, IAppendingCommand command)
    {
        if (command.Message is { } message && cache.Knows(message))
        {
            return false;
        }

        var state = _found[known.Id];
        foreach (var account in command.Places)
        {
            if (known.Members.GetValueOrDefault(account) is not { } member)
            {
                return false;
            }

            state.Load(member);
        }

        return command.IsInOrder(state);
    }
}

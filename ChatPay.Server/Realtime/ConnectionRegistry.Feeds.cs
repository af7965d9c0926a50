using ChatPay.Core.Protocol;

namespace ChatPay.Server.Realtime;

/// <summary>An account's place in a conversation, read together with the conversation's head.</summary>
/// <param name="LeftSeq">Set for a former member.</param>
internal readonly record struct Membership(
    ConversationId Conversation, AccountId Account, long JoinedSeq, long? LeftSeq, long Head);

/// <summary>What a connection hears, and the door that every event passes on its way to it.</summary>
internal sealed partial class ConnectionRegistry
{
    private readonly Dictionary<ConversationId, ConversationFeed> _feeds = [];

    /// <summary>From here on what the account loses is remembered, until <see cref="EndHello"/>.</summary>
    public void BeginHello(ClientConnection connection)
    {
        lock (_lock)
        {
            connection.LostDuringHello = [];
        }
    }

    /// <summary>
    /// The connection hears the conversations that were read from the database, except those that the account was
    /// removed from while they were read: the removal has been here already and would not come again.
    /// </summary>
    /// <returns>
    /// Conversations whose feed is ahead of what was read, or that were lost meanwhile: of these the connection was not given
    /// everything, and its client has to ask for it.
    /// </returns>
    public HashSet<ConversationId> EndHello(ClientConnection connection, IReadOnlyList<Membership> memberships)
    {
        lock (_lock)
        {
            var ahead = connection.LostDuringHello ?? [];
            foreach (var membership in memberships)
            {
                if (!ahead.Contains(membership.Conversation))
                {
                    var feed = Open(membership.Conversation, membership.Head);
                    Hear(connection, membership.Conversation, feed, membership.JoinedSeq);
                    if (feed.Delivered > membership.Head)
                    {
                        ahead.Add(membership.Conversation);
                    }
                }
            }

            connection.LostDuringHello = null;
            connection.SaidHello = true;
            presence.Came(connection);
            return ahead;
        }
    }

    /// <summary>
    /// The door: gives an event to those who hear its conversation, with all that came too early and follows it. Who comes
    /// in by an event sees it, and so does who goes out by it.
    /// </summary>
    /// <param name="opens">
    /// Whether whoever comes in by it begins to hear a conversation that nobody here has heard. Only a commit of this
    /// node is sure to come at once; what others tell may be over by now.
    /// </param>
    public Offered Offer(LoggedPush logged, bool opens = false)
    {
        lock (_lock)
        {
            if (!_feeds.TryGetValue(logged.Conversation, out var feed))
            {
                if (!opens || logged.Members?.Added.Any(added => _byAccount.ContainsKey(added.Account)) is not true)
                {
                    NoteLosses(logged);
                    return Offered.Unheard;
                }

                feed = Open(logged.Conversation, logged.After);
            }

            var outcome = feed.Take(logged);
            for (var next = outcome is Offered.Delivered ? logged : null; next is not null; next = feed.TakeEarly())
            {
                Deliver(feed, next);
            }

            return outcome;
        }
    }

    /// <summary>
    /// The database says that an account is, or was, a member: what no event has told by then is put right.
    /// </summary>
    public void Reconcile(Membership membership)
    {
        lock (_lock)
        {
            var (conversation, account, joined, left, head) = membership;
            var feed = _feeds.GetValueOrDefault(conversation);
            if (left is { } at)
            {
                if (feed is not null && feed.Delivered >= at && feed.Delivered <= head)
                {
                    Leave(conversation, account);
                }

                return;
            }

            // A feed beyond what was read knows more than it; one before the account's first event will come to it.
            if (!_byAccount.TryGetValue(account, out var connections) || feed?.Delivered > head || feed?.Delivered < joined)
            {
                return;
            }

            var begins = false;
            foreach (var connection in connections.Where(one => one.SaidHello || one.LostDuringHello is not null))
            {
                // Not the whole of a long log: from the first gap on a client asks for it page by page.
                feed ??= Open(conversation, Math.Max(joined - 1, head - Limits.EventsPerSyncPage));
                begins |= !connection.Conversations.Contains(conversation);
                connection.LostDuringHello?.Remove(conversation);
                Hear(connection, conversation, feed, joined);
            }

            // Otherwise the event that added it comes, and asks.
            if (begins && feed?.Delivered >= joined)
            {
                heads.Ask(conversation, [account]);
            }
        }
    }

    /// <summary>The log has nothing more between the two: its beginning was removed.</summary>
    public void Skip(ConversationId conversation, long after, long to)
    {
        lock (_lock)
        {
            _feeds.GetValueOrDefault(conversation)?.Skip(after, to);
        }
    }

    public bool Hears(ClientConnection connection, ConversationId conversation)
    {
        lock (_lock)
        {
            return connection.Conversations.Contains(conversation);
        }
    }

    public bool IsHeard(ConversationId conversation)
    {
        lock (_lock)
        {
            return _feeds.ContainsKey(conversation);
        }
    }

    /// <summary>How far the feeds of all heard conversations are.</summary>
    public IReadOnlyList<Cursor> Delivered()
    {
        lock (_lock)
        {
            var cursors = new List<Cursor>(_feeds.Count);
            foreach (var (conversation, feed) in _feeds)
            {
                cursors.Add(new(conversation, feed.Delivered));
            }

            return cursors;
        }
    }

    /// <summary>How far the feeds of these conversations are, without those that nobody hears any more.</summary>
    public IReadOnlyList<Cursor> Delivered(IEnumerable<ConversationId> conversations)
    {
        lock (_lock)
        {
            return
            [
                .. from conversation in conversations
                   let feed = _feeds.GetValueOrDefault(conversation)
                   where feed is not null
                   select new Cursor(conversation, feed.Delivered),
            ];
        }
    }

    /// <summary>Something that stands in no log, to all who hear the conversation now.</summary>
    public void ToConversation(ConversationId conversation, Push push, AccountId? except = null)
    {
        lock (_lock)
        {
            if (_feeds.TryGetValue(conversation, out var feed))
            {
                foreach (var connection in feed.Listeners.Keys)
                {
                    if (except is null || connection.Caller.Account != except)
                    {
                        connection.Enqueue(push);
                    }
                }
            }
        }
    }

    private void Deliver(ConversationFeed feed, LoggedPush logged)
    {
        foreach (var added in logged.Members?.Added ?? [])
        {
            if (_byAccount.TryGetValue(added.Account, out var connections))
            {
                heads.Ask(logged.Conversation, [added.Account]);
                foreach (var connection in connections)
                {
                    connection.LostDuringHello?.Remove(logged.Conversation);
                    Hear(connection, logged.Conversation, feed, logged.Seq);
                }
            }
        }

        feed.Push(logged);
        foreach (var gone in Gone(logged))
        {
            Leave(logged.Conversation, gone);
        }
    }

    private static IEnumerable<AccountId> Gone(LoggedPush logged) =>
        logged.Members is { } members ? members.Removed.Concat(members.Left) : [];

    /// <summary>A Hello that has read the membership and not yet ended must not bring it back.</summary>
    private void NoteLosses(LoggedPush logged)
    {
        foreach (var gone in Gone(logged))
        {
            foreach (var connection in _byAccount.GetValueOrDefault(gone) ?? [])
            {
                connection.LostDuringHello?.Add(logged.Conversation);
            }
        }
    }

    /// <summary>The account is no member any more: none of its connections hears the conversation.</summary>
    private void Leave(ConversationId conversation, AccountId account)
    {
        presence.Parted(account);
        foreach (var connection in _byAccount.GetValueOrDefault(account) ?? [])
        {
            connection.LostDuringHello?.Add(conversation);
            connection.Conversations.Remove(conversation);
            Unhear(conversation, connection);
        }
    }

    private ConversationFeed Open(ConversationId conversation, long delivered)
    {
        if (!_feeds.TryGetValue(conversation, out var feed))
        {
            _feeds.Add(conversation, feed = new(delivered));
            changes.Note(conversation);
        }

        return feed;
    }

    private static void Hear(ClientConnection connection, ConversationId conversation, ConversationFeed feed, long from)
    {
        connection.Conversations.Add(conversation);
        feed.Hear(connection, from);
    }

    private void Unhear(ConversationId conversation, ClientConnection connection)
    {
        if (_feeds.TryGetValue(conversation, out var feed) && feed.Listeners.Remove(connection) && feed.Listeners.Count == 0)
        {
            _feeds.Remove(conversation);
            changes.Note(conversation);
        }
    }
}

using ChatPay.Core.Protocol;

namespace ChatPay.Server.Realtime;

/// <summary>
/// This node's live connections by account, device and conversation. Only conversations that a live connection is in are
/// here, so what a commit costs follows who listens, not who exists. One lock, held for memory work only.
/// </summary>
internal sealed class ConnectionRegistry
{
    private readonly Lock _lock = new();
    private readonly Dictionary<AccountId, HashSet<ClientConnection>> _byAccount = [];
    private readonly Dictionary<DeviceId, List<ClientConnection>> _byDevice = [];
    private readonly Dictionary<ConversationId, HashSet<ClientConnection>> _byConversation = [];

    public IReadOnlyList<ClientConnection> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _byAccount.Values.SelectMany(set => set)];
            }
        }
    }

    /// <summary>The connection is known to its account and device; it hears conversations after Hello.</summary>
    /// <returns>The device's oldest connection, if it has more than it may.</returns>
    public ClientConnection? Add(ClientConnection connection, int connectionsPerDevice)
    {
        lock (_lock)
        {
            Set(_byAccount, connection.Caller.Account).Add(connection);
            if (!_byDevice.TryGetValue(connection.Caller.Device, out var ofDevice))
            {
                _byDevice.Add(connection.Caller.Device, ofDevice = []);
            }

            ofDevice.Add(connection);
            return ofDevice.Count > connectionsPerDevice ? ofDevice[0] : null;
        }
    }

    public void Remove(ClientConnection connection)
    {
        lock (_lock)
        {
            foreach (var conversation in connection.Conversations)
            {
                Drop(_byConversation, conversation, connection);
            }

            connection.Conversations.Clear();
            Drop(_byAccount, connection.Caller.Account, connection);
            if (_byDevice.TryGetValue(connection.Caller.Device, out var ofDevice))
            {
                ofDevice.Remove(connection);
                if (ofDevice.Count == 0)
                {
                    _byDevice.Remove(connection.Caller.Device);
                }
            }
        }
    }

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
    public void EndHello(ClientConnection connection, IReadOnlyList<ConversationId> conversations)
    {
        lock (_lock)
        {
            foreach (var conversation in conversations)
            {
                if (connection.LostDuringHello?.Contains(conversation) is not true)
                {
                    Hear(connection, conversation);
                }
            }

            connection.LostDuringHello = null;
        }
    }

    /// <summary>The account is a member now: all its connections hear the conversation.</summary>
    public void Join(ConversationId conversation, AccountId account)
    {
        lock (_lock)
        {
            foreach (var connection in _byAccount.GetValueOrDefault(account) ?? [])
            {
                connection.LostDuringHello?.Remove(conversation);
                Hear(connection, conversation);
            }
        }
    }

    /// <summary>The account is no member any more: none of its connections hears the conversation.</summary>
    public void Leave(ConversationId conversation, AccountId account)
    {
        lock (_lock)
        {
            foreach (var connection in _byAccount.GetValueOrDefault(account) ?? [])
            {
                connection.LostDuringHello?.Add(conversation);
                connection.Conversations.Remove(conversation);
                Drop(_byConversation, conversation, connection);
            }
        }
    }

    public bool Hears(ClientConnection connection, ConversationId conversation)
    {
        lock (_lock)
        {
            return connection.Conversations.Contains(conversation);
        }
    }

    public void ToConversation(ConversationId conversation, Push push, AccountId? except = null)
    {
        lock (_lock)
        {
            foreach (var connection in _byConversation.GetValueOrDefault(conversation) ?? [])
            {
                if (except is null || connection.Caller.Account != except)
                {
                    connection.Enqueue(push);
                }
            }
        }
    }

    public bool IsHeard(ConversationId conversation)
    {
        lock (_lock)
        {
            return _byConversation.ContainsKey(conversation);
        }
    }

    public IReadOnlyList<ClientConnection> OfAccount(AccountId account)
    {
        lock (_lock)
        {
            return [.. _byAccount.GetValueOrDefault(account) ?? []];
        }
    }

    public IReadOnlyList<ClientConnection> OfDevice(DeviceId device)
    {
        lock (_lock)
        {
            return [.. _byDevice.GetValueOrDefault(device) ?? []];
        }
    }

    private void Hear(ClientConnection connection, ConversationId conversation)
    {
        connection.Conversations.Add(conversation);
        Set(_byConversation, conversation).Add(connection);
    }

    private static HashSet<ClientConnection> Set<TKey>(
        Dictionary<TKey, HashSet<ClientConnection>> index, TKey key)
        where TKey : notnull
    {
        if (!index.TryGetValue(key, out var set))
        {
            index.Add(key, set = []);
        }

        return set;
    }

    private static void Drop<TKey>(
        Dictionary<TKey, HashSet<ClientConnection>> index, TKey key, ClientConnection connection)
        where TKey : notnull
    {
        if (index.TryGetValue(key, out var set) && set.Remove(connection) && set.Count == 0)
        {
            index.Remove(key);
        }
    }
}

using ChatPay.Core.Protocol;
using ChatPay.Server.Presence;

namespace ChatPay.Server.Realtime;

/// <summary>
/// This node's live connections by account, device and conversation. Only conversations that a live connection is in are
/// here, so what a commit costs follows who listens, not who exists. One lock, held for memory work only.
/// </summary>
internal sealed partial class ConnectionRegistry(FeedChanges changes, HeadRequests heads, PresenceBook presence)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<AccountId, HashSet<ClientConnection>> _byAccount = [];
    private readonly Dictionary<DeviceId, List<ClientConnection>> _byDevice = [];

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

    /// <summary>The accounts that are connected here.</summary>
    public IReadOnlyList<AccountId> Accounts
    {
        get
        {
            lock (_lock)
            {
                return [.. _byAccount.Keys];
            }
        }
    }

    /// <summary>The connection is known to its account and device; it hears conversations after Hello.</summary>
    /// <returns>The device's oldest connection, if it has more than it may.</returns>
    public ClientConnection? Add(ClientConnection connection, int connectionsPerDevice)
    {
        lock (_lock)
        {
            if (!_byAccount.TryGetValue(connection.Caller.Account, out var ofAccount))
            {
                _byAccount.Add(connection.Caller.Account, ofAccount = []);
            }

            ofAccount.Add(connection);
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
                Unhear(conversation, connection);
            }

            connection.Conversations.Clear();
            presence.Went(connection);
            if (_byAccount.TryGetValue(connection.Caller.Account, out var ofAccount)
                && ofAccount.Remove(connection) && ofAccount.Count == 0)
            {
                _byAccount.Remove(connection.Caller.Account);
                _wallets.Remove(connection.Caller.Account);
            }

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

    public bool IsConnected(AccountId account)
    {
        lock (_lock)
        {
            return _byAccount.ContainsKey(account);
        }
    }

    public bool IsConnected(DeviceId device)
    {
        lock (_lock)
        {
            return _byDevice.ContainsKey(device);
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

    /// <summary>To all live connections of the account here.</summary>
    public void ToAccount(AccountId account, Push push)
    {
        lock (_lock)
        {
            if (_byAccount.TryGetValue(account, out var connections))
            {
                foreach (var connection in connections)
                {
                    connection.Enqueue(push);
                }
            }
        }
    }

    public void ToDevice(DeviceId device, Push push)
    {
        lock (_lock)
        {
            foreach (var connection in _byDevice.GetValueOrDefault(device) ?? [])
            {
                connection.Enqueue(push);
            }
        }
    }
}

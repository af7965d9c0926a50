using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Presence;

/// <summary>Who watches whom here, and what other nodes have said of those who are watched.</summary>
internal sealed partial class PresenceBook
{
    private readonly Dictionary<ClientConnection, HashSet<AccountId>> _watches = [];
    private readonly Dictionary<AccountId, HashSet<ClientConnection>> _watchers = [];
    private readonly Dictionary<AccountId, HashSet<Guid>> _elsewhere = [];

    /// <summary>While other nodes' state is read: what they have said since, which is newer.</summary>
    private readonly HashSet<AccountId> _saidMeanwhile = [];

    /// <summary>Replaces what the connection watches; nothing if it is gone.</summary>
    /// <returns>Those that nobody here has watched so far, of whom nothing is known yet.</returns>
    public IReadOnlyList<AccountId> Watch(ClientConnection connection, IReadOnlyCollection<AccountId> accounts)
    {
        lock (_lock)
        {
            Unwatch(connection);
            var fresh = new List<AccountId>();
            if (accounts.Count == 0 || !_here.TryGetValue(connection.Caller.Account, out var guest)
                || !guest.Connections.Contains(connection))
            {
                return fresh;
            }

            _watches.Add(connection, [.. accounts]);
            PresenceMetrics.Watching(accounts.Count);
            foreach (var account in accounts)
            {
                if (!_watchers.TryGetValue(account, out var watchers))
                {
                    _watchers.Add(account, watchers = []);
                    fresh.Add(account);
                }

                watchers.Add(connection);
            }

            return fresh;
        }
    }

    /// <summary>The accounts as the watching account may see them.</summary>
    /// <param name="isBlind">Whether it hides, and so sees nobody.</param>
    public IReadOnlyList<PresenceView> Views(
        AccountId watcher, bool isBlind, IReadOnlyCollection<(AccountId Account, DateTimeOffset? LastSeen)> accounts)
    {
        lock (_lock)
        {
            if (_here.TryGetValue(watcher, out var guest))
            {
                guest.IsBlind = isBlind;
            }

            return
            [
                .. from account in accounts
                   let isOnline = !isBlind && IsOnline(account.Account)
                   select new PresenceView(
                       account.Account, isOnline, isOnline || isBlind ? null : account.LastSeen),
            ];
        }
    }

    /// <summary>Everybody whom the account watches here, or who watches it.</summary>
    public IReadOnlyCollection<AccountId> Related(AccountId account)
    {
        lock (_lock)
        {
            var related = new HashSet<AccountId>();
            foreach (var watcher in _watchers.GetValueOrDefault(account) ?? [])
            {
                related.Add(watcher.Caller.Account);
            }

            foreach (var connection in ConnectionsOf(account))
            {
                related.UnionWith(_watches.GetValueOrDefault(connection) ?? []);
            }

            return related;
        }
    }

    /// <summary>They share no conversation any more: neither is to see the other.</summary>
    public void Estrange(AccountId account, IReadOnlySet<AccountId> strangers)
    {
        lock (_lock)
        {
            foreach (var watcher in _watchers.GetValueOrDefault(account)?.ToArray() ?? [])
            {
                if (strangers.Contains(watcher.Caller.Account))
                {
                    Drop(watcher, account);
                }
            }

            foreach (var connection in ConnectionsOf(account))
            {
                foreach (var watched in _watches.GetValueOrDefault(connection)?.Where(strangers.Contains).ToArray() ?? [])
                {
                    Drop(connection, watched);
                }
            }
        }
    }

    /// <summary>All accounts that somebody here watches.</summary>
    public IReadOnlyList<AccountId> Watched()
    {
        lock (_lock)
        {
            return [.. _watchers.Keys];
        }
    }

    /// <summary>Another node says that an account is there, or no longer.</summary>
    public void Heard(Guid node, PresenceChange change)
    {
        lock (_lock)
        {
            if (_watchers.ContainsKey(change.Account))
            {
                _saidMeanwhile.Add(change.Account);
                Place(node, change);
            }
        }
    }

    /// <summary>What is read from now on, until <see cref="EndRead"/>, gives way to what is heard meanwhile.</summary>
    public void BeginRead()
    {
        lock (_lock)
        {
            _saidMeanwhile.Clear();
        }
    }

    /// <summary>On which nodes the accounts are, as the nodes have written it down.</summary>
    public void EndRead(IReadOnlyDictionary<AccountId, IReadOnlyList<Guid>> nodes)
    {
        lock (_lock)
        {
            foreach (var (account, now) in nodes)
            {
                if (!_watchers.ContainsKey(account) || _saidMeanwhile.Contains(account))
                {
                    continue;
                }

                var wasOnline = IsOnline(account);
                if (now.Count > 0)
                {
                    _elsewhere[account] = [.. now];
                }
                else
                {
                    _elsewhere.Remove(account);
                }

                TellChange(wasOnline, new(account, IsOnline(account), LastSeen: null));
            }
        }
    }

    /// <summary>The other nodes that somebody who is watched here is on.</summary>
    public IReadOnlyCollection<Guid> OtherNodes()
    {
        lock (_lock)
        {
            return _elsewhere.Values.SelectMany(nodes => nodes).ToHashSet();
        }
    }

    /// <summary>The watched accounts that are on this node and no other.</summary>
    public IReadOnlyList<AccountId> OnlyOn(Guid node)
    {
        lock (_lock)
        {
            return
            [
                .. from entry in _elsewhere
                   where entry.Value.Count == 1 && entry.Value.Contains(node)
                       && _here.GetValueOrDefault(entry.Key)?.IsShown is not true
                   select entry.Key,
            ];
        }
    }

    /// <summary>A node is gone, and everybody with it.</summary>
    public void Vanished(Guid node, IReadOnlyDictionary<AccountId, DateTimeOffset> seen)
    {
        lock (_lock)
        {
            foreach (var account in _elsewhere.Where(entry => entry.Value.Contains(node)).Select(entry => entry.Key).ToArray())
            {
                Place(node, new(account, Online: false, seen.TryGetValue(account, out var at) ? at : null));
            }
        }
    }

    private void Place(Guid node, PresenceChange change)
    {
        var wasOnline = IsOnline(change.Account);
        if (!_elsewhere.TryGetValue(change.Account, out var nodes))
        {
            if (!change.Online)
            {
                return;
            }

            _elsewhere.Add(change.Account, nodes = []);
        }

        if (change.Online)
        {
            nodes.Add(node);
        }
        else if (nodes.Remove(node) && nodes.Count == 0)
        {
            _elsewhere.Remove(change.Account);
        }

        TellChange(wasOnline, change);
    }

    private bool IsOnline(AccountId account) =>
        _here.GetValueOrDefault(account)?.IsShown is true || _elsewhere.ContainsKey(account);

    private HashSet<ClientConnection> ConnectionsOf(AccountId account) =>
        _here.GetValueOrDefault(account)?.Connections ?? [];

    private void TellChange(bool wasOnline, PresenceChange change)
    {
        var isOnline = IsOnline(change.Account);
        if (wasOnline != isOnline)
        {
            Tell(change.Account, new(change.Account, isOnline, isOnline ? null : change.LastSeen));
        }
    }

    private void Tell(AccountId account, PresenceView view)
    {
        if (!_watchers.TryGetValue(account, out var watchers))
        {
            return;
        }

        var push = Push.Of(view);
        foreach (var watcher in watchers)
        {
            if (_here.GetValueOrDefault(watcher.Caller.Account)?.IsBlind is not true)
            {
                watcher.Enqueue(push);
            }
        }

        PresenceMetrics.Pushed(watchers.Count);
    }

    /// <summary>From now on the account sees nobody, or those again whom it watches.</summary>
    private void Blind(Guest guest, bool isBlind)
    {
        if (guest.IsBlind == isBlind)
        {
            return;
        }

        guest.IsBlind = isBlind;
        foreach (var connection in guest.Connections)
        {
            foreach (var account in _watches.GetValueOrDefault(connection) ?? [])
            {
                if (isBlind || IsOnline(account))
                {
                    connection.Enqueue(Push.Of(new PresenceView(account, !isBlind)));
                }
            }
        }
    }

    private void Drop(ClientConnection watcher, AccountId account)
    {
        if (_watches.TryGetValue(watcher, out var watched) && watched.Remove(account))
        {
            PresenceMetrics.Watching(-1);
            Unlist(watcher, account);
            watcher.Enqueue(Push.Of(new PresenceView(account, Online: false)));
        }
    }

    private void Unwatch(ClientConnection connection)
    {
        if (_watches.Remove(connection, out var watched))
        {
            PresenceMetrics.Watching(-watched.Count);
            foreach (var account in watched)
            {
                Unlist(connection, account);
            }
        }
    }

    private void Unlist(ClientConnection watcher, AccountId account)
    {
        if (_watchers.TryGetValue(account, out var watchers) && watchers.Remove(watcher) && watchers.Count == 0)
        {
            _watchers.Remove(account);
            _elsewhere.Remove(account);
            _saidMeanwhile.Remove(account);
        }
    }
}

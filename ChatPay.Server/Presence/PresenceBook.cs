using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Presence;

/// <summary>
/// Who is connected to this node. What comes and goes is noted at once and costs next to nothing; whether others are to see
/// it is decided in <see cref="PresenceRounds"/>. Guarded by one lock that is taken within the registry's, so nothing here
/// calls the registry.
/// </summary>
internal sealed partial class PresenceBook(
    PresenceSignals signals, IOptions<PresenceOptions> options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<AccountId, Guest> _here = [];
    private readonly Queue<(AccountId Account, long Since)> _leaving = [];
    private readonly Dictionary<AccountId, PresenceChange> _unshared = [];
    private HashSet<AccountId> _undecided = [];
    private HashSet<AccountId> _parted = [];

    /// <summary>A connection of the account has said Hello.</summary>
    public void Came(ClientConnection connection)
    {
        lock (_lock)
        {
            var account = connection.Caller.Account;
            if (!_here.TryGetValue(account, out var guest))
            {
                _here.Add(account, guest = new());
            }

            guest.Connections.Add(connection);
            if (!guest.IsShown)
            {
                _undecided.Add(account);
            }
        }

        signals.Wake();
    }

    public void Went(ClientConnection connection)
    {
        lock (_lock)
        {
            Unwatch(connection);
            var account = connection.Caller.Account;
            if (_here.TryGetValue(account, out var guest) && guest.Connections.Remove(connection)
                && guest.Connections.Count == 0)
            {
                guest.EmptySince = time.GetTimestamp();
                _leaving.Enqueue((account, guest.EmptySince));
            }
        }
    }

    /// <summary>The account is no longer in some conversation, so it and others may have become strangers.</summary>
    public void Parted(AccountId account)
    {
        lock (_lock)
        {
            if (!_here.ContainsKey(account) && !_watchers.ContainsKey(account))
            {
                return;
            }

            _parted.Add(account);
        }

        signals.Wake();
    }

    /// <summary>The account shows itself, or hides, from now on: to be looked at anew.</summary>
    public void Changed(AccountId account)
    {
        lock (_lock)
        {
            if (!_here.ContainsKey(account) && !_watchers.ContainsKey(account))
            {
                return;
            }

            _undecided.Add(account);
        }

        signals.Wake();
    }

    /// <summary>Everybody here is looked at anew: a word of another node may have been lost.</summary>
    public void Doubt()
    {
        lock (_lock)
        {
            _undecided.UnionWith(_here.Keys);
        }

        signals.Wake();
    }

    public IReadOnlyCollection<AccountId> TakeUndecided()
    {
        lock (_lock)
        {
            var taken = _undecided;
            _undecided = [];
            return taken;
        }
    }

    public IReadOnlyCollection<AccountId> TakeParted()
    {
        lock (_lock)
        {
            var taken = _parted;
            _parted = [];
            return taken;
        }
    }

    /// <summary>Shows those that may be seen and are here, and hides the rest.</summary>
    public void Decide(IReadOnlyCollection<AccountId> accounts, IReadOnlySet<AccountId> hidden)
    {
        lock (_lock)
        {
            foreach (var account in accounts)
            {
                var isHidden = hidden.Contains(account);
                var isNews = !_here.ContainsKey(account) || IsOnline(account);
                if (_here.TryGetValue(account, out var guest))
                {
                    if (isHidden && guest.IsShown)
                    {
                        Show(guest, new(account, Online: false, LastSeen: null));
                    }
                    else if (!isHidden && !guest.IsShown && guest.Connections.Count > 0)
                    {
                        Show(guest, new(account, Online: true, LastSeen: null));
                    }

                    Blind(guest, isHidden);
                }

                if (isHidden && isNews)
                {
                    _elsewhere.Remove(account);
                    Tell(account, new(account, Online: false));
                }
            }
        }

        signals.Share();
    }

    /// <summary>Those that have been away for long enough; they are gone once <see cref="Leave"/> is called.</summary>
    public IReadOnlyList<AccountId> Overdue()
    {
        var patience = TimeSpan.FromSeconds(options.Value.OfflineAfterSeconds);
        var overdue = new List<AccountId>();
        lock (_lock)
        {
            while (_leaving.TryPeek(out var next) && time.GetElapsedTime(next.Since) >= patience)
            {
                _leaving.Dequeue();
                if (_here.TryGetValue(next.Account, out var guest) && guest.Connections.Count == 0
                    && guest.EmptySince == next.Since)
                {
                    if (guest.IsShown)
                    {
                        overdue.Add(next.Account);
                    }
                    else
                    {
                        _here.Remove(next.Account);
                    }
                }
            }
        }

        return overdue;
    }

    /// <summary>They are gone, unless they have come back meanwhile.</summary>
    public void Leave(IReadOnlyList<AccountId> accounts, IReadOnlyDictionary<AccountId, DateTimeOffset> seen)
    {
        lock (_lock)
        {
            foreach (var account in accounts)
            {
                if (_here.TryGetValue(account, out var guest) && guest.Connections.Count == 0)
                {
                    if (guest.IsShown)
                    {
                        Show(guest, new(account, Online: false, seen.TryGetValue(account, out var at) ? at : null));
                    }

                    _here.Remove(account);
                }
            }
        }

        signals.Share();
    }

    /// <summary>Everybody whom others may see here.</summary>
    public IReadOnlyList<AccountId> Shown()
    {
        lock (_lock)
        {
            return [.. _here.Where(guest => guest.Value.IsShown).Select(guest => guest.Key)];
        }
    }

    /// <summary>What other nodes have not been told yet.</summary>
    public IReadOnlyList<PresenceChange> TakeUnshared()
    {
        lock (_lock)
        {
            PresenceChange[] taken = [.. _unshared.Values];
            _unshared.Clear();
            return taken;
        }
    }

    private void Show(Guest guest, PresenceChange change)
    {
        var wasOnline = IsOnline(change.Account);
        guest.IsShown = change.Online;
        PresenceMetrics.Online(change.Online ? 1 : -1);
        if (signals.IsShared)
        {
            _unshared[change.Account] = change;
        }

        TellChange(wasOnline, change);
    }

    /// <summary>An account with connections here, or whose last one has just ended.</summary>
    private sealed class Guest
    {
        public HashSet<ClientConnection> Connections { get; } = [];

        public long EmptySince { get; set; }

        /// <summary>Whether others have been told that it is here.</summary>
        public bool IsShown { get; set; }

        /// <summary>Who hides does not see others.</summary>
        public bool IsBlind { get; set; }
    }
}

using System.Collections.Concurrent;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// Whom the program watches. The server forgets it with each connection, and what it tells may be lost: the device says
/// it again on the next connection, where something was dropped, and now and then, for nobody would notice a loss.
/// </summary>
internal sealed class PresenceWatch(DeviceCore core)
{
    /// <summary>One call at a time, so that the server's last word is the program's.</summary>
    private readonly Turns _turns = new();

    private readonly ConcurrentDictionary<AccountId, PresenceView> _known = new();

    private IReadOnlyList<AccountId> _watched = [];
    private int _refreshing;

    /// <exception cref="ChatPayException">Refused; those before are watched still.</exception>
    public async Task<IReadOnlyList<PresenceView>> WatchAsync(
        IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken)
    {
        using (await _turns.TakeAsync(cancellationToken))
        {
            var reply = await core.RequireSession().WatchPresenceAsync(new(accounts), cancellationToken);
            _watched = accounts;
            _known.Clear();
            Learn(reply.Accounts);
            if (accounts.Count > 0 && Interlocked.Exchange(ref _refreshing, 1) == 0)
            {
                core.Background(RefreshAsync);
            }

            return reply.Accounts;
        }
    }

    /// <summary>
    /// Another connection is there, or something was lost: whoever came or went meanwhile is told of like any other.
    /// </summary>
    public async Task AgainAsync(CancellationToken cancellationToken)
    {
        using (await _turns.TakeAsync(cancellationToken))
        {
            if (_watched.Count > 0)
            {
                Tell((await core.RequireSession().WatchPresenceAsync(new(_watched), cancellationToken)).Accounts);
            }
        }
    }

    /// <summary>Another account's device may begin, whose program has not asked for anybody yet.</summary>
    public async Task ForgetAsync()
    {
        using (await _turns.TakeAsync(CancellationToken.None))
        {
            _watched = [];
            _known.Clear();
        }
    }

    public void Tell(IReadOnlyList<PresenceView> views)
    {
        Learn(views);
        foreach (var view in views)
        {
            core.Signals.Tell(new PresenceSignal(view));
        }
    }

    /// <summary>For as long as somebody is watched; at random times, so that not everybody asks at once.</summary>
    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        do
        {
            var most = core.Options.Timing.Presence;
            await Task.Delay((most / 2) + core.Spread(most / 2), core.Time, cancellationToken);
        }
        while (!await TryRefreshAsync(cancellationToken));
    }

    /// <returns>Whether nobody is watched any more.</returns>
    private async Task<bool> TryRefreshAsync(CancellationToken cancellationToken)
    {
        using (await _turns.TakeAsync(cancellationToken))
        {
            if (_watched.Count == 0)
            {
                // Behind the turn, so that whoever watches next begins this anew.
                Volatile.Write(ref _refreshing, 0);
                return true;
            }

            if (core.Session is not { State: ChatSessionState.Online } session)
            {
                // The next connection asks by itself.
                return false;
            }

            try
            {
                var reply = await session.WatchPresenceAsync(new(_watched), cancellationToken);
                Tell([.. reply.Accounts.Where(view => _known.GetValueOrDefault(view.Account) != view)]);
            }
            catch (ChatPayException) when (!core.Stopping.IsCancellationRequested)
            {
                // What is known stays what was heard last; the next time may do.
            }

            return false;
        }
    }

    private void Learn(IReadOnlyList<PresenceView> views)
    {
        foreach (var view in views)
        {
            _known[view.Account] = view;
        }
    }
}

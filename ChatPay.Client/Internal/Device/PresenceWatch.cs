using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// Whom the program watches. The server forgets it with each connection, and what it tells may be lost: the device says
/// it again on the next connection, and where something was dropped.
/// </summary>
internal sealed class PresenceWatch(DeviceCore core)
{
    /// <summary>One call at a time, so that the server's last word is the program's.</summary>
    private readonly Turns _turns = new();

    private IReadOnlyList<AccountId> _watched = [];

    /// <exception cref="ChatPayException">Refused; those before are watched still.</exception>
    public async Task<IReadOnlyList<PresenceView>> WatchAsync(
        IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken)
    {
        using (await _turns.TakeAsync(cancellationToken))
        {
            var reply = await core.RequireSession().WatchPresenceAsync(new(accounts), cancellationToken);
            _watched = accounts;
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
        }
    }

    public void Tell(IReadOnlyList<PresenceView> views)
    {
        foreach (var view in views)
        {
            core.Signals.Tell(new PresenceSignal(view));
        }
    }
}

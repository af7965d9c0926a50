using ChatPay.Server.Realtime;

namespace ChatPay.Server.Cluster;

/// <summary>Finds who has come into a conversation, or gone, without this node having been told.</summary>
internal sealed class MemberWatch(WatchStore store, ConnectionRegistry registry, Rechecks rechecks)
{
    private ulong? _since;

    /// <summary>The database may be another one than before: the next look is at everything.</summary>
    public void Distrust() => _since = null;

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var (changed, next) = await store.MembershipsAsync(_since, registry.Accounts, cancellationToken);
        if (next < _since)
        {
            // Time went back, as after a fail-over that lost the newest transactions.
            (changed, next) = await store.MembershipsAsync(null, registry.Accounts, cancellationToken);
        }

        _since = next;
        foreach (var membership in changed.Where(one => registry.IsConnected(one.Account)))
        {
            registry.Reconcile(membership);
            if (registry.IsHeard(membership.Conversation))
            {
                rechecks.Head(membership.Conversation);
            }
        }
    }
}

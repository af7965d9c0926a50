namespace ChatPay.Server.Realtime;

/// <summary>
/// While a commit is told to those it concerns, sockets wait with what they have to send: the answer to a caller and the
/// events of the same commit then leave in one frame and one system call. What waits is memory work, so nobody waits long.
/// </summary>
internal sealed class Departures : IThreadPoolWorkItem
{
    private readonly Lock _lock = new();
    private volatile int _boarding;
    private List<IThreadPoolWorkItem> _waiting = [];

    /// <summary>From here on sockets wait, until <see cref="EndSoon"/>.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            _boarding++;
        }
    }

    /// <summary>Lets all that wait leave, behind whatever the thread pool has queued by now.</summary>
    public void EndSoon() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    /// <summary>Sends now, behind what is queued already: that may have more for the same connection.</summary>
    public void Schedule(IThreadPoolWorkItem sender)
    {
        if (_boarding > 0)
        {
            lock (_lock)
            {
                if (_boarding > 0)
                {
                    _waiting.Add(sender);
                    return;
                }
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(sender, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        List<IThreadPoolWorkItem> leaving;
        lock (_lock)
        {
            // All of them, whichever commit they waited for: no socket waits for more than the next end.
            _boarding--;
            (leaving, _waiting) = (_waiting, []);
        }

        foreach (var sender in leaving)
        {
            ThreadPool.UnsafeQueueUserWorkItem(sender, preferLocal: false);
        }
    }
}

namespace ChatPay.Server.Database;

/// <summary>
/// Callers who ask for the same thing of different rows share a statement: what has gathered while the last one was on its
/// way becomes the next. Each goes behind what the thread pool has to do already, for more may be asking in that; where it has
/// nothing to do, a lone caller's goes at once. Callers are requests, so as many wait as the server lets in.
/// </summary>
/// <param name="send">
/// One statement, which is committed when it returns; answers that are left out are <see langword="default"/>. Where it
/// fails, everybody in it is told, and none of them knows more than one whose own statement failed.
/// </param>
/// <param name="keyOf">The row that is meant; a statement has each row once.</param>
/// <param name="isRead">
/// Whether callers who mean one row get one answer. Where something is changed, each has a statement of its own: who asks
/// second goes with the next.
/// </param>
internal sealed class SharedStatement<TAsk, TKey, TAnswer>(
    Func<IReadOnlyList<TAsk>, Task<IReadOnlyDictionary<TKey, TAnswer>>> send, Func<TAsk, TKey> keyOf, bool isRead)
    : IThreadPoolWorkItem
    where TKey : notnull
{
    private const int RowsMax = 256;

    private readonly Lock _lock = new();
    private Queue<Caller> _waiting = new();
    private bool _isSending;

    /// <summary>A caller that stops waiting does not take back what it asked for.</summary>
    public Task<TAnswer?> AskAsync(TAsk ask, CancellationToken cancellationToken)
    {
        var caller = new Caller(ask);
        lock (_lock)
        {
            _waiting.Enqueue(caller);
            if (_isSending)
            {
                return caller.Task.WaitAsync(cancellationToken);
            }

            _isSending = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return caller.Task.WaitAsync(cancellationToken);
    }

    void IThreadPoolWorkItem.Execute() => _ = SendAsync();

    private async Task SendAsync()
    {
        var callers = Take();
        try
        {
            var answers = await send([.. callers.Values.Select(static alike => alike[0].Ask)]);
            foreach (var (key, alike) in callers)
            {
                alike.ForEach(caller => caller.SetResult(answers.GetValueOrDefault(key)));
            }
        }
        catch (Exception failure)
        {
            foreach (var caller in callers.Values.SelectMany(static alike => alike))
            {
                caller.TrySetException(failure);
            }
        }

        lock (_lock)
        {
            _isSending = _waiting.Count > 0;
            if (!_isSending)
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private Dictionary<TKey, List<Caller>> Take()
    {
        lock (_lock)
        {
            var (callers, later) = (new Dictionary<TKey, List<Caller>>(), new Queue<Caller>());
            foreach (var caller in _waiting)
            {
                var key = keyOf(caller.Ask);
                if (callers.TryGetValue(key, out var alike) ? !isRead : callers.Count == RowsMax)
                {
                    later.Enqueue(caller);
                }
                else if (alike is null)
                {
                    callers.Add(key, [caller]);
                }
                else
                {
                    alike.Add(caller);
                }
            }

            _waiting = later;
            return callers;
        }
    }

    private sealed class Caller(TAsk ask) : TaskCompletionSource<TAnswer?>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public TAsk Ask => ask;
    }
}

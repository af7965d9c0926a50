using Npgsql;

namespace ChatPay.Server.Database;

/// <summary>
/// Callers who ask for the same thing of different rows share a statement: what has gathered while the last one was on its
/// way becomes the next. Each goes behind what the thread pool has to do already, for more may be asking in that; where it has
/// nothing to do, a lone caller's goes at once. A statement that takes long, on a connection that has died, is not waited for
/// by those who come later.
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
    Func<IReadOnlyList<TAsk>, Task<IReadOnlyDictionary<TKey, TAnswer>>> send, Func<TAsk, TKey> keyOf, bool isRead,
    TimeProvider time)
    : IThreadPoolWorkItem
    where TKey : notnull
{
    private const int RowsMax = 256;
    private const int CallersMax = 16_384;
    private const int StatementsMax = 3;
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Queue<Caller> _waiting = new();
    private int _statements;

    /// <summary>Those of them that have not taken long yet; whoever asks waits for their end.</summary>
    private int _waitedFor;

    /// <summary>
    /// Whoever stops waiting before the statement is sent has asked for nothing; afterwards what was asked for is done all the
    /// same.
    /// </summary>
    /// <exception cref="NpgsqlException">Too many wait already, as for a connection; or the statement failed.</exception>
    public Task<TAnswer?> AskAsync(TAsk ask, CancellationToken cancellationToken)
    {
        var caller = new Caller(ask, keyOf(ask), cancellationToken);
        lock (_lock)
        {
            if (_waiting.Count >= CallersMax)
            {
                throw new NpgsqlException("Too many wait for the database.", new TimeoutException());
            }

            _waiting.Enqueue(caller);
            GoOn();
        }

        return caller.Task.WaitAsync(cancellationToken);
    }

    void IThreadPoolWorkItem.Execute() => _ = SendAsync();

    /// <summary>Sends what waits, unless that may still go behind another one. Within the lock.</summary>
    private void GoOn()
    {
        if (_waiting.Count > 0 && _waitedFor == 0 && _statements < StatementsMax)
        {
            _statements++;
            _waitedFor++;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private async Task SendAsync()
    {
        var callers = Take();
        var isWaitedFor = true;
        try
        {
            if (callers.Count > 0)
            {
                var sending = send([.. callers.Values.Select(static alike => alike[0].Ask)]);
                await ((Task)sending).WaitAsync(s_long, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!sending.IsCompleted)
                {
                    isWaitedFor = false;
                    lock (_lock)
                    {
                        _waitedFor--;
                        GoOn();
                    }
                }

                var answers = await sending;
                foreach (var (key, alike) in callers)
                {
                    alike.ForEach(caller => caller.SetResult(answers.GetValueOrDefault(key)));
                }
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
            _statements--;
            _waitedFor -= isWaitedFor ? 1 : 0;
            GoOn();
        }
    }

    private Dictionary<TKey, List<Caller>> Take()
    {
        lock (_lock)
        {
            var (callers, later) = (new Dictionary<TKey, List<Caller>>(), new Queue<Caller>());
            foreach (var caller in _waiting)
            {
                if (caller.HasGone)
                {
                    continue;
                }

                if (callers.TryGetValue(caller.Key, out var alike) ? !isRead : callers.Count == RowsMax)
                {
                    later.Enqueue(caller);
                }
                else if (alike is null)
                {
                    callers.Add(caller.Key, [caller]);
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

    private sealed class Caller(TAsk ask, TKey key, CancellationToken cancellationToken)
        : TaskCompletionSource<TAnswer?>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public TAsk Ask => ask;

        public TKey Key => key;

        public bool HasGone => cancellationToken.IsCancellationRequested;
    }
}

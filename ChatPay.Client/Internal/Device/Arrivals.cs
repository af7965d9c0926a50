using System.Runtime.CompilerServices;

namespace ChatPay.Client.Internal;

/// <summary>
/// What waits in the store for the program to take it, in order. It is written with the state that it comes from, and
/// goes when the program asks for the next one.
/// </summary>
internal sealed class Arrivals(DeviceCore core, int maxWaiting)
{
    private const int PageItems = 100;

    private readonly Lock _lock = new();

    /// <summary>Held between finding that an item is the one in the program's hands, and removing it.</summary>
    private readonly Turns _acknowledging = new();

    private TaskCompletionSource _changed = New();
    private long _next = 1;
    private long _stored;
    private long _waiting;
    private long _handedOut;
    private long _unacknowledged;
    private long _doubtful;
    private volatile ChatPayException? _failure;
    private int _hurries;
    private object _generation = new();
    private bool _reading;
    private volatile bool _over;

    public bool Keeps => maxWaiting > 0;

    /// <summary>
    /// After a restart the oldest may have been in the program's hands when it ended. Who reads from before this is told
    /// that it is over: what waits now is another device's.
    /// </summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        using (await _acknowledging.TakeAsync(cancellationToken))
        {
            lock (_lock)
            {
                _generation = new();
                (_next, _stored, _waiting, _handedOut, _unacknowledged, _doubtful) = (1, 0, 0, 0, 0, 0);
            }
        }

        var query = new StoreQuery(StoreKeys.Arrivals);
        for (IReadOnlyList<StoreEntry> page; (page = await core.Store.ListAsync(query, cancellationToken)).Count > 0;)
        {
            _doubtful = _doubtful == 0 ? StoreKeys.NumberOf(page[0].Key) : _doubtful;
            _waiting += page.Count;
            _stored = StoreKeys.NumberOf(page[^1].Key);
            query = query with { After = page[^1].Key };
        }

        _next = _stored + 1;
    }

    /// <summary>A place at the end, behind the core's gate.</summary>
    public long Take() => _next++;

    /// <summary>So many were written, the last of them at this place.</summary>
    public void Stored(int count, long last)
    {
        lock (_lock)
        {
            _waiting += count;
            _stored = last;
        }

        Announce();
    }

    /// <summary>
    /// Somebody waits for what the log has yet to tell, perhaps the very program that takes what waits here: until the
    /// answer is disposed there is room.
    /// </summary>
    public IDisposable Hurry() => new Hurrying(this);

    /// <summary>Waits until there is room for more, or somebody is in a hurry.</summary>
    public async Task RoomAsync(CancellationToken cancellationToken)
    {
        while (Keeps)
        {
            var changed = Change;
            lock (_lock)
            {
                if (_waiting < maxWaiting || _hurries > 0 || _over || _failure is not null)
                {
                    return;
                }
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    public async IAsyncEnumerable<ChatItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var generation = Begin();
        try
        {
            while (true)
            {
                var changed = Change;
                RequireSame(generation);
                var after = StoreKeys.Arrival(_handedOut);
                var query = new StoreQuery(StoreKeys.Arrivals) { After = after, Limit = PageItems };
                var page = await core.Store.ListAsync(query, cancellationToken);
                foreach (var (key, value) in page)
                {
                    RequireSame(generation);
                    await AcknowledgeAsync(generation, _unacknowledged, cancellationToken);
                    var position = StoreKeys.NumberOf(key);
                    HandOut(generation, position);
                    yield return DeviceCore.Decode<ChatItem>(value) with
                    {
                        Position = position,
                        Origin = generation,
                        IsRepeated = position == _doubtful,
                    };
                }

                if (page.Count == 0)
                {
                    RequireSame(generation);
                    await AcknowledgeAsync(generation, _unacknowledged, cancellationToken);
                    if (_over)
                    {
                        yield break;
                    }

                    if (_failure is { } failure)
                    {
                        throw failure;
                    }

                    await changed.WaitAsync(cancellationToken);
                }
            }
        }
        finally
        {
            _reading = false;
        }
    }

    /// <summary>The one that was handed out last does not come again; any other has been acknowledged before.</summary>
    public Task AcknowledgeAsync(ChatItem item, CancellationToken cancellationToken) =>
        AcknowledgeAsync(item.Origin, item.Position, cancellationToken);

    /// <summary>Nothing more comes; who reads gets what is there.</summary>
    public void Complete()
    {
        _over = true;
        Announce();
    }

    /// <summary>
    /// Nothing more comes until a device begins anew: who reads gets what is there, and then this; null when it does.
    /// </summary>
    public void Fail(ChatPayException? failure)
    {
        _failure = failure;
        Announce();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="generation">Whose item it is: another device's places are others, whatever their numbers.</param>
    private async Task AcknowledgeAsync(object? generation, long position, CancellationToken cancellationToken)
    {
        using (await _acknowledging.TakeAsync(cancellationToken))
        {
            lock (_lock)
            {
                if (position == 0 || _generation != generation || _unacknowledged != position)
                {
                    return;
                }
            }

            // It is in the program's hands until the store says otherwise.
            await core.WriteAsync([new(StoreKeys.Arrival(position), null)], cancellationToken);
            lock (_lock)
            {
                _unacknowledged = 0;
                _waiting--;
            }
        }

        Announce();
    }

    /// <returns>Whose items these are.</returns>
    private object Begin()
    {
        lock (_lock)
        {
            _reading = !_reading
                ? true : throw new InvalidOperationException("Somebody is receiving from this device already.");
            return _generation;
        }
    }

    private void HandOut(object generation, long position)
    {
        lock (_lock)
        {
            RequireSame(generation);
            (_handedOut, _unacknowledged) = (position, position);
        }
    }

    private void RequireSame(object generation)
    {
        lock (_lock)
        {
            if (_generation != generation)
            {
                throw LocalErrors.SessionEnded(null, null);
            }
        }
    }

    /// <summary>Completes at the next change.</summary>
    private Task Change
    {
        get
        {
            lock (_lock)
            {
                return _changed.Task;
            }
        }
    }

    private void Announce()
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            (changed, _changed) = (_changed, New());
        }

        changed.TrySetResult();
    }

    private sealed class Hurrying : IDisposable
    {
        private readonly Arrivals _arrivals;
        private int _over;

        public Hurrying(Arrivals arrivals)
        {
            _arrivals = arrivals;
            Interlocked.Increment(ref arrivals._hurries);
            arrivals.Announce();
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0)
            {
                Interlocked.Decrement(ref _arrivals._hurries);
            }
        }
    }
}

namespace ChatPay.Tests.Support;

/// <summary>What a connection was pushed, to be waited for with a deadline instead of a sleep.</summary>
internal sealed class Inbox<T>
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly List<T> _items = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<T> Items
    {
        get
        {
            lock (_lock)
            {
                return [.. _items];
            }
        }
    }

    public void Add(IReadOnlyList<T> items)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _items.AddRange(items);
            changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.TrySetResult();
    }

    /// <summary>The first item that is as wanted, already here or to come.</summary>
    public async Task<T> FirstAsync(Func<T, bool> wanted) => (await UntilAsync(items => items.Any(wanted))).First(wanted);

    /// <summary>Everything so far, once it is as wanted.</summary>
    public async Task<IReadOnlyList<T>> UntilAsync(Func<IReadOnlyList<T>, bool> wanted)
    {
        using var deadline = new CancellationTokenSource(s_deadline);
        while (true)
        {
            Task changed;
            IReadOnlyList<T> items;
            lock (_lock)
            {
                items = [.. _items];
                changed = _changed.Task;
            }

            if (wanted(items))
            {
                return items;
            }

            try
            {
                await changed.WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException exception)
            {
                throw new TimeoutException(
                    $"After {s_deadline} there are {items.Count} of {typeof(T).Name}, not the wanted.", exception);
            }
        }
    }
}

/// <summary>For what no push announces: asks again until it is so, or a deadline passes.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(20);

    public static async Task TrueAsync(Func<Task<bool>> condition, string what)
    {
        using var deadline = new CancellationTokenSource(s_deadline);
        using var timer = new PeriodicTimer(s_interval);
        while (!await condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
            catch (OperationCanceledException exception)
            {
                throw new TimeoutException($"After {s_deadline} it is still not so: {what}", exception);
            }
        }
    }
}

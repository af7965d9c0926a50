namespace ChatPay.Client.Internal;

/// <summary>One connection of a session, from its opening until it is lost or left.</summary>
internal sealed class SessionLink(int id) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;
    private bool _leaving;

    public int Id => id;

    public ChatConnection Connection { get; set; } = null!;

    /// <summary>The delay that the server asked for.</summary>
    public TimeSpan? Asked { get; private set; }

    /// <summary>Set where the server said that there is no coming back.</summary>
    public ChatSessionEnd? End { get; set; }

    /// <summary>Cancelled once nothing more is to be expected of it: it was lost, or the server wants it to go.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Cancelled once calls that run can have no answer.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Counts a call in, unless the connection is being left.</summary>
    public bool TryBegin()
    {
        lock (_lock)
        {
            _calls += _leaving ? 0 : 1;
            return !_leaving;
        }
    }

    public void EndCall()
    {
        lock (_lock)
        {
            if (--_calls == 0 && _leaving)
            {
                _idle.TrySetResult();
            }
        }
    }

    /// <summary>The connection is dead or useless.</summary>
    public void Lose()
    {
        Leave(null);
        _lost.Cancel();
    }

    /// <summary>No new calls; what runs may finish.</summary>
    public void Leave(TimeSpan? asked)
    {
        lock (_lock)
        {
            Asked ??= asked;
            _leaving = true;
            if (_calls == 0)
            {
                _idle.TrySetResult();
            }
        }

        _over.Cancel();
    }

    /// <summary>Until it is over, and the calls that run have finished or had their time.</summary>
    public async Task UntilLeftAsync(TimeSpan finishTimeout, TimeProvider time, CancellationToken cancellationToken)
    {
        using (var over = CancellationTokenSource.CreateLinkedTokenSource(Over, cancellationToken))
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        cancellationToken.ThrowIfCancellationRequested();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Lost, cancellationToken);
        await _idle.Task.WaitAsync(finishTimeout, time, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        Lose();
        if (Connection is not null)
        {
            // However it ends, the session goes on with the next.
            await Connection.DisposeAsync().AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}

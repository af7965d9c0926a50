namespace ChatPay.Client.Internal;

/// <summary>One after the other, in the order in which they ask.</summary>
internal sealed class Turns
{
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private bool _taken;

    /// <summary>Completes when it is the caller's turn, which lasts until the answer is disposed.</summary>
    public async Task<IDisposable> TakeAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TaskCompletionSource? turn = null;
        lock (_lock)
        {
            if (_taken)
            {
                _waiting.Enqueue(turn = new(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            _taken = true;
        }

        if (turn is not null)
        {
            // Whoever gives up is passed over; if the turn came first, it is taken.
            await using var giveUp = cancellationToken.Register(() => turn.TrySetCanceled(cancellationToken));
            await turn.Task;
        }

        return new Turn(this);
    }

    private void Pass()
    {
        lock (_lock)
        {
            while (_waiting.TryDequeue(out var next))
            {
                if (next.TrySetResult())
                {
                    return;
                }
            }

            _taken = false;
        }
    }

    private sealed class Turn(Turns turns) : IDisposable
    {
        private int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0)
            {
                turns.Pass();
            }
        }
    }
}

using System.Threading.Channels;

namespace ChatPay.Client.Internal;

/// <summary>Tells everybody who listens at the moment; who is slow misses the oldest.</summary>
internal sealed class Broadcast<T>
{
    private const int MaxWaiting = 1024;

    private readonly Lock _lock = new();
    private readonly List<Listener> _listeners = [];
    private Exception? _failure;
    private bool _over;

    public void Tell(T news)
    {
        lock (_lock)
        {
            foreach (var listener in _listeners)
            {
                if (listener.Wants is null || listener.Wants(news))
                {
                    listener.Channel.Writer.TryWrite(news);
                }
            }
        }
    }

    /// <summary>Begins to listen at once, not when it is first read.</summary>
    public Subscription Subscribe() => Subscribe(MaxWaiting, null);

    /// <summary>
    /// Begins to listen for the latest of some news at once: however many there were since it last looked, whoever
    /// listens is told once.
    /// </summary>
    public Subscription SubscribeToLatest(Func<T, bool> wants) => Subscribe(1, wants);

    private Subscription Subscribe(int maxWaiting, Func<T, bool>? wants)
    {
        var channel = Channel.CreateBounded<T>(new BoundedChannelOptions(maxWaiting)
        {
            FullMode = BoundedChannelFullMode.DropOldest,
            SingleReader = true,
        });
        lock (_lock)
        {
            if (_over || _failure is not null)
            {
                channel.Writer.TryComplete(_failure);
            }
            else
            {
                _listeners.Add(new(channel, wants));
            }
        }

        return new Subscription(this, channel);
    }

    /// <summary>Whoever listens reads to the end of what was told.</summary>
    public void Complete()
    {
        lock (_lock)
        {
            (_over, _failure) = (true, null);
            _listeners.ForEach(static listener => listener.Channel.Writer.TryComplete());
            _listeners.Clear();
        }
    }

    /// <summary>Whoever listens reads to the end of what was told, and then this; null to begin anew.</summary>
    public void Fail(Exception? failure)
    {
        lock (_lock)
        {
            _failure = failure;
            if (failure is not null)
            {
                _listeners.ForEach(listener => listener.Channel.Writer.TryComplete(failure));
                _listeners.Clear();
            }
        }
    }

    internal sealed class Subscription(Broadcast<T> source, Channel<T> channel) : IDisposable
    {
        public IAsyncEnumerable<T> ReadAllAsync(CancellationToken cancellationToken) =>
            channel.Reader.ReadAllAsync(cancellationToken);

        public void Dispose()
        {
            lock (source._lock)
            {
                source._listeners.RemoveAll(listener => listener.Channel == channel);
            }
        }
    }

    private sealed record Listener(Channel<T> Channel, Func<T, bool>? Wants);
}

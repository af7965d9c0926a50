using System.Threading.Channels;

namespace ChatPay.Client.Internal;

/// <summary>Tells everybody who listens at the moment; who is slow misses the oldest.</summary>
internal sealed class Broadcast<T>
{
    private const int MaxWaiting = 1024;

    private readonly Lock _lock = new();
    private readonly List<Channel<T>> _listeners = [];
    private Exception? _failure;
    private bool _over;

    public void Tell(T news)
    {
        lock (_lock)
        {
            foreach (var listener in _listeners)
            {
                listener.Writer.TryWrite(news);
            }
        }
    }

    /// <summary>Begins to listen at once, not when it is first read.</summary>
    public Subscription Subscribe()
    {
        var channel = Channel.CreateBounded<T>(new BoundedChannelOptions(MaxWaiting)
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
                _listeners.Add(channel);
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
            _listeners.ForEach(static listener => listener.Writer.TryComplete());
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
                _listeners.ForEach(listener => listener.Writer.TryComplete(failure));
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
                source._listeners.Remove(channel);
            }
        }
    }
}

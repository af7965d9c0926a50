using System.Text;

namespace ChatPay.Server.Realtime;

/// <summary>What became of a push that was handed to a connection's queue.</summary>
internal enum Enqueued
{
    Queued,

    /// <summary>Dropped: an ephemeral signal on a full queue, or anything before a promised resync or after the end.</summary>
    Dropped,

    /// <summary>The queue was emptied and a resync put in its place.</summary>
    Resync,
}

/// <summary>
/// What waits for one connection: bounded in pushes and bytes, filled without ever waiting, drained by one writer into
/// frames that join neighbours of a kind. When it is full, ephemeral signals go first; if that is not enough everything
/// goes, and the client is told to resync, for the log has it all.
/// </summary>
internal sealed class OutboundQueue(int maxPushes, int maxBytes)
{
    private static readonly Push Resync = Push.Of(new Core.Protocol.ControlSignal(Core.Protocol.ControlKind.Resync));

    /// <summary>In the order of the kinds, of which events are the first.</summary>
    private static readonly byte[][] s_beginnings =
    [
        .. Enum.GetValues<PushKind>().Select(kind => Encoding.ASCII.GetBytes(
            $"{{\"type\":1,\"target\":\"{kind}\",\"arguments\":" + (Push.IsAloneOf(kind) ? "[" : "[["))),
    ];

    private readonly Lock _lock = new();
    private readonly Queue<Push> _pushes = [];
    private int _bytes;
    private bool _resyncPromised;
    private bool _closed;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _pushes.Count;
            }
        }
    }

    /// <summary>Nothing waits, and nothing more will.</summary>
    public bool IsOver
    {
        get
        {
            lock (_lock)
            {
                return _closed && _pushes.Count == 0;
            }
        }
    }

    public Enqueued Enqueue(Push push)
    {
        lock (_lock)
        {
            return EnqueueLocked(push);
        }
    }

    /// <summary>Takes nothing more; what is there is still written.</summary>
    public void Complete()
    {
        lock (_lock)
        {
            _closed = true;
        }
    }

    /// <summary>Forgets what waits, and ends with one last push.</summary>
    public void CompleteWith(Push last)
    {
        lock (_lock)
        {
            if (!_closed)
            {
                _closed = true;
                _pushes.Clear();
                _pushes.Enqueue(last);
            }
        }
    }

    /// <summary>
    /// Adds the next frame to <paramref name="message"/>: pushes of one kind, in order, up to <paramref name="frameBytes"/>.
    /// </summary>
    /// <param name="committedAt">The earliest <see cref="Push.CommittedAt"/> among them; 0 for none.</param>
    /// <returns>False when nothing waits.</returns>
    public bool TryTakeFrame(ref PooledBytes message, int frameBytes, out int pushes, out long committedAt)
    {
        lock (_lock)
        {
            pushes = 0;
            committedAt = 0;
            if (!_pushes.TryPeek(out var next))
            {
                return false;
            }

            var (kind, start) = (next.Kind, message.Length);
            message.Write(BeginningOf(kind));
            do
            {
                if (pushes++ > 0)
                {
                    message.Write(","u8);
                }

                message.Write(next.JsonBytes);
                committedAt = committedAt == 0 ? next.CommittedAt : committedAt;
                _bytes -= next.JsonBytes.Length;
                _pushes.Dequeue();
                if (ReferenceEquals(next, Resync))
                {
                    _resyncPromised = false;
                }
            }
            while (!Push.IsAloneOf(kind) && _pushes.TryPeek(out next) && next.Kind == kind
                && message.Length - start + next.JsonBytes.Length <= frameBytes);

            message.Write(Push.IsAloneOf(kind) ? "]}\u001e"u8 : "]]}\u001e"u8);
            return true;
        }
    }

    private Enqueued EnqueueLocked(Push push)
    {
        // After the resync is written the client asks for everything; what comes before that would be thrown away.
        if (_closed || (_resyncPromised && push.Kind is not PushKind.Control))
        {
            return Enqueued.Dropped;
        }

        if (!Fits(push) && push.IsDroppable)
        {
            return Enqueued.Dropped;
        }

        if (!Fits(push))
        {
            DropEphemerals();
        }

        if (Fits(push))
        {
            _pushes.Enqueue(push);
            _bytes += push.JsonBytes.Length;
            return Enqueued.Queued;
        }

        _pushes.Clear();
        _pushes.Enqueue(Resync);
        _bytes = Resync.JsonBytes.Length;
        _resyncPromised = true;
        if (push.Kind is PushKind.Control)
        {
            _pushes.Enqueue(push);
            _bytes += push.JsonBytes.Length;
        }

        return Enqueued.Resync;
    }

    /// <summary>A push larger than the whole bound is let through alone, or it could never be delivered.</summary>
    private bool Fits(Push push) => _pushes.Count == 0
        || (_pushes.Count < maxPushes && _bytes + push.JsonBytes.Length <= maxBytes);

    private void DropEphemerals()
    {
        for (var left = _pushes.Count; left > 0; left--)
        {
            var push = _pushes.Dequeue();
            if (push.IsDroppable)
            {
                _bytes -= push.JsonBytes.Length;
            }
            else
            {
                _pushes.Enqueue(push);
            }
        }
    }

    private static byte[] BeginningOf(PushKind kind) => s_beginnings[kind - PushKind.Events];
}

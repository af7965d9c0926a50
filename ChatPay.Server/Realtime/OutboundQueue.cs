using System.Buffers;
using System.Text;
using System.Threading.Channels;

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

    private readonly Lock _lock = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private readonly LinkedList<Push> _pushes = [];
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

    public Enqueued Enqueue(Push push)
    {
        Enqueued outcome;
        lock (_lock)
        {
            outcome = EnqueueLocked(push);
        }

        _wake.Writer.TryWrite(true);
        return outcome;
    }

    /// <summary>Nothing more will be written; the writer stops after what is there.</summary>
    public void Complete() => _wake.Writer.TryComplete();

    /// <summary>Forgets what waits, and ends with one last push.</summary>
    public void CompleteWith(Push last)
    {
        lock (_lock)
        {
            if (!_closed)
            {
                _closed = true;
                _pushes.Clear();
                _pushes.AddLast(last);
            }
        }

        _wake.Writer.TryWrite(true);
        _wake.Writer.TryComplete();
    }

    /// <summary>Waits until there is something to write; false once the queue is complete.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) =>
        _wake.Reader.WaitToReadAsync(cancellationToken);

    /// <summary>Takes the next frame: pushes of one kind, in order, up to <paramref name="frameBytes"/>.</summary>
    /// <param name="committedAt">The earliest <see cref="Push.CommittedAt"/> among them; 0 for none.</param>
    /// <returns>False when nothing waits.</returns>
    public bool TryTakeFrame(ArrayBufferWriter<byte> frame, int frameBytes, out int pushes, out long committedAt)
    {
        lock (_lock)
        {
            pushes = 0;
            committedAt = 0;
            if (_pushes.First is not { } first)
            {
                _wake.Reader.TryRead(out _);
                return false;
            }

            var kind = first.Value.Kind;
            Begin(frame, kind);
            while (_pushes.First is { } next && next.Value.Kind == kind
                && (pushes == 0 || (kind != PushKind.Control && frame.WrittenCount + next.Value.JsonBytes.Length <= frameBytes)))
            {
                if (pushes++ > 0)
                {
                    frame.Write(","u8);
                }

                frame.Write(next.Value.JsonBytes);
                committedAt = committedAt == 0 ? next.Value.CommittedAt : committedAt;
                _bytes -= next.Value.JsonBytes.Length;
                _pushes.RemoveFirst();
                if (ReferenceEquals(next.Value, Resync))
                {
                    _resyncPromised = false;
                }
            }

            frame.Write(kind == PushKind.Control ? "]}\u001e"u8 : "]]}\u001e"u8);
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
            _pushes.AddLast(push);
            _bytes += push.JsonBytes.Length;
            return Enqueued.Queued;
        }

        _pushes.Clear();
        _pushes.AddLast(Resync);
        _bytes = Resync.JsonBytes.Length;
        _resyncPromised = true;
        if (push.Kind is PushKind.Control)
        {
            _pushes.AddLast(push);
            _bytes += push.JsonBytes.Length;
        }

        return Enqueued.Resync;
    }

    /// <summary>A push larger than the whole bound is let through alone, or it could never be delivered.</summary>
    private bool Fits(Push push) => _pushes.Count == 0
        || (_pushes.Count < maxPushes && _bytes + push.JsonBytes.Length <= maxBytes);

    private void DropEphemerals()
    {
        for (var node = _pushes.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.IsDroppable)
            {
                _bytes -= node.Value.JsonBytes.Length;
                _pushes.Remove(node);
            }

            node = next;
        }
    }

    private static void Begin(ArrayBufferWriter<byte> frame, PushKind kind)
    {
        frame.Write("{\"type\":1,\"target\":\""u8);
        frame.Write(Encoding.ASCII.GetBytes(kind.ToString()));
        frame.Write(kind == PushKind.Control ? "\",\"arguments\":["u8 : "\",\"arguments\":[["u8);
    }
}

using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.WebSockets;

namespace ChatPay.Server.Realtime;

/// <summary>
/// What SignalR writes, to the client's socket: whatever has gathered by the time its turn comes goes out as one WebSocket
/// message, so that an answer and the events of the same commit cost one system call. Pushes are taken from the connection's
/// queue only then. Nothing is held while nothing waits.
/// </summary>
internal sealed class HubSocketWriter(WebSocket socket, Departures departures, TimeProvider time, Action lost)
    : PipeWriter, IThreadPoolWorkItem
{
    /// <summary>Beyond it who writes has to wait for the socket.</summary>
    private const int PauseBytes = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Written and not yet flushed: touched by the one who writes only.</summary>
    private PooledBytes _writing = new();

    /// <summary>Flushed and not yet on its way.</summary>
    private PooledBytes _pending = new();
    private PushSource? _pushes;
    private TaskCompletionSource? _room;
    private bool _woken;
    private bool _sending;
    private bool _closing;
    private bool _lost;
    private bool _hurried;
    private long _sendingSince;

    /// <summary>How long the socket has refused to take what is on its way.</summary>
    public TimeSpan StuckFor =>
        Interlocked.Read(ref _sendingSince) is var since and not 0 ? time.GetElapsedTime(since) : TimeSpan.Zero;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _writing.Length;

    /// <summary>From here on it sends also what the queue holds, in frames of about so many bytes.</summary>
    /// <param name="over">Called when everything of a queue that is complete has been handed to the socket.</param>
    public void Attach(OutboundQueue queue, int frameBytes, Action over)
    {
        lock (_lock)
        {
            _pushes = new(queue, frameBytes, over);
        }
    }

    /// <summary>Something was put into the queue, or it was completed. Never waits.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            _woken = true;
            if (_sending || _lost)
            {
                return;
            }

            _sending = true;
        }

        departures.Schedule(this);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _writing.Room(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => _writing.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        LoadAsync([], cancellationToken);

    /// <summary>Sends an answer that SignalR has not written; it may be writing at the same time.</summary>
    public ValueTask<FlushResult> AnswerAsync(ReadOnlySpan<byte> answer) => LoadAsync(answer, CancellationToken.None);

    /// <summary>SignalR has given the connection up: nobody is to wait for it any more.</summary>
    public override void CancelPendingFlush()
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            _hurried = true;
            (room, _room) = (_room, null);
        }

        room?.TrySetResult();
    }

    public override void Complete(Exception? exception = null)
    {
        lock (_lock)
        {
            _closing = true;
            if (!_sending)
            {
                _drained.TrySetResult();
            }
        }
    }

    /// <summary>After <see cref="Complete"/>: ends when everything is on its way, or never will be.</summary>
    public Task Drained => _drained.Task;

    void IThreadPoolWorkItem.Execute() => _ = SendAsync();

    /// <param name="answer">What is to be sent; where it is empty, what was written.</param>
    private ValueTask<FlushResult> LoadAsync(ReadOnlySpan<byte> answer, CancellationToken cancellationToken)
    {
        var schedule = false;
        Task? room = null;
        lock (_lock)
        {
            if (_lost || (_closing && !answer.IsEmpty))
            {
                if (answer.IsEmpty)
                {
                    _writing.Return();
                }

                return new(new FlushResult(isCanceled: false, isCompleted: true));
            }

            if (answer.IsEmpty)
            {
                Take();
            }
            else
            {
                _pending.Write(answer);
            }

            if (!_sending && _pending.Length > 0)
            {
                schedule = _sending = true;
            }

            if (_pending.Length >= PauseBytes && !_hurried)
            {
                room = (_room ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }

        if (schedule)
        {
            departures.Schedule(this);
        }

        return room is null ? default : WaitAsync(room, cancellationToken);
    }

    private static async ValueTask<FlushResult> WaitAsync(Task room, CancellationToken cancellationToken)
    {
        await room.WaitAsync(cancellationToken);
        return default;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever ends a socket, the connection has ended.")]
    private async Task SendAsync()
    {
        while (TryTake(out var sending, out var committedAt))
        {
            try
            {
                Interlocked.Exchange(ref _sendingSince, time.GetTimestamp());
                await socket.SendAsync(
                    sending.Memory, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                Interlocked.Exchange(ref _sendingSince, 0);
                RealtimeMetrics.Delivered(committedAt);
            }
            catch (Exception)
            {
                Lose();
                return;
            }
            finally
            {
                sending.Return();
            }
        }
    }

    /// <summary>Takes what is to be the next message.</summary>
    /// <returns>False when there is nothing; whoever adds something then schedules anew.</returns>
    private bool TryTake(out PooledBytes sending, out long committedAt)
    {
        while (true)
        {
            TaskCompletionSource? room;
            PushSource? pushes;
            lock (_lock)
            {
                (sending, _pending) = (_pending, new());
                (room, _room) = (_room, null);
                (pushes, _woken) = (_closing ? null : _pushes, false);
            }

            // Without the lock, for whoever fills the queue holds the queue's and wakes.
            room?.TrySetResult();
            committedAt = pushes?.TakeFrames(ref sending) ?? 0;
            if (sending.Length > 0)
            {
                return true;
            }

            pushes?.EndIfOver();
            lock (_lock)
            {
                if (_woken || _pending.Length > 0)
                {
                    continue;
                }

                _sending = false;
                if (_closing)
                {
                    _drained.TrySetResult();
                }

                return false;
            }
        }
    }

    private void Lose()
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            _lost = true;
            (room, _room) = (_room, null);
            _drained.TrySetResult();
        }

        room?.TrySetResult();
        lost();
    }

    /// <summary>Adds what was written to what waits.</summary>
    private void Take()
    {
        if (_writing.Length == 0)
        {
            return;
        }

        if (_pending.Length == 0)
        {
            (_pending, _writing) = (_writing, _pending);
            return;
        }

        _pending.Write(_writing.Memory.Span);
        _writing.Return();
    }

    private sealed class PushSource(OutboundQueue queue, int frameBytes, Action over)
    {
        private bool _isOver;

        /// <summary>Adds frames to <paramref name="message"/>, as long as it is not a large one.</summary>
        /// <returns>When the oldest push in them was committed; 0 for none.</returns>
        public long TakeFrames(ref PooledBytes message)
        {
            long oldest = 0;
            while (message.Length < frameBytes
                && queue.TryTakeFrame(ref message, frameBytes, out var pushes, out var committedAt))
            {
                RealtimeMetrics.Wrote(pushes);
                oldest = oldest == 0 ? committedAt : oldest;
            }

            return oldest;
        }

        public void EndIfOver()
        {
            if (!_isOver && queue.IsOver)
            {
                _isOver = true;
                over();
            }
        }
    }
}

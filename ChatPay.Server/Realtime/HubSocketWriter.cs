using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.WebSockets;

namespace ChatPay.Server.Realtime;

/// <summary>
/// What SignalR writes, to the client's socket: whatever has gathered by the time its turn comes goes out as one WebSocket
/// message, so that an answer and the events of the same commit cost one system call. Nothing is held while nothing waits.
/// </summary>
internal sealed class HubSocketWriter(WebSocket socket, Departures departures, TimeProvider time, Action lost)
    : PipeWriter, IThreadPoolWorkItem
{
    private const int BufferStartBytes = 1024;

    /// <summary>Beyond it who writes has to wait for the socket.</summary>
    private const int PauseBytes = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Written and not yet flushed: touched by the one who writes only.</summary>
    private byte[] _writing = [];
    private int _written;

    /// <summary>Flushed and not yet on its way.</summary>
    private byte[] _pending = [];
    private int _flushed;
    private TaskCompletionSource? _room;
    private bool _sending;
    private bool _closing;
    private bool _lost;
    private bool _hurried;
    private long _sendingSince;

    /// <summary>How long the socket has refused to take what is on its way.</summary>
    public TimeSpan StuckFor =>
        Interlocked.Read(ref _sendingSince) is var since and not 0 ? time.GetElapsedTime(since) : TimeSpan.Zero;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(ref _writing, _written, Math.Max(sizeHint, 1));
        return _writing.AsMemory(_written);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => _written += bytes;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var schedule = false;
        Task? room = null;
        lock (_lock)
        {
            if (_lost)
            {
                _written = 0;
                return new(new FlushResult(isCanceled: false, isCompleted: true));
            }

            Take();
            if (!_sending && _flushed > 0)
            {
                schedule = _sending = true;
            }

            if (_flushed >= PauseBytes && !_hurried)
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

    private static async ValueTask<FlushResult> WaitAsync(Task room, CancellationToken cancellationToken)
    {
        await room.WaitAsync(cancellationToken);
        return default;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever ends a socket, the connection has ended.")]
    private async Task SendAsync()
    {
        while (TryTake(out var sending, out var length))
        {
            try
            {
                Interlocked.Exchange(ref _sendingSince, time.GetTimestamp());
                await socket.SendAsync(
                    sending.AsMemory(0, length), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                Interlocked.Exchange(ref _sendingSince, 0);
            }
            catch (Exception)
            {
                Lose();
                return;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(sending);
            }
        }
    }

    private bool TryTake(out byte[] sending, out int length)
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            (sending, length) = (_pending, _flushed);
            (_pending, _flushed) = ([], 0);
            (room, _room) = (_room, null);
            if (length == 0)
            {
                _sending = false;
                if (_closing)
                {
                    _drained.TrySetResult();
                }

                return false;
            }
        }

        room?.TrySetResult();
        return true;
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
        if (_written == 0)
        {
            return;
        }

        if (_flushed == 0)
        {
            (_pending, _writing) = (_writing, _pending);
            (_flushed, _written) = (_written, 0);
            return;
        }

        Grow(ref _pending, _flushed, _written);
        _writing.AsSpan(0, _written).CopyTo(_pending.AsSpan(_flushed));
        _flushed += _written;
        _written = 0;
        ArrayPool<byte>.Shared.Return(_writing);
        _writing = [];
    }

    private static void Grow(ref byte[] buffer, int used, int more)
    {
        if (buffer.Length - used >= more)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(BufferStartBytes, Math.Max(2 * buffer.Length, used + more)));
        buffer.AsSpan(0, used).CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        buffer = larger;
    }
}

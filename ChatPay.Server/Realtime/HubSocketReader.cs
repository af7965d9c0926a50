using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Threading.Tasks.Sources;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Realtime;

/// <summary>
/// What a client sends, from its socket straight to SignalR: no pipe between the two, no change of thread, and no buffer
/// while nothing comes. While SignalR waits and has no call that runs, plain messages and card actions are answered by
/// <see cref="CallLane"/> before it sees them.
/// </summary>
/// <param name="signOfLife">
/// How long SignalR may go without hearing of a client that sends: it would take it for gone in the end.
/// </param>
internal sealed class HubSocketReader(
    WebSocket socket, CallLane lane, HubSocketWriter output, TimeSpan signOfLife, TimeProvider time)
    : PipeReader, IValueTaskSource<ReadResult>
{
    /// <summary>
    /// Enough for all but large messages and cards with their signature: what comes in parts goes by SignalR, which has seen the
    /// first of them.
    /// </summary>
    private const int BufferStartBytes = 4096;

    /// <summary>SignalR refuses a frame beyond its limit, and has to see for that that there is more.</summary>
    private const int BufferMaxBytes = 2 * Limits.HubFrameBytes;

    private static readonly ReadOnlySequence<byte> s_ping = new("{\"type\":6}\u001e"u8.ToArray());

    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<ReadResult> _read;
    private ReadOnlySequence<byte> _given;
    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private int _examined;
    private bool _reading;
    private bool _receiving;
    private bool _canceled;
    private bool _ended;
    private bool _gone;
    private ClientConnection? _connection;
    private bool _answering;

    /// <summary>Whether a call has been taken since SignalR last heard of the client.</summary>
    private bool _passedBy;
    private bool _holdsRoom;
    private long _givenAt;
    private Task _receive = Task.CompletedTask;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        short version;
        bool receive;
        lock (_lock)
        {
            if (TryGive(out var result))
            {
                return new(result);
            }

            _read.Reset();
            (version, _reading, receive, _receiving) = (_read.Version, true, !_receiving, true);
        }

        if (receive)
        {
            _receive = ReceiveAsync();
        }

        return cancellationToken.CanBeCanceled
            ? CancelableAsync(version, cancellationToken) : new(this, version);
    }

    public override bool TryRead(out ReadResult result)
    {
        lock (_lock)
        {
            return TryGive(out result);
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        lock (_lock)
        {
            if (_given.IsEmpty)
            {
                return;
            }

            var start = _start;
            _start = start + (int)_given.Slice(_given.Start, consumed).Length;
            _examined = start + (int)_given.Slice(_given.Start, examined).Length;
            _given = default;
            if (_start == _end && !_receiving)
            {
                Return();
            }
        }
    }

    public override void CancelPendingRead()
    {
        if (Interrupt(static reader => reader._canceled = true))
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static reader => reader._read.SetResult(new(default, isCanceled: true, isCompleted: false)), this,
                preferLocal: false);
        }
    }

    /// <summary>From here on what this connection sends may be answered beside SignalR.</summary>
    public void Attach(ClientConnection connection)
    {
        lock (_lock)
        {
            _connection = connection;
        }
    }

    /// <summary>Once a second: a client whose calls all pass SignalR by must not look gone to it.</summary>
    public void Beat()
    {
        lock (_lock)
        {
            if (!_passedBy || !_reading || time.GetElapsedTime(_givenAt) < signOfLife)
            {
                return;
            }

            (_reading, _passedBy, _givenAt) = (false, _answering, time.GetTimestamp());
        }

        ThreadPool.UnsafeQueueUserWorkItem(
            static reader => reader._read.SetResult(new(s_ping, isCanceled: false, isCompleted: false)), this,
            preferLocal: false);
    }

    /// <summary>As if the client had said goodbye.</summary>
    public void End()
    {
        if (Interrupt(static reader => reader._ended = true))
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static reader => reader._read.SetResult(new(default, isCanceled: false, isCompleted: true)), this,
                preferLocal: false);
        }
    }

    /// <summary>After the last read: passes over what still comes, until the client closes.</summary>
    public async Task ClosedAsync()
    {
        await _receive;
        var ignored = new byte[BufferStartBytes];
        while (!_gone)
        {
            var received = await socket.ReceiveAsync(ignored.AsMemory(), CancellationToken.None);
            _gone = received.MessageType == WebSocketMessageType.Close;
        }
    }

    public override void Complete(Exception? exception = null)
    {
        lock (_lock)
        {
            _ended = true;
            if (!_receiving)
            {
                Return();
            }
        }
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    private async ValueTask<ReadResult> CancelableAsync(short version, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var reader = (HubSocketReader)state!;
                if (reader.Interrupt(static _ => { }))
                {
                    reader._read.SetException(new OperationCanceledException(token));
                }
            },
            this);
        return await new ValueTask<ReadResult>(this, version);
    }

    /// <summary>Takes a waiting read away from whatever would answer it next; leaves a note where none waits.</summary>
    private bool Interrupt(Action<HubSocketReader> note)
    {
        lock (_lock)
        {
            if (!_reading)
            {
                note(this);
                return false;
            }

            _reading = false;
            return true;
        }
    }

    /// <summary>
    /// Receives until SignalR has been given something, and goes on beside a message that is being answered: what comes then
    /// waits, but the client's pongs are taken and its leaving is seen.
    /// </summary>
    private async Task ReceiveAsync()
    {
        while (await TryReceiveAsync())
        {
            LaneCall? call = null;
            ReadResult result = default;
            var gives = false;
            lock (_lock)
            {
                if (!_reading && (!_answering || _ended))
                {
                    // Its next read finds what has come, and goes on.
                    _receiving = false;
                    return;
                }

                if (_reading && !TryTakeCall(out call) && TryGive(out result))
                {
                    (gives, _receiving, _reading, _givenAt) = (true, false, false, time.GetTimestamp());
                }
            }

            if (gives)
            {
                _read.SetResult(result);
                return;
            }

            if (call is not null)
            {
                _ = AnswerAsync(call);
            }
        }
    }

    /// <summary>Answers a message and those that stand behind it, then lets SignalR have what is left.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever went wrong, the connection must end rather than hang.")]
    private async Task AnswerAsync(LaneCall first)
    {
        var call = first;
        while (true)
        {
            try
            {
                var reply = await lane.AnswerAsync(_connection!, call);
                await output.AnswerAsync(CallLane.Encode(call, reply));
            }
            catch (Exception)
            {
                lock (_lock)
                {
                    _ended = true;
                }
            }

            ReadResult result;
            lock (_lock)
            {
                _answering = false;
                if (TryTakeCall(out var next))
                {
                    call = next;
                    continue;
                }

                if (!_reading)
                {
                    return;
                }

                if (!TryGive(out result))
                {
                    if (!_receiving)
                    {
                        _receiving = true;
                        _receive = ReceiveAsync();
                    }

                    return;
                }

                (_reading, _givenAt) = (false, time.GetTimestamp());
            }

            _read.SetResult(result);
            return;
        }
    }

    /// <summary>Waits for something to come, and takes it in.</summary>
    /// <returns>False where there is no room for it now: it is left where it is, and nobody receives any more.</returns>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever ends a socket, the connection has ended.")]
    private async ValueTask<bool> TryReceiveAsync()
    {
        var ended = false;
        var count = 0;
        try
        {
            while (count == 0 && !ended)
            {
                // First without a buffer: most connections wait for most of the time.
                var received = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
                if (received.MessageType != WebSocketMessageType.Close)
                {
                    if (!TryMakeRoom(out var room))
                    {
                        return false;
                    }

                    received = await socket.ReceiveAsync(room, CancellationToken.None);
                }

                (count, ended) = (received.Count, received.MessageType == WebSocketMessageType.Close);
            }
        }
        catch (Exception)
        {
            ended = true;
        }

        lock (_lock)
        {
            _holdsRoom = false;
            _end += count;
            _ended |= ended;
            _gone = ended;
        }

        return true;
    }

    /// <summary>Takes a call that need not go by SignalR from the beginning of what has come. Within the lock.</summary>
    private bool TryTakeCall([NotNullWhen(true)] out LaneCall? call)
    {
        // What SignalR has looked at already is the beginning of something that it waits for the rest of. It may wait for more
        // beside a call that runs, and then lets the next call wait for that.
        if (_connection is not { IsBusy: false } || _answering || !_reading || _ended || _canceled || _start == _end
            || _examined != _start
            || !lane.IsOpen || !CallLane.TryTake(_buffer.AsSpan(_start, _end - _start), out call, out var bytes))
        {
            call = null;
            return false;
        }

        _start += bytes;
        _examined = _start;
        if (_start == _end && !_holdsRoom)
        {
            Return();
        }

        return _passedBy = _answering = true;
    }

    /// <summary>Within the lock.</summary>
    private bool TryGive(out ReadResult result)
    {
        if (!_canceled && !_ended && (_end == _examined || _answering))
        {
            result = default;
            return false;
        }

        // What stands behind a message that is being answered waits for that.
        _given = _answering ? default : new(_buffer, _start, _end - _start);
        result = new(_given, _canceled, _ended);
        _canceled = false;
        return true;
    }

    private bool TryMakeRoom(out Memory<byte> room)
    {
        lock (_lock)
        {
            // SignalR may be looking at the buffer, and a client may send more beside one message than is kept for it.
            if (!_given.IsEmpty || (_answering && _end - _start >= BufferMaxBytes))
            {
                room = default;
                return _receiving = false;
            }

            if (_start > 0 && _end == _buffer.Length)
            {
                Buffer.BlockCopy(_buffer, _start, _buffer, 0, _end - _start);
                (_start, _end, _examined) = (0, _end - _start, _examined - _start);
            }

            if (_end == _buffer.Length)
            {
                if (_buffer.Length >= BufferMaxBytes)
                {
                    throw new InvalidDataException("Nobody takes what the client sends.");
                }

                var larger = ArrayPool<byte>.Shared.Rent(Math.Max(BufferStartBytes, 2 * _buffer.Length));
                _buffer.AsSpan(0, _end).CopyTo(larger);
                Free(_buffer);
                _buffer = larger;
            }

            room = _buffer.AsMemory(_end);
            return _holdsRoom = true;
        }
    }

    private void Return()
    {
        Free(_buffer);
        (_buffer, _start, _end, _examined) = ([], 0, 0, 0);
    }

    private static void Free(byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
